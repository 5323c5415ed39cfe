import math

import numpy as np
import pytest
from hypothesis import given, settings

from mmrefine.measures import boundary_upper_bound, correct_near_boundary, region_iou

from .drawing import VOID, draw, map_pairs


def test_correction_drawn():
    target = draw("""
        ..1111
        ..1111
        ...#11""")
    prediction = draw("""
        ....11
        .....1
        1...11""")
    corrected = draw("""
        ...111
        ....11
        ....11""")
    np.testing.assert_array_equal(correct_near_boundary(prediction, target, 1), corrected)
    np.testing.assert_array_equal(correct_near_boundary(prediction, target, 0), prediction)
    everywhere = correct_near_boundary(prediction, target, math.inf)
    np.testing.assert_array_equal(everywhere, np.where(target == VOID, prediction, target))


def test_correction_of_masks():
    target = draw('.1111.').astype(bool)
    prediction = draw('...1..').astype(bool)
    expected = draw('..111.').astype(bool)
    corrected = correct_near_boundary(prediction, target, 1)
    assert corrected.dtype == np.bool_
    np.testing.assert_array_equal(corrected, expected)


@pytest.mark.parametrize('value', [False, True])
def test_a_prediction_without_a_boundary_stays_as_it_is(value):
    target = np.zeros((4, 9), bool)
    target[:2, 3:] = True
    flat = np.full((4, 9), value)
    np.testing.assert_array_equal(correct_near_boundary(flat, target, math.inf), flat)
    figures = boundary_upper_bound(flat, target, (1, 3)).figures()
    np.testing.assert_allclose(figures['miou'], [12 / 36 if value else 0] * 3)


@settings(max_examples=80, deadline=None)
@given(map_pairs())
def test_figures_are_those_of_the_corrected_maps(maps):
    prediction, target = maps
    figures = boundary_upper_bound(prediction, target, (1, 2, 5), 4).figures()
    np.testing.assert_array_equal(figures['distances'], [0, 1, 2, 5])
    for k, distance in enumerate((0, 1, 2, 5)):
        corrected = correct_near_boundary(prediction, target, distance)
        expected = region_iou(corrected, target, 4).figures()
        np.testing.assert_array_equal(figures['iou_per_class'][k], expected['iou_per_class'])
        np.testing.assert_array_equal(figures['miou'][k], expected['miou'])


def test_bad_distances():
    flat = np.zeros((3, 4), bool)
    with pytest.raises(ValueError, match='distances: must be positive and increasing'):
        boundary_upper_bound(flat, flat, (0, 1))
    with pytest.raises(ValueError, match='distance: must be at least 0, got -1'):
        correct_near_boundary(flat, flat, -1)
