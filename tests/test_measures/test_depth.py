import numpy as np
import pytest

from mmrefine.measures import boundary_fscore, depth_boundary_fscore, depth_errors, total

RNG = np.random.default_rng(0)


def test_errors_by_hand():
    true = np.array([[1.0, 2.0, 4.0], [0, 100, 8.0]])  # one unknown, one beyond 80
    predicted = np.array([[1.0, 3.0, 4.0], [7, 7, 4.0]])
    found = depth_errors(predicted, true, median_scaling=False).figures()
    assert found['abs_rel'] == pytest.approx((0 + 0.5 + 0 + 0.5) / 4)
    assert found['sq_rel'] == pytest.approx((0 + 1 / 2 + 0 + 16 / 8) / 4)
    assert found['rmse'] == pytest.approx(np.sqrt((1 + 16) / 4))
    assert found['rmse_log'] == pytest.approx(np.sqrt((np.log(1.5) ** 2 + np.log(2) ** 2) / 4))
    assert (found['d1'], found['d2'], found['d3']) == (0.5, 0.75, 0.75)


def test_median_scaling_takes_any_factor_away():
    true = RNG.uniform(1, 60, (7, 11))
    close = depth_errors(true * 0.01, true).figures()
    assert close['abs_rel'] == pytest.approx(0, abs=1e-12)
    assert close['d1'] == 1
    spread = total([depth_errors(true * k, true) for k in (1, 1, 4)]).figures()['ratio_spread']
    assert spread == pytest.approx(np.std([1, 1, 0.25]))


def test_predictions_are_kept_in_range():
    true = np.full((3, 5), 40.0)
    far = depth_errors(np.full((3, 5), 1e6), true, median_scaling=False, max_depth=80).figures()
    assert far['abs_rel'] == pytest.approx(1)


def test_crop_of_kitti_is_the_published_one():
    true = np.zeros((375, 1242))
    true[152, 44] = true[153, 43] = true[371, 100] = 5  # just outside, on three sides
    assert np.isnan(depth_errors(np.ones_like(true), true, crop='garg').figures()['abs_rel'])
    true[153, 44] = true[370, 1196] = 5
    count = depth_errors(np.ones_like(true), true, crop='garg', median_scaling=False)
    assert count.figures()['abs_rel'] == pytest.approx(0.8)


def test_images_without_truth_do_not_count():
    true = RNG.uniform(1, 60, (7, 11))
    empty = depth_errors(true, np.zeros((7, 11)))
    both = total([depth_errors(true * RNG.uniform(0.8, 1.2, true.shape), true), empty])
    assert both.figures()['abs_rel'] == np.nanmean(both.errors[:, 0])
    assert np.isnan(empty.figures()['abs_rel'])
    assert np.isnan(empty.figures()['ratio_spread'])


def flat_with_block(size=(20, 30), offset=0) -> np.ndarray:
    depth = np.full(size, 8.0)
    depth[5:12, 8 + offset : 19 + offset] = 4
    return depth


@pytest.mark.parametrize('tolerance', [0, 1, 2])
@pytest.mark.parametrize('offset', [0, 1, 2, 3])
def test_boundary_is_that_of_a_mask_where_depth_is_a_mask(tolerance, offset):
    predicted, true = flat_with_block(offset=offset), flat_with_block()
    found = depth_boundary_fscore(3 * predicted, true, tolerance)
    expected = boundary_fscore(predicted == 4, true == 4, tolerance)
    assert found.figures()['fscore'] == pytest.approx(expected.figures()['fscore'])
    assert found.predicted.tolist() == expected.predicted.tolist()
    assert found.target_matched.tolist() == expected.target_matched.tolist()


def test_slopes_are_no_boundaries_and_ratio_decides():
    ramp = np.tile(np.linspace(5, 9, 30), (20, 1))
    assert depth_boundary_fscore(ramp, ramp, 1).target.sum() == 0
    step = np.where(np.arange(30) < 11, 5.0, 6.0) * np.ones((20, 1))
    assert depth_boundary_fscore(step, step, 1, ratio=1.25).target.sum() == 0
    assert depth_boundary_fscore(step, step, 1, ratio=1.15).target.sum() == 20


def test_unknown_depth_makes_no_boundary():
    true = flat_with_block()
    true[:, 13:] = 0
    counts = depth_boundary_fscore(flat_with_block(), true, 1)
    assert counts.figures()['fscore'] == 1
    assert counts.predicted.sum() == counts.target.sum() > 0
    nothing = depth_boundary_fscore(flat_with_block(), np.zeros((20, 30)), 1)
    assert nothing.predicted.sum() == nothing.target.sum() == 0


@pytest.mark.parametrize(
    ('predicted', 'true', 'options', 'text'),
    [
        (np.ones((3, 4)), np.ones((4, 3)), {}, r'must both be \(H, W\)'),
        (np.zeros((3, 4)), np.ones((3, 4)), {}, 'positive and finite'),
        (np.full((3, 4), np.nan), np.ones((3, 4)), {}, 'positive and finite'),
        (np.ones((3, 4)), np.ones((3, 4)), {'crop': 'no'}, 'crop: must be one of garg, eigen'),
        (np.ones((3, 4)), np.ones((3, 4)), {'min_depth': 90}, '0 < min_depth < max_depth'),
    ],
)
def test_bad_input_is_refused(predicted, true, options, text):
    with pytest.raises(ValueError, match=text):
        depth_errors(predicted, true, **options)


def test_bad_ratio_is_refused():
    with pytest.raises(ValueError, match='ratio: must be > 1'):
        depth_boundary_fscore(np.ones((3, 4)), np.ones((3, 4)), 1, ratio=1)
