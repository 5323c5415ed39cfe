"""One move for a whole mask."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrefine.ops.mask_moves import Move, fit_move, moved

SIZE = (90, 120)


def blob(x=60, y=45, axes=(30, 18), angle=20):
    drawn = np.zeros(SIZE, np.uint8)
    cv2.ellipse(drawn, (x, y), axes, angle, 0, 360, 1, -1)
    return drawn > 0


def certain(mask):
    """Probabilities of an edge that is seen well."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.7)


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_growth_and_shift_of_a_square():
    square = np.zeros(SIZE, bool)
    square[30:60, 40:80] = True
    grown = moved(square, Move(3, 0, 0))
    rows, columns = np.nonzero(grown)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (27, 62, 37, 82)
    shifted = moved(square, Move(0, 5, -2))
    np.testing.assert_array_equal(shifted, np.roll(square, (-2, 5), (0, 1)))
    np.testing.assert_array_equal(moved(grown, Move(-3, 0, 0)), square)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 180), st.integers(16, 30)
)
def test_a_move_is_found_again(growth, right, down, angle, long_axis):
    truth = blob(axes=(long_axis, 14), angle=angle)
    coarse = moved(truth, Move(-growth, -right, -down))
    found = fit_move(coarse, certain(truth))
    assert iou(moved(coarse, found), truth) > 0.92


def test_places_without_an_edge_follow_the_others():
    truth = blob()
    coarse = moved(truth, Move(0, 4, 0))
    found = certain(truth)
    # in the lower half nothing is seen: flat, and on the side of the coarse mask
    found[45:] = np.where(coarse[45:], 0.55, 0.45)
    after = moved(coarse, fit_move(coarse, found))
    assert iou(after, truth) > 0.93 > 0.9 > iou(coarse, truth)


def test_places_that_went_elsewhere_count_little():
    truth = blob()
    coarse, found = moved(truth, Move(3, 0, 0)), certain(truth)
    found[:, 80:] = certain(moved(truth, Move(9, 0, 0)))[:, 80:]  # some, to something else
    assert iou(moved(coarse, fit_move(coarse, found)), truth) > 0.94


@pytest.mark.parametrize('mask', [np.zeros(SIZE, bool), np.ones(SIZE, bool)])
def test_nothing_to_move(mask):
    assert fit_move(mask, certain(blob())) == Move(0, 0, 0)
    assert fit_move(blob(), certain(mask)) == Move(0, 0, 0)
    np.testing.assert_array_equal(moved(mask, Move(2, 1, 0)), mask)


def test_at_the_border_a_mask_goes_on():
    half = np.zeros(SIZE, bool)
    half[:, 50:] = True
    after = moved(half, Move(0, -3, 0))
    assert after[:, 47:].all()
    assert not after[:, :47].any()
    truth = moved(half, Move(4, 0, 0))
    assert iou(moved(half, fit_move(half, certain(truth))), truth) > 0.98


def test_thin_parts_stay():
    drawn = np.zeros(SIZE, bool)
    drawn[20:70, 20:70] = True
    drawn[54:57, 70:110] = True  # a handle of 3 px
    drawn[38:40, 35:55] = False  # a slit
    shrunk = moved(drawn, Move(-4, 0, 0))
    assert shrunk[54:57, 80:110].all()
    assert not shrunk[20:24, 30:60].any()
    grown = moved(drawn, Move(4, 0, 0))
    assert not grown[38:40, 45].any()
    assert grown[16:20, 30:60].all()
