import math

import cv2
import numpy as np
import pytest
from faster_coco_eval import mask as coco_mask
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as rle
from scipy.ndimage import binary_erosion

from mmrefine.measures import boundary_iou, total

from .drawing import VOID, blobs, draw, map_pairs

# pycocotools 2.0 on numpy 2.
pytestmark = pytest.mark.filterwarnings('ignore:__array__ implementation')


def plain_band(labels, c, width, void=None):
    """Inner band of class c: the class, less its erosion; the image border is contour."""
    mask = labels == c
    solid = mask if void is None else mask | void  # ignored pixels do not eat into the class
    inside = binary_erosion(np.pad(solid, 1), np.ones((3, 3)), iterations=width)
    return mask & ~inside[1:-1, 1:-1]


def plain_iou(prediction, target, width, num_classes, void_boundary):
    void = target == VOID
    prediction, target = (np.where(void, 99, m) for m in (prediction, target))
    iou = []
    for c in range(num_classes):
        p, t = (
            plain_band(m, c, width, None if void_boundary else void) for m in (prediction, target)
        )
        iou.append((p & t).sum() / (p | t).sum() if (p | t).any() else np.nan)
    return np.array(iou)


@settings(max_examples=150, deadline=None)
@given(map_pairs(), st.sampled_from([0.01, 0.1, 0.3, 1.0]), st.booleans())
def test_label_maps_by_the_plain_definition(maps, ratio, void_boundary):
    prediction, target = maps
    width = max(1, round(ratio * math.hypot(*target.shape)))
    figures = boundary_iou(prediction, target, ratio, 4, void_boundary=void_boundary).figures()
    expected = plain_iou(prediction, target, width, 4, void_boundary)
    np.testing.assert_allclose(figures['boundary_iou_per_class'], expected)


@pytest.mark.parametrize('ratio', [0.02, 0.005, 0.1])
@pytest.mark.parametrize('seed', range(4))
def test_masks_as_in_faster_coco_eval(ratio, seed):
    rng = np.random.default_rng(seed)
    # 1 pixel of 0.02 would hide the width; a large H != W image gives 3 and more.
    masks = [blobs(rng, (117, 163), 2, grain=23).astype(bool) for _ in range(2)]
    masks[0] = np.where(rng.random(masks[0].shape) < 0.95, masks[1], masks[0])
    bands = []
    for mask in masks:
        coded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
        bands.append(rle.decode(coco_mask.rleToBoundary(coded, ratio)).astype(bool))
    counts = boundary_iou(*masks, ratio)
    assert counts.intersection.item() == (bands[0] & bands[1]).sum()
    assert counts.predicted.item() == bands[0].sum()
    assert counts.target.item() == bands[1].sum()


def test_band_drawn():
    target = draw("""
        .......
        .11111.
        .11111.
        .11111.
        .......""").astype(bool)
    prediction = draw("""
        .......
        .1111..
        .1111..
        .1111..
        .......""").astype(bool)
    # Width 1: the true band is the block less (2, 2)-(2, 4), the predicted one less (2, 2), (2, 3).
    counts = boundary_iou(prediction, target, 0.02)
    assert (counts.target.item(), counts.predicted.item()) == (12, 10)
    assert counts.intersection.item() == 9
    assert counts.figures()['boundary_iou'] == 9 / 13


@pytest.mark.parametrize(
    ('predicted', 'true', 'expected'), [(0, 0, math.nan), (0, 1, 0), (1, 0, 0), (1, 1, 1)]
)
def test_empty_and_full_masks(predicted, true, expected):
    masks = [np.full((40, 70), bool(value)) for value in (predicted, true)]
    counts = boundary_iou(*masks, 0.02)
    np.testing.assert_equal(counts.figures()['boundary_iou'], expected)
    # The image border is contour: a full mask has a band along it, 2 px wide here.
    assert counts.target.item() == (40 * 70 - 36 * 66 if true else 0)


def test_many_classes_and_wide_dtypes():
    rng = np.random.default_rng(1)
    prediction, target = (
        blobs(rng, (30, 41), 250, grain=5).astype(np.uint16) * 2 for _ in range(2)
    )
    prediction[::3] = target[::3]
    figures = boundary_iou(prediction, target, 0.05, 500, ignore_index=65535).figures()
    small = boundary_iou(prediction // 2, target // 2, 0.05, 250, ignore_index=65535).figures()
    np.testing.assert_array_equal(
        figures['boundary_iou_per_class'][::2], small['boundary_iou_per_class']
    )
    assert figures['boundary_iou'] == small['boundary_iou']


def test_dataset_pools_pixels():
    rng = np.random.default_rng(4)
    pairs = [(blobs(rng, (23, 31), 3), blobs(rng, (23, 31), 3, 0.1)) for _ in range(5)]
    parts = [boundary_iou(p, t, 0.02, 3) for p, t in pairs]
    figures = total(parts).figures()['boundary_iou_per_class']
    expected = sum(c.intersection for c in parts) / sum(
        c.predicted + c.target - c.intersection for c in parts
    )
    np.testing.assert_array_equal(figures, expected)
    np.testing.assert_array_equal(total(parts[::-1]).figures()['boundary_iou_per_class'], figures)


def test_more_pixels_than_float32_can_count(monkeypatch):
    # The histogram is taken in blocks; a tall map of several blocks gives the same.
    rng = np.random.default_rng(6)
    target = blobs(rng, (64, 9), 3)
    expected = boundary_iou(target, target, 0.02, 3)
    calls = []
    original = cv2.calcHist
    monkeypatch.setattr('mmrefine.measures.label_maps.BLOCK', 9 * 10)
    monkeypatch.setattr(cv2, 'calcHist', lambda *args: calls.append(1) or original(*args))
    counts = boundary_iou(target, target, 0.02, 3)
    assert len(calls) == 3 * 7
    np.testing.assert_array_equal(counts.target, expected.target)
    np.testing.assert_array_equal(counts.target.sum(), expected.target.sum())


@pytest.mark.parametrize('ratio', [0, -0.1, float('nan'), float('inf')])
def test_bad_ratio(ratio):
    with pytest.raises(ValueError, match='dilation_ratio: must be positive'):
        boundary_iou(np.zeros((3, 4), bool), np.zeros((3, 4), bool), ratio)
