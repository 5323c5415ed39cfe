import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from mmrefine.measures import boundary_fscore, total
from mmrefine.measures.fscore import tolerance_in_pixels

from .drawing import VOID, blobs, draw, map_pairs


def plain_boundary(mask, usable):
    """Pixels that differ from their right, lower or lower-right neighbour, by loops."""
    height, width = mask.shape
    boundary = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            for dy, dx in ((0, 1), (1, 0), (1, 1)):
                if y + dy < height and x + dx < width and usable[y, x] and usable[y + dy, x + dx]:
                    boundary[y, x] |= mask[y, x] != mask[y + dy, x + dx]
    return boundary


def disk(radius):
    reach = np.arange(-int(radius), int(radius) + 1)
    return reach[:, None] ** 2 + reach**2 <= radius**2


def plain_counts(prediction, target, radius, num_classes, void_boundary):
    """(4, C): the definition, one class and two dilations at a time."""
    void = target == VOID
    usable = np.ones_like(void) if void_boundary else ~void
    counts = []
    for c in range(num_classes):
        p, t = (plain_boundary((m == c) & ~void, usable) for m in (prediction, target))
        counts.append(
            [
                p.sum(),
                (p & binary_dilation(t, disk(radius))).sum(),
                t.sum(),
                (t & binary_dilation(p, disk(radius))).sum(),
            ]
        )
    return np.array(counts).T


def as_table(counts):
    return np.concatenate(
        [counts.predicted, counts.predicted_matched, counts.target, counts.target_matched]
    )


@settings(max_examples=150, deadline=None)
@given(map_pairs(), st.sampled_from([0, 1, 1.5, 2, 3, 5.2, 30]), st.booleans())
def test_counts_are_those_of_the_plain_definition(maps, tolerance, void_boundary):
    prediction, target = maps
    counts = boundary_fscore(prediction, target, tolerance, 4, void_boundary=void_boundary)
    expected = plain_counts(prediction, target, tolerance, 4, void_boundary)
    np.testing.assert_array_equal(as_table(counts), expected)


def test_more_than_64_classes():
    rng = np.random.default_rng(0)
    prediction, target = blobs(rng, (19, 33), 150), blobs(rng, (19, 33), 150, void=0.1)
    prediction[:10] = np.where(target[:10] == VOID, 0, target[:10])
    counts = boundary_fscore(prediction, target, 2, 150)
    np.testing.assert_array_equal(as_table(counts), plain_counts(prediction, target, 2, 150, False))
    assert counts.predicted_matched[:, 64:128].sum() > 0
    assert counts.predicted_matched[:, 128:].sum() > 0


def test_boundary_is_one_pixel_wide_and_up_left_of_the_edge():
    target = draw("""
        .....
        ..11.
        ..11.
        .....""")
    prediction = np.zeros_like(target)
    counts = boundary_fscore(prediction, target, 1, 2)
    # Row 0: x 1-3, row 1: x 1 and 3, row 2: x 1, 2, 3; row 3 touches nothing below it.
    np.testing.assert_array_equal(counts.target, [[8, 8]])
    np.testing.assert_array_equal(counts.predicted, [[0, 0]])


def test_hand_counted_shift():
    target = np.zeros((6, 9), bool)
    target[:, :3] = True
    prediction = np.zeros((6, 9), bool)
    prediction[:4, :5] = True
    prediction[4:, :3] = True
    # True boundary: column 2, rows 0-5. Predicted: column 4 in rows 0-3, row 3 x 2-4 (the
    # step), column 2 in rows 4, 5.
    counts = boundary_fscore(prediction, target, 1)
    assert counts.target.item() == 6
    assert counts.predicted.item() == 4 + 2 + 2
    assert counts.target_matched.item() == 4  # rows 2-5
    assert counts.predicted_matched.item() == 4  # (3, 2), (3, 3), (4, 2), (5, 2)
    precision, recall = 4 / 8, 4 / 6
    expected = 2 * precision * recall / (precision + recall)
    assert counts.figures()['fscore'] == pytest.approx(expected)
    at_two = boundary_fscore(prediction, target, 2)
    assert at_two.figures()['fscore'] == 1


@pytest.mark.parametrize(
    ('predicted', 'true', 'expected'),
    [
        ('nothing', 'nothing', 1.0),
        ('everything', 'everything', 1.0),
        ('everything', 'nothing', 1.0),  # neither has a boundary: the image border is none
        ('box', 'nothing', 0.0),
        ('nothing', 'box', 0.0),
        ('everything', 'box', 0.0),
        ('box', 'box', 1.0),
    ],
)
def test_empty_and_full_masks(predicted, true, expected):
    masks = {'nothing': np.zeros((5, 8), bool), 'everything': np.ones((5, 8), bool)}
    masks['box'] = masks['nothing'].copy()
    masks['box'][1:3, 0:4] = True
    counts = boundary_fscore(masks[predicted], masks[true], 1)
    assert counts.figures()['fscore'] == expected
    if expected == 1.0 and 'box' not in (predicted, true):
        assert math.isnan(counts.figures('present')['fscore'])
        assert math.isnan(counts.figures('dataset')['fscore'])


@pytest.mark.parametrize('turns', range(4))
def test_region_that_touches_a_border(turns):
    target = np.zeros((7, 11), bool)
    target[2:5, :3] = True
    target = np.rot90(target, turns)
    shifted = np.roll(target, 1, axis=turns % 2)
    assert boundary_fscore(target, target, 1).figures()['fscore'] == 1
    counts = boundary_fscore(shifted, target, 1)
    expected = plain_counts(shifted.astype(np.uint8), target.astype(np.uint8), 1, 2, False)
    np.testing.assert_array_equal(as_table(counts)[:, 0], expected[:, 1])


def test_ignored_pixels_are_neither_boundary_nor_matched():
    target = draw("""
        ..#11
        ..#11
        ..#11""")
    wrong = draw("""
        .1..1
        ..1.1
        ..111""")
    right = np.where(target == VOID, 1, target)
    np.testing.assert_array_equal(boundary_fscore(right, target, 3, 2).target, [[0, 0]])
    counts = boundary_fscore(wrong, target, 3, 2)
    # (0, 0), (0, 1), (0, 3) differ from a neighbour that counts; so does (1, 3) but not (2, 3).
    np.testing.assert_array_equal(counts.predicted, [[4, 4]])
    # As released by Gated-SCNN: both sides of the ignored column are boundaries.
    assert boundary_fscore(right, target, 3, 2, void_boundary=True).target.tolist() == [[3, 3]]


def test_what_is_predicted_on_ignored_pixels_changes_nothing():
    rng = np.random.default_rng(3)
    target = blobs(rng, (20, 31), 4, void=0.2)
    one = blobs(rng, (20, 31), 4)
    other = np.where(target == VOID, blobs(rng, (20, 31), 4), one)
    assert (one != other).any()
    for void_boundary in (False, True):
        tables = [
            as_table(boundary_fscore(p, target, 2, 4, void_boundary=void_boundary))
            for p in (one, other)
        ]
        np.testing.assert_array_equal(*tables)


def test_averages_of_two_images():
    box = np.zeros((9, 12), bool)
    box[2:6, 3:8] = True
    empty = np.zeros_like(box)
    half = box.copy()
    half[2:4] = False
    counts = total([boundary_fscore(half, box, 1), boundary_fscore(empty, empty, 1)])
    single = boundary_fscore(half, box, 1).figures()['fscore']
    assert 0 < single < 1
    assert counts.figures('image')['fscore'] == pytest.approx((single + 1) / 2)
    assert counts.figures('present')['fscore'] == pytest.approx(single)
    assert counts.figures('dataset')['fscore'] == pytest.approx(single)
    with pytest.raises(ValueError, match=r"average: must be one of .* got 'sum'"):
        counts.figures('sum')


def test_dataset_figures_do_not_depend_on_the_order():
    rng = np.random.default_rng(5)
    parts = [
        boundary_fscore(blobs(rng, (11, 14), 3), blobs(rng, (11, 14), 3, 0.1), 1, 3)
        for _ in range(40)
    ]
    reference = total(parts)
    for _ in range(5):
        rng.shuffle(parts)
        cut = rng.integers(1, 39)
        again = total([total(parts[:cut]), sum(parts[cut:])])
        for average in ('image', 'present', 'dataset'):
            expected = reference.figures(average)['fscore_per_class']
            np.testing.assert_array_equal(again.figures(average)['fscore_per_class'], expected)


@pytest.mark.parametrize(
    ('tolerance', 'size_hw', 'pixels'),
    [
        (0, (1024, 2048), 0),
        (1, (1024, 2048), 1),
        (2.5, (10, 20), 2.5),
        (0.0003, (1024, 2048), 1),
        (0.0006, (1024, 2048), 2),
        (0.0009, (1024, 2048), 3),
        (0.00088, (1024, 2048), 3),
        (0.008, (480, 854), 8),
    ],
)
def test_tolerance_in_pixels(tolerance, size_hw, pixels):
    assert tolerance_in_pixels(tolerance, size_hw) == pixels


@pytest.mark.parametrize('tolerance', [-1, float('nan'), float('inf')])
def test_bad_tolerance(tolerance):
    with pytest.raises(ValueError, match='tolerance: must be pixels'):
        boundary_fscore(np.zeros((3, 4), bool), np.zeros((3, 4), bool), tolerance)


def test_torch_tensors_and_wide_dtypes_give_the_same():
    rng = np.random.default_rng(7)
    prediction, target = blobs(rng, (13, 22), 5), blobs(rng, (13, 22), 5, 0.1)
    expected = as_table(boundary_fscore(prediction, target, 2, 5))
    for dtype in (np.int64, np.uint16, np.int32):
        maps = (prediction.astype(dtype), target.astype(dtype))
        np.testing.assert_array_equal(as_table(boundary_fscore(*maps, 2, 5)), expected)
    tensors = [torch.from_numpy(m.astype(np.int64)) for m in (prediction, target)]
    np.testing.assert_array_equal(as_table(boundary_fscore(*tensors, 2, 5)), expected)


def test_a_mask_is_the_foreground_class_of_its_label_map():
    rng = np.random.default_rng(8)
    prediction, target = blobs(rng, (13, 22), 2), blobs(rng, (13, 22), 2)
    of_mask = boundary_fscore(prediction == 1, target == 1, 1)
    of_map = boundary_fscore(prediction, target, 1)
    np.testing.assert_array_equal(as_table(of_mask)[:, 0], as_table(of_map)[:, 1])
