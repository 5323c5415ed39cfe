"""Boxes along boundaries against a brute force, drawings and properties."""

import numpy as np
import pytest
import torch

from mmrefine.ops import propose_boxes
from mmrefine.ops.boxes import box_centres, boxes_around

from .random_masks import random_masks

MASKS = 1000


def boundary_by_definition(mask):
    """c = object pixels in the 3×3 window, zeros outside; boundary where min(c, 9 − c) > 0."""
    padded = np.pad(mask.astype(int), 1)
    count = sum(
        padded[dy : dy + mask.shape[0], dx : dx + mask.shape[1]]
        for dy in range(3)
        for dx in range(3)
    )
    return np.minimum(count, 9 - count)


def iou_matrix(a, b, size):
    """IoU of squares of one size around centres (N, 2) and (M, 2)."""
    sides = np.clip(size - np.abs(a[:, None] - b[None]), 0, None)
    intersection = sides.prod(-1)
    return intersection / (2 * size**2 - intersection)


def options(index):
    return (1, 2, 5, 8, 16, 31)[index % 6], (0.0, 0.15, 0.25, 0.55, 0.9)[index % 5]


def test_boxes_lie_inside_the_image_and_are_as_large_as_it_allows():
    for index, mask in enumerate(random_masks(MASKS)):
        size, threshold = options(index)
        boxes = propose_boxes(mask, size, threshold)
        height, width = mask.shape
        assert boxes.dtype == np.int64
        assert boxes.shape[1:] == (4,)
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= (width, height)).all()
        assert (boxes[:, 2:] - boxes[:, :2] == np.minimum(size, (width, height))).all()
        assert len(np.unique(boxes, axis=0)) == len(boxes)


def test_every_boundary_pixel_is_kept_or_suppressed_by_a_better_kept_one():
    for index, mask in enumerate(random_masks(MASKS, seed=1)):
        if mask.all():
            continue
        size, threshold = options(index)
        score = boundary_by_definition(mask)
        pixels = np.argwhere(score > 0)
        centres = box_centres(mask.view(np.uint8), size, threshold)
        assert {tuple(c) for c in centres} <= {tuple(p) for p in pixels}
        if len(pixels) == 0:
            continue
        between = iou_matrix(centres, centres, size) - 2 * np.eye(len(centres))
        assert between.max() <= threshold
        ious = iou_matrix(pixels, centres, size)
        better = score[tuple(centres.T)] >= score[tuple(pixels.T)][:, None]
        kept = (pixels[:, None] == centres).all(-1)
        assert (kept | ((ious > threshold) & better)).any(1).all()


def test_greedy_best_first_and_scattered_among_equals():
    for index, mask in enumerate(random_masks(200, seed=2)):
        score = boundary_by_definition(mask)
        if mask.all() or not mask.any():
            continue
        size, threshold = options(index)
        rows, columns = np.argwhere(score).T
        top, left, width = rows.min(), columns.min(), np.ptp(columns) + 1

        def place(pixel, score=score, top=top, left=left, width=width):
            position = int((pixel[0] - top) * width + pixel[1] - left)
            return -score[pixel], position * 2654435769 % 2**32

        left_over = sorted(map(tuple, np.argwhere(score)), key=place)
        expected = []
        while left_over:
            expected.append(left_over.pop(0))
            pixels = np.array(left_over).reshape(-1, 2)
            ious = iou_matrix(pixels, np.array(expected[-1:]), size)[:, 0]
            left_over = [p for p, iou in zip(left_over, ious, strict=True) if iou <= threshold]
        found = box_centres(mask.view(np.uint8), size, threshold)
        np.testing.assert_array_equal(found, expected)


def test_every_boundary_pixel_is_in_a_box_from_a_threshold_of_a_third_on():
    """Below, a suppressed pixel may lie up to 0.6 patches from the box that suppressed it."""
    for mask in random_masks(300, seed=3):
        if mask.all():
            continue
        covered = np.zeros(mask.shape, bool)
        for x1, y1, x2, y2 in propose_boxes(mask, 16, 0.34):
            covered[y1:y2, x1:x2] = True
        assert covered[boundary_by_definition(mask) > 0].all()


def test_boxes_touch_the_last_row_and_column():
    mask = np.zeros((90, 70), bool)
    mask[60:, 40:] = True
    boxes = propose_boxes(mask, 32, 0.25)
    assert boxes[:, 2].max() == 70
    assert boxes[:, 3].max() == 90


@pytest.mark.parametrize('value', [False, True])
def test_no_boundary_no_boxes(value):
    assert propose_boxes(np.full((30, 40), value)).shape == (0, 4)


def test_one_pixel_in_an_image_smaller_than_a_patch():
    mask = np.zeros((20, 50), np.uint8)
    mask[10, 25] = 255
    np.testing.assert_array_equal(propose_boxes(mask, 64), [[0, 0, 50, 20]])


def test_drawn_boxes():
    # A bar of two pixels: the two are surrounded most evenly, 2 of 9, and suppress the rest.
    mask = np.zeros((20, 30), bool)
    mask[5, 6:8] = True
    boxes = propose_boxes(mask, 8, 0.25)
    assert boxes.tolist() in ([[2, 1, 10, 9]], [[3, 1, 11, 9]], [[2, 0, 10, 8]], [[3, 0, 11, 8]])


def test_boxes_are_moved_inside():
    centres = np.array([[0, 0], [9, 19], [5, 10]])
    expected = [[0, 0, 4, 4], [16, 6, 20, 10], [8, 3, 12, 7]]
    np.testing.assert_array_equal(boxes_around(centres, 4, (10, 20)), expected)


def test_more_boxes_at_higher_thresholds():
    mask = np.zeros((300, 400), bool)
    mask[100:220, 90:300] = True
    numbers = [len(propose_boxes(mask, 64, t)) for t in (0.0, 0.15, 0.25, 0.55)]
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[-1]


@pytest.mark.parametrize('dtype', ['uint8', 'int16', 'int64', 'uint16'])
def test_any_value_but_zero_is_object(dtype):
    mask = next(random_masks(2, seed=5)) | np.eye(1, dtype=bool)
    expected = propose_boxes(mask, 8)
    np.testing.assert_array_equal(propose_boxes(mask.astype(dtype) * 100, 8), expected)


def test_tensor_in_tensor_out():
    mask = np.zeros((40, 30), bool)
    mask[10:20, 5:25] = True
    boxes = propose_boxes(torch.from_numpy(mask), 8)
    assert isinstance(boxes, torch.Tensor)
    np.testing.assert_array_equal(boxes.numpy(), propose_boxes(mask, 8))


def test_the_mask_is_left_alone():
    mask = np.eye(20, 30, dtype=np.uint8)
    before = mask.copy()
    propose_boxes(mask, 8)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize(
    ('mask', 'size', 'threshold', 'error', 'text'),
    [
        (np.zeros((4, 5), np.float32), 64, 0.25, TypeError, 'integer dtype'),
        (np.zeros((2, 4, 5), bool), 64, 0.25, ValueError, r'shape \(H, W\)'),
        (np.zeros((4, 5), bool), 0, 0.25, ValueError, 'at least 1 pixel, got 0'),
        (np.zeros((4, 5), bool), 6.5, 0.25, TypeError, 'integer, got 6.5'),
        (np.zeros((4, 5), bool), 64, 1.5, ValueError, 'between 0 and 1, got 1.5'),
    ],
)
def test_wrong_input_is_named(mask, size, threshold, error, text):
    with pytest.raises(error, match=text):
        propose_boxes(mask, size, threshold)
