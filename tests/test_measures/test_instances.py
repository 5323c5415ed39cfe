import math

import numpy as np
import pytest
import torch

from mmrefine.measures import boundary_fscore, instance_boundary_fscore, total


def box(top, left, height, width, size_hw=(30, 44)):
    mask = np.zeros(size_hw, bool)
    mask[top : top + height, left : left + width] = True
    return mask


TARGETS = [box(2, 3, 10, 20), box(0, 30, 12, 14), box(18, 0, 12, 44)]
MASKS = [box(2, 3, 10, 20), box(0, 30, 12, 10), box(20, 0, 10, 44)]


def test_fscores_are_those_of_the_whole_image():
    counts = instance_boundary_fscore(MASKS, TARGETS)
    expected = [
        boundary_fscore(m, t, 1).per_image().item() for m, t in zip(MASKS, TARGETS, strict=True)
    ]
    np.testing.assert_array_equal(counts.fscore, expected)
    assert expected[0] == 1 > min(expected[1:])
    ratio = instance_boundary_fscore(MASKS, TARGETS, tolerance=0.05)  # ceil(2.66) = 3 px
    expected = [
        boundary_fscore(m, t, 3).per_image().item() for m, t in zip(MASKS, TARGETS, strict=True)
    ]
    np.testing.assert_array_equal(ratio.fscore, expected)


def test_default_matching_is_the_iou_of_the_pair():
    counts = instance_boundary_fscore(MASKS, TARGETS)
    # IoU 1, 10/14 = 0.714, 10/12 = 0.833.
    np.testing.assert_array_equal(counts.matched.sum(axis=1), [10, 5, 7])
    f = counts.fscore
    # Thresholds 0.5-0.7: all three; 0.75, 0.8: first and last; 0.85-0.95: the first.
    expected = (5 * f.mean() + 2 * f[[0, 2]].mean() + 3 * f[0]) / 10
    assert counts.figures()['af'] == pytest.approx(expected)


def test_matching_of_an_evaluator_and_categories():
    matched = np.array([[True, True], [True, False], [True, False]])
    counts = instance_boundary_fscore(MASKS, TARGETS, matched, categories=[7, 7, 9])
    f = counts.fscore
    figures = counts.figures()
    np.testing.assert_allclose(figures['af_per_threshold'], [f.mean(), f[0]])
    assert figures['af'] == pytest.approx((f.mean() + f[0]) / 2)
    # Category 9 has no true positive at the second threshold: that threshold does not count.
    assert figures['af_per_category'] == pytest.approx({7: ((f[0] + f[1]) / 2 + f[0]) / 2, 9: f[2]})


def test_images_add_up_in_any_order():
    parts = [instance_boundary_fscore([m], [t]) for m, t in zip(MASKS, TARGETS, strict=True)]
    reference = instance_boundary_fscore(MASKS, TARGETS).figures()['af']
    assert total(parts).figures()['af'] == reference
    assert total(parts[::-1]).figures()['af'] == reference


def test_nothing_predicted():
    counts = instance_boundary_fscore(np.zeros((0, 5, 7), bool), np.zeros((0, 5, 7), bool))
    assert math.isnan(counts.figures()['af'])
    assert total([counts, instance_boundary_fscore(MASKS, TARGETS)]).figures()['af'] > 0


def test_empty_and_full_masks():
    empty, full = np.zeros((6, 9), bool), np.ones((6, 9), bool)
    counts = instance_boundary_fscore([empty, empty, full], [full, empty, full])
    # Neither has a contour, so F is 1; what is empty has IoU 0 and is never a match.
    np.testing.assert_array_equal(counts.fscore, [1, 1, 1])
    np.testing.assert_array_equal(counts.matched.sum(axis=1), [0, 0, 10])


def test_torch_stacks():
    stacks = [torch.from_numpy(np.stack(masks)) for masks in (MASKS, TARGETS)]
    expected = instance_boundary_fscore(MASKS, TARGETS).fscore
    np.testing.assert_array_equal(instance_boundary_fscore(*stacks).fscore, expected)


def test_bad_input():
    with pytest.raises(ValueError, match='masks and targets: got 3 and 2 instances'):
        instance_boundary_fscore(MASKS, TARGETS[:2])
    with pytest.raises(TypeError, match=r'must be bool and of one size, got uint8'):
        instance_boundary_fscore([MASKS[0].astype(np.uint8)], TARGETS[:1])
    with pytest.raises(ValueError, match=r'matched must be \(3, T\).* got \(2, 10\)'):
        instance_boundary_fscore(MASKS, TARGETS, np.ones((2, 10), bool))
