"""What averaged probabilities change: gains, ties, pixels off the boxes."""

import numpy as np
import pytest

from mmrefine.refiners.bpr_masks import LabelMapEdit, StackEdit

WHOLE = slice(0, 4), slice(0, 6)
ALL = np.ones((4, 6), bool)


def halves(*labels: int) -> np.ndarray:
    """A map of two labels side by side, 3 columns each."""
    return np.repeat(np.array(labels, np.uint8), 3)[None].repeat(4, 0)


def probability(left: float, right: float) -> np.ndarray:
    return np.repeat(np.array([left, right], np.float32), 3)[None].repeat(4, 0)


@pytest.mark.parametrize(('gain', 'changes'), [(0.29, True), (0.31, False)])
def test_label_maps_change_where_the_gain_is_more_than_asked_for(gain, changes):
    """In the right half label 1 has 0.65 and the own label 2 has 0.35."""
    covered = ALL.copy()
    covered[3, 5] = False  # so that label 2 does not vanish, which nothing may
    edit = LabelMapEdit(halves(1, 2), gain, None)
    edit.apply(1, WHOLE, probability(0.9, 0.65), covered)
    edit.apply(2, WHOLE, probability(0.1, 0.35), covered)
    edit.finish()
    expected = halves(1, 1 if changes else 2)
    expected[3, 5] = 2
    np.testing.assert_array_equal(edit.result, expected)


def test_a_pixel_off_the_boxes_of_its_label_keeps_it():
    """Nobody asked the network about it, however sure another label is."""
    covered = ALL.copy()
    covered[:2, 3:] = False
    edit = LabelMapEdit(halves(1, 2), 0.0, None)
    edit.apply(1, WHOLE, probability(0.9, 0.99), ALL)
    edit.apply(2, WHOLE, np.where(covered, 0.2, 0).astype(np.float32), covered)
    edit.finish()
    expected = halves(1, 1)
    expected[:2, 3:] = 2
    np.testing.assert_array_equal(edit.result, expected)


@pytest.mark.parametrize('inside', [True, False])
def test_only_a_mask_that_lies_in_its_window_whole_cannot_vanish_there(inside):
    """One that reaches out of it loses what is in it."""
    masks = np.zeros((1, 4, 6), np.uint8)
    masks[0, 1:3, 1:3] = 7
    masks[0, 1, 4] = 0 if inside else 7
    window = slice(0, 4), slice(0, 4)
    edit = StackEdit(masks, 0.0)
    edit.apply(0, window, np.zeros((4, 4), np.float32), np.ones((4, 4), bool))
    edit.finish()
    expected = masks.copy()
    if not inside:
        expected[0, :, :4] = 0
    np.testing.assert_array_equal(edit.result, expected)


@pytest.mark.parametrize('gain', [0.0, 0.25, 0.5, 1.0])
def test_the_own_label_wins_a_tie_in_both_kinds(gain):
    """A gain of exactly what is asked for changes nothing, a bit more does."""
    mask = np.hstack([halves(1, 0), [[1, 0]] * 4]).astype(np.uint8)  # neither can vanish
    for more in (0, 2**-20):
        sure, unsure = (1 + gain) / 2 + more, (1 - gain) / 2 - more
        object_probability = probability(unsure, sure)
        stack = StackEdit(mask[None], gain)
        stack.apply(0, WHOLE, object_probability, ALL)
        labels = LabelMapEdit(mask, gain, None)
        labels.apply(1, WHOLE, object_probability, ALL)
        labels.apply(0, WHOLE, 1 - object_probability, ALL)
        labels.finish()
        expected = mask.copy()
        if more:
            expected[WHOLE] = halves(0, 1)
        np.testing.assert_array_equal(stack.result[0], expected)
        np.testing.assert_array_equal(labels.result, expected)
