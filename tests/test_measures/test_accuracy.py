import math

import cv2
import numpy as np
import pytest

from mmrefine.measures import mean_boundary_accuracy, total
from mmrefine.measures.accuracy import band_radii

from .drawing import VOID, blobs, draw


def plain_mba(prediction, target, classes, void_boundary):
    """Class by class with OpenCV's gradient, as the released code computes it."""
    void = target == VOID
    accuracy = []
    for step in range(5):
        radius = 1 + int((sum(target.shape) / 300 - 1) / 5 * step)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        band = np.zeros(target.shape, bool)
        for c in classes:
            mask = (target == c).astype(np.uint8)
            if void_boundary:
                band |= cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, kernel) > 0
            else:  # erosion over the pixels that count only
                solid = mask | void.astype(np.uint8)
                band |= (cv2.dilate(mask, kernel) > 0) & ~(cv2.erode(solid, kernel) > 0)
        band &= ~void
        accuracy.append((prediction == target)[band].mean() if band.any() else np.nan)
    return np.nanmean(accuracy) if not np.isnan(accuracy).all() else np.nan


@pytest.mark.parametrize('void_boundary', [False, True])
@pytest.mark.parametrize('size_hw', [(37, 52), (700, 450)])
def test_label_maps_as_in_the_released_code(size_hw, void_boundary):
    rng = np.random.default_rng(2)
    grain = 5 if size_hw[0] < 100 else 60
    target = blobs(rng, size_hw, 4, void=0.2, grain=grain)
    prediction = np.where(rng.random(size_hw) < 0.8, target, 1).astype(np.uint8)
    counts = mean_boundary_accuracy(prediction, target, 4, void_boundary=void_boundary)
    expected = plain_mba(prediction, target, range(4), void_boundary)
    assert 0.5 < expected < 1
    assert counts.figures()['mba'] == pytest.approx(expected)


def test_masks_count_both_sides():
    rng = np.random.default_rng(3)
    target = blobs(rng, (310, 455), 2, grain=40)
    prediction = np.where(rng.random(target.shape) < 0.9, target, 1 - target)
    counts = mean_boundary_accuracy(prediction.astype(bool), target.astype(bool))
    assert counts.figures()['mba'] == pytest.approx(plain_mba(prediction, target, [1], True))


def test_drawn():
    target = draw("""
        ...11
        ...11
        ...11""")
    prediction = draw("""
        ..111
        ...11
        .1.11""")
    # Radius 1 for so small an image: the band is columns 2 and 3; one of six pixels is wrong.
    figures = mean_boundary_accuracy(prediction > 0, target > 0).figures()
    assert figures['mba'] == pytest.approx(5 / 6)


@pytest.mark.parametrize('value', [False, True])
def test_no_boundary_gives_no_figure_and_does_not_count(value):
    flat = np.full((6, 9), value)
    box = np.zeros((6, 9), bool)
    box[2:4, 0:5] = True
    alone = mean_boundary_accuracy(box, flat)
    assert math.isnan(alone.figures()['mba'])
    with_box = total([alone, mean_boundary_accuracy(box, box)])
    assert with_box.figures()['mba'] == 1
    np.testing.assert_array_equal(with_box.per_image(), [np.nan, 1])


def test_average_is_over_images():
    box = np.zeros((6, 9), bool)
    box[2:4, 0:5] = True
    large = np.kron(box, np.ones((9, 9), bool))
    wrong = mean_boundary_accuracy(~large, large)
    right = mean_boundary_accuracy(box, box)
    assert total([right, wrong]).figures()['mba'] == 0.5
    assert total([wrong, right]).figures()['mba'] == 0.5


def test_radii_of_the_paper():
    assert band_radii((1024, 2048)) == [1, 2, 4, 6, 8]
    assert band_radii((2048, 1024)) == [1, 2, 4, 6, 8]
    assert band_radii((50, 70)) == [1, 1, 1, 1, 1]
