"""What refining would make vanish."""

import numpy as np
import pytest

from mmrefine.ops import vanished
from mmrefine.ops.vanished import keep_vanished


def test_drawn_label_map():
    coarse = np.array([[1, 1, 0, 3], [1, 2, 0, 9]])
    refined = np.array([[1, 1, 1, 0], [1, 1, 0, 0]])
    expected = np.array([[1, 1, 1, 3], [1, 2, 0, 0]])
    np.testing.assert_array_equal(keep_vanished(coarse, refined, 9), expected)


def test_giving_one_back_does_not_cost_another():
    coarse = np.array([[1, 2, 3]])
    refined = np.array([[2, 3, 3]])  # 1 is gone, and 2 lives on its pixel alone
    np.testing.assert_array_equal(keep_vanished(coarse, refined), [[1, 2, 3]])


@pytest.mark.parametrize('dtype', [np.uint8, np.int16, np.int64])
def test_no_label_is_ever_lost(dtype, monkeypatch):
    monkeypatch.setattr(vanished, 'BLOCK', 20)
    rng = np.random.default_rng(3)
    for _ in range(200):
        coarse = rng.integers(0, 12, (9, 7)).astype(dtype)
        refined = rng.choice(coarse.ravel(), coarse.shape)
        before = refined.copy()
        kept = keep_vanished(coarse, refined)
        assert set(np.unique(kept)) == set(np.unique(coarse))
        assert kept.dtype == dtype
        # Only what was lost is given back: each pixel has one of its two labels.
        assert ((kept == before) | (kept == coarse)).all()
        if set(np.unique(before)) == set(np.unique(coarse)):
            np.testing.assert_array_equal(kept, before)


def test_stacks_and_single_masks():
    coarse = np.zeros((3, 4, 5), np.uint8)
    coarse[0, 1, 1] = coarse[1, 2, 2] = 255
    refined = np.zeros_like(coarse)
    refined[1, 0, 0] = 255
    kept = keep_vanished(coarse, refined)
    np.testing.assert_array_equal(kept[0], coarse[0])
    assert kept[1, 0, 0] == 255
    assert kept[1].sum() == 255
    assert not kept[2].any()
    one = coarse[0] > 0
    np.testing.assert_array_equal(keep_vanished(one, np.zeros_like(one)), one)
