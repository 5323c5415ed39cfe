"""Boxes of label pieces against scipy's connected components."""

import numpy as np
import pytest
from scipy.ndimage import find_objects, label

from mmrefine.ops import label_boxes as module
from mmrefine.ops.label_boxes import LabelBox, label_boxes


def boxes_by_scipy(labels, ignore_index):
    boxes = []
    for value in np.unique(labels[labels != ignore_index]):
        for rows, columns in find_objects(label(labels == value, np.ones((3, 3)))[0]):
            boxes.append(LabelBox(value, rows.start, rows.stop, columns.start, columns.stop))
    return boxes


@pytest.mark.parametrize('seed', range(60))
def test_one_box_for_every_connected_piece(seed, monkeypatch):
    monkeypatch.setattr(module, 'CALL_COST', -(10**9))  # never put pieces together
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rng.integers(1, 12, 2))
    assert sorted(label_boxes(labels, 0)) == sorted(boxes_by_scipy(labels, 0))


def test_pieces_touch_diagonally_but_not_around_the_end_of_a_row():
    labels = np.array([[1, 0, 0, 2], [0, 1, 0, 0], [2, 0, 0, 0]])
    apart = [LabelBox(1, 0, 2, 0, 2), LabelBox(2, 0, 1, 3, 4), LabelBox(2, 2, 3, 0, 1)]
    assert boxes_by_scipy(labels, 0) == apart
    assert sorted(label_boxes(labels, 0)) == [LabelBox(1, 0, 2, 0, 2), LabelBox(2, 0, 3, 0, 4)]


def test_noise_gets_one_box_for_each_label():
    labels = np.random.default_rng(0).integers(0, 3, (40, 50))
    assert len(label_boxes(labels, 255)) == 3


def test_far_small_pieces_get_their_own_boxes():
    labels = np.zeros((100, 200), np.uint16)
    labels[1:4, 2:9] = labels[90:99, 180:200] = 60_000
    assert label_boxes(labels, 0) == [
        LabelBox(60_000, 1, 4, 2, 9),
        LabelBox(60_000, 90, 99, 180, 200),
    ]


def test_nothing_but_ignored():
    assert label_boxes(np.zeros((3, 5), int), 0) == []


def test_grown_box_is_cut_at_the_image():
    image = np.arange(48).reshape(6, 8)
    for box in (LabelBox(0, 1, 3, 0, 2), LabelBox(0, 4, 6, 6, 8), LabelBox(0, 2, 4, 3, 5)):
        outer, inner = box.grown(2)
        np.testing.assert_array_equal(image[outer][inner], image[box.window()])
        assert image[outer].shape == tuple(
            min(high + 2, size) - max(low - 2, 0)
            for low, high, size in ((box.top, box.bottom, 6), (box.left, box.right, 8))
        )
