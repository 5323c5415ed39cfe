import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmseg.evaluation import IoUMetric
from torch import from_numpy

from mmrefine.measures import (
    error_by_distance,
    region_iou,
    total,
    trimap_iou,
    true_boundary_distance,
)
from mmrefine.measures.distance import band_of, squared_boundary_distance

from .drawing import VOID, blobs, draw, map_pairs


def plain_distance(labels, void_boundary):
    """Distance to the nearest pixel with another label, by comparing all pixels with all."""
    height, width = labels.shape
    ys, xs = np.mgrid[:height, :width].reshape(2, -1)
    flat = labels.ravel()
    distance = np.hypot(ys[:, None] - ys, xs[:, None] - xs)
    other = flat[:, None] != flat
    if not void_boundary:
        other &= flat != VOID
    distance[~other] = np.inf
    nearest = distance.min(axis=1)
    nearest[flat == VOID] = np.inf
    return nearest.reshape(height, width)


@settings(max_examples=150, deadline=None)
@given(map_pairs(num_classes=6), st.booleans(), st.sampled_from([1, 2.5, 6, 200, math.inf]))
def test_distance_is_the_brute_force_one(maps, void_boundary, limit):
    target = maps[1]
    ignored = target == VOID
    labels = np.where(ignored, 6, target)
    squared = squared_boundary_distance(
        labels, limit, ignored if ignored.any() else None, void_boundary
    )
    expected = np.round(plain_distance(target, void_boundary) ** 2)
    found = expected <= limit**2
    found &= np.isfinite(expected)
    np.testing.assert_array_equal(squared[found], expected[found])
    if math.isfinite(limit):
        assert (squared[~found] > limit**2).all()


def test_distance_drawn():
    labels = draw("""
        ...11
        ...11
        ....2""")
    expected = [[9, 4, 1, 1, 4], [9, 4, 1, 1, 1], [10, 5, 2, 1, 1]]
    np.testing.assert_array_equal(squared_boundary_distance(labels, 5), expected)
    np.testing.assert_array_equal(band_of(np.array(expected[2]), (1, 1.5, 3)), [3, 2, 1, 0, 0])
    assert (squared_boundary_distance(np.zeros((3, 5), np.uint8), 9) > 81).all()


def test_distance_over_several_blocks(monkeypatch):
    labels = blobs(np.random.default_rng(9), (40, 17), 3, grain=6)
    expected = squared_boundary_distance(labels, 12)
    monkeypatch.setattr('mmrefine.measures.distance.BLOCK', 3 * 17)
    np.testing.assert_array_equal(squared_boundary_distance(labels, 12), expected)


@settings(max_examples=50, deadline=None)
@given(map_pairs())
def test_region_counts_are_those_of_mmseg(maps):
    prediction, target = maps
    tensors = [from_numpy(m.astype(np.int64)) for m in maps]
    right, union, predicted, truth = IoUMetric.intersect_and_union(*tensors, 4, VOID)
    counts = region_iou(prediction, target, 4)
    np.testing.assert_array_equal(np.diagonal(counts.confusion), right.numpy())
    np.testing.assert_array_equal(counts.confusion[:, :-1].sum(0), predicted.numpy())
    np.testing.assert_array_equal(counts.confusion.sum(1), truth.numpy())
    figures = counts.figures()
    with np.errstate(invalid='ignore'):
        np.testing.assert_allclose(figures['iou_per_class'], (right / union).numpy(), rtol=1e-6)


def test_region_figures_drawn():
    target = draw("""
        ..11#
        ..11#""")
    prediction = draw("""
        .#113
        ....1""")
    figures = region_iou(prediction, target, 4).figures()
    np.testing.assert_allclose(figures['iou_per_class'], [3 / 6, 2 / 4, np.nan, np.nan])
    assert figures['miou'] == 0.5
    assert figures['accuracy'] == 5 / 8
    assert figures['mean_accuracy'] == pytest.approx((3 / 4 + 2 / 4) / 2)


@pytest.mark.parametrize(
    ('predicted', 'true', 'expected'), [(0, 0, math.nan), (0, 1, 0), (1, 0, 0), (1, 1, 1)]
)
def test_iou_of_empty_and_full_masks(predicted, true, expected):
    masks = [np.full((3, 7), value, bool) for value in (predicted, true)]
    np.testing.assert_equal(region_iou(*masks).figures()['miou'], expected)


def test_everything_ignored():
    target = np.full((3, 7), VOID, np.uint8)
    figures = region_iou(np.zeros_like(target), target, 2).figures()
    assert math.isnan(figures['miou'])
    assert math.isnan(figures['accuracy'])
    trimap = trimap_iou(np.zeros_like(target), target, (1, 2), 2).figures()
    assert np.isnan(trimap['miou_inside']).all()
    assert np.isnan(trimap['miou_outside']).all()


def plain_iou(prediction, target, where, num_classes):
    iou = []
    for c in range(num_classes):
        p, t = (prediction == c) & where, (target == c) & where
        iou.append((p & t).sum() / (p | t).sum() if (p | t).any() else np.nan)
    return iou


@settings(max_examples=100, deadline=None)
@given(map_pairs(), st.booleans())
def test_trimap_is_iou_inside_and_outside_the_band(maps, void_boundary):
    prediction, target = maps
    widths = (1, 1.5, 2, 5)
    figures = trimap_iou(prediction, target, widths, 4, void_boundary=void_boundary).figures()
    distance = np.round(plain_distance(target, void_boundary), 6)
    for k, width in enumerate(widths):
        inside = (distance <= width) & (target != VOID)
        outside = (distance > width) & (target != VOID)
        for name, where in (('inside', inside), ('outside', outside)):
            expected = plain_iou(prediction, target, where, 4)
            np.testing.assert_allclose(figures[f'iou_{name}_per_class'][k], expected)


def test_trimap_drawn():
    target = draw("""
        ....1111
        ....1111""")
    prediction = draw("""
        ..111111
        ....1111""")
    figures = trimap_iou(prediction, target, (1, 2), 2).figures()
    # Width 1: columns 3 and 4; one of two class-0 pixels wrong.
    np.testing.assert_allclose(figures['iou_inside_per_class'], [[1 / 2, 2 / 3], [2 / 4, 4 / 6]])
    np.testing.assert_allclose(figures['iou_outside_per_class'], [[5 / 6, 6 / 7], [1, 1]])
    np.testing.assert_allclose(figures['miou_outside'], [(5 / 6 + 6 / 7) / 2, 1])
    np.testing.assert_array_equal(figures['widths'], [1, 2])


def test_trimap_around_ignored_pixels_on_request():
    target = draw('..##11')
    prediction = draw('.11111')
    assert np.isnan(trimap_iou(prediction, target, 1, 2).figures()['miou_inside']).all()
    around_void = trimap_iou(prediction, target, 1, 2, void_boundary=True).figures()
    np.testing.assert_allclose(around_void['iou_inside_per_class'], [[0, 1 / 2]])


@pytest.mark.parametrize('width', [0, -1, (), (2, 1), (1, 1), float('nan')])
def test_bad_widths(width):
    with pytest.raises(ValueError, match='width: must be positive and increasing'):
        trimap_iou(np.zeros((2, 3), bool), np.zeros((2, 3), bool), width)


def test_totals_equal_one_big_image():
    rng = np.random.default_rng(2)
    pairs = [(blobs(rng, (9, 13), 3), blobs(rng, (9, 13), 3, 0.1)) for _ in range(6)]
    wide = [np.concatenate([pair[k] for pair in pairs], axis=1) for k in (0, 1)]
    summed = total(region_iou(p, t, 3) for p, t in pairs)
    np.testing.assert_array_equal(summed.confusion, region_iou(*wide, 3).confusion)
    # A column of ignored pixels 20 wide keeps the images apart for the trimap.
    gap = np.full((9, 20), VOID, np.uint8)
    apart = [np.concatenate([m for p in pairs for m in (p[k], gap)], axis=1) for k in (0, 1)]
    summed = total(trimap_iou(p, t, (1, 3), 3) for p, t in pairs)
    np.testing.assert_array_equal(summed.right, trimap_iou(*apart, (1, 3), 3).right)


def test_errors_by_distance_drawn():
    target = draw("""
        ....1111#
        ....1111#""")
    prediction = draw("""
        1.111111.
        ......111""")
    # Distances 4 3 2 1 | 1 2 3 4 in both rows; wrong: 4, 2, 1 in the upper, 1, 2 in the lower.
    counts = error_by_distance(prediction, target, (1, 2, 3), 2)
    np.testing.assert_array_equal(counts.wrong, [2, 2, 0, 1])
    np.testing.assert_array_equal(counts.pixels, [4, 4, 4, 4])
    figures = counts.figures()
    np.testing.assert_allclose(figures['error_rate'], [0.5, 0.5, 0, 0.25])
    np.testing.assert_allclose(figures['share_of_errors'], [0.4, 0.4, 0, 0.2])
    masks = error_by_distance(prediction[:, :8] > 0, target[:, :8] > 0, (1, 2, 3))
    np.testing.assert_array_equal(masks.wrong, counts.wrong)
    np.testing.assert_array_equal(masks.pixels, counts.pixels)


@settings(max_examples=50, deadline=None)
@given(map_pairs(), st.booleans())
def test_errors_by_distance_are_all_wrong_pixels(maps, void_boundary):
    prediction, target = maps
    counts = error_by_distance(prediction, target, (1, 2, 4), 4, void_boundary=void_boundary)
    counted = target != VOID
    wrong = (prediction != target) & counted
    distance = np.round(plain_distance(target, void_boundary), 6)
    for k, (low, high) in enumerate([(0, 1), (1, 2), (2, 4), (4, np.inf)]):
        where = (distance > low) & (distance <= high)
        assert counts.wrong[k] == (wrong & where).sum()
        assert counts.pixels[k] == (counted & where).sum()


def test_errors_without_a_boundary_or_without_errors():
    flat = np.zeros((4, 7), np.uint8)
    wrong = error_by_distance(flat + 1, flat, (1, 2), 2).figures()
    np.testing.assert_array_equal(wrong['wrong'], [0, 0, 28])
    right = error_by_distance(flat, flat, (1, 2), 2).figures()
    assert np.isnan(right['share_of_errors']).all()


@pytest.mark.parametrize('void_boundary', [False, True])
def test_distance_shared_between_predictions(void_boundary):
    rng = np.random.default_rng(4)
    target = blobs(rng, (21, 34), 3, 0.1)
    shared = true_boundary_distance(target, 7, 3, void_boundary=void_boundary)
    for _ in range(2):
        prediction = blobs(rng, (21, 34), 3)
        settings = {'num_classes': 3, 'void_boundary': void_boundary}
        expected = trimap_iou(prediction, target, (1, 3, 6), **settings)
        counts = trimap_iou(prediction, target, (1, 3, 6), **settings, distance=shared)
        for name in ('right', 'predicted', 'target', 'wrong', 'pixels'):
            np.testing.assert_array_equal(getattr(counts, name), getattr(expected, name))


def test_distance_that_does_not_fit():
    target = np.zeros((4, 6), np.uint8)
    with pytest.raises(ValueError, match=r'reach 9 px, got \(4, 6\) and 8 px'):
        trimap_iou(target, target, 9, distance=true_boundary_distance(target, 8))
    with pytest.raises(ValueError, match=r'must be of \(4, 6\) .* got \(4, 5\)'):
        trimap_iou(target, target, 8, distance=true_boundary_distance(target[:, :5], 8))
