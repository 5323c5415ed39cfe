"""Which labels refining leaves alone."""

import numpy as np
import pytest
from mmseg.datasets import CityscapesDataset

from mmrefine.files.label_ids import (
    CITYSCAPES_CLASSES,
    check_class_range,
    ignored_pixels,
)

# Label ids of Cityscapes that its own evaluation ignores (labels.py of cityscapesscripts).
VOID = [0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30]


def test_cityscapes_classes_are_all_but_void():
    assert sorted([*CITYSCAPES_CLASSES, *VOID]) == list(range(34))
    assert len(CITYSCAPES_CLASSES) == len(CityscapesDataset.METAINFO['classes'])


def test_automatic_ignore_index_is_255_in_8_bit_maps_only():
    labels = np.array([[0, 255, 7]])
    assert ignored_pixels(labels.astype(np.uint8)).tolist() == [[False, True, False]]
    for dtype in (np.uint16, np.int32, np.int64):
        assert not ignored_pixels(labels.astype(dtype)).any(), 'instance 255 is an instance'
    assert not ignored_pixels(labels > 0).any()


def test_given_ignore_index():
    labels = np.array([[0, 255, 7]], np.uint8)
    assert not ignored_pixels(labels, None).any()
    assert ignored_pixels(labels, 0).tolist() == [[True, False, False]]
    assert ignored_pixels(labels.astype(np.uint16), 255).tolist() == [[False, True, False]]


def test_cityscapes_void_is_ignored():
    labels = np.array([[*VOID, 255], [*CITYSCAPES_CLASSES[:16]]], np.uint8)
    ignored = ignored_pixels(labels, label_ids='cityscapes')
    assert ignored[0].all()
    assert not ignored[1].any()


def test_cityscapes_instances_are_of_the_class_of_their_thousands():
    labels = np.array([[26001, 26, 29003, 7, 4, 24999]], np.uint16)
    expected = [[False, False, True, False, True, False]]
    assert ignored_pixels(labels, label_ids='cityscapes').tolist() == expected
    assert labels.tolist() == [[26001, 26, 29003, 7, 4, 24999]]


def test_class_range():
    labels = np.array([[0, 10, 255], [11, 12, 200]], np.uint8)
    check_class_range(labels, labels > 10, 11)
    with pytest.raises(ValueError, match=r'expected labels 0 to 10 or ignored, got 11, 12, 200$'):
        check_class_range(labels, labels == 255, 11)
    many = np.arange(20, dtype=np.int16)[None] - 1
    with pytest.raises(ValueError, match=r'got -1, 10, 11, 12, 13 and 5 more$'):
        check_class_range(many, np.zeros(many.shape, bool), 10)
