"""Coarse masks out of good ones."""

import cv2
import numpy as np
import pytest
import torch

from mmrefine.ops import degrade

from .random_masks import random_masks


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)


def star(height=150, width=220):
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    radii = np.tile([60, 35], 10)
    points = np.stack([110 + radii * np.cos(angles), 75 + radii * np.sin(angles)], 1)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
    return mask.astype(bool)


def test_masks_of_all_kinds_stay_above_the_iou():
    rng = np.random.default_rng(0)
    for index, mask in enumerate(random_masks(400)):
        least = (0.5, 0.8)[index % 2]
        coarse = degrade(mask, rng, min_iou=least)
        assert coarse.shape == mask.shape
        assert coarse.dtype == bool
        assert (coarse == mask).all() or iou(coarse, mask) > least


def test_errors_are_those_of_a_mask_head():
    """Wrong on both sides of the edge, near it, and differently each time."""
    mask, rng = star(), np.random.default_rng(1)
    coarse = [degrade(mask, rng) for _ in range(30)]
    ious = [iou(c, mask) for c in coarse]
    assert 0.7 < np.mean(ious) < 0.95
    assert np.std(ious) > 0.005
    assert all((c & ~mask).any() and (mask & ~c).any() for c in coarse)
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    assert max((inside + outside)[c != mask].max() for c in coarse) < 35


def test_strength_zero_loses_resolution_only():
    mask = star()
    plain = degrade(mask, np.random.default_rng(2), strength=0)
    strong = degrade(mask, np.random.default_rng(2), strength=2)
    assert iou(strong, mask) < iou(plain, mask) < 1
    assert iou(degrade(mask, np.random.default_rng(2), strength=0, grid=112), mask) > 0.97


def test_same_seed_same_mask():
    mask = star()
    first, second = (degrade(mask, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_values_and_kind_of_array_are_kept():
    mask = star().astype(np.uint8) * 255
    coarse = degrade(mask, np.random.default_rng(4))
    assert coarse.dtype == np.uint8
    assert set(np.unique(coarse)) == {0, 255}
    tensor = degrade(torch.from_numpy(mask), np.random.default_rng(4))
    np.testing.assert_array_equal(tensor.numpy(), coarse)
    assert degrade(torch.from_numpy(mask > 0), np.random.default_rng(4)).dtype == torch.bool


def test_an_object_cut_off_by_the_border_still_reaches_it():
    mask = np.zeros((100, 140), bool)
    mask[40:, :60] = True
    coarse = degrade(mask, np.random.default_rng(5), strength=0)
    assert coarse[-1, :50].all()
    assert coarse[50:, 0].all()


def test_an_empty_mask_comes_back():
    assert not degrade(np.zeros((10, 12), bool), np.random.default_rng(0)).any()


@pytest.mark.parametrize('wrong', [{'strength': -1}, {'grid': 1}, {'min_iou': 1.0}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(ValueError, match='expected strength >= 0, grid >= 2'):
        degrade(star(), np.random.default_rng(0), **wrong)


def test_a_mask_of_minus_one_on_zero_keeps_its_object():
    mask = np.zeros((48, 64), np.int8)
    mask[12:36, 20:44] = -1
    coarse = degrade(mask, np.random.default_rng(0))
    assert set(np.unique(coarse)) == {-1, 0}
    assert np.count_nonzero((coarse != 0) & (mask != 0)) > 0.5 * np.count_nonzero(mask)
