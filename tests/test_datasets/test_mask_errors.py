"""Mistakes of masks, made on purpose."""

import numpy as np
import pytest
from test_ops.random_masks import random_masks

from mmrefine.datasets.mask_errors import (
    KINDS,
    SLIGHT,
    grow,
    in_cells,
    make_mistake,
    shift,
    with_few_corners,
)
from mmrefine.measures import boundary_fscore
from mmrefine.ops import distance_map


def star(height=110, width=150):
    rows, columns = np.indices((height, width))
    angle = np.arctan2(rows - 55, columns - 75)
    return np.hypot(rows - 55, columns - 75) < 34 + 9 * np.cos(5 * angle)


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)


def test_masks_of_all_kinds_stay_masks():
    rng = np.random.default_rng(0)
    for mask in random_masks(150):
        coarse = make_mistake(mask, rng)
        assert coarse.shape == mask.shape
        assert coarse.dtype == bool
        assert (coarse == mask).all() or iou(coarse, mask) > 0.5


def test_a_share_is_right_and_a_share_nearly():
    mask, rng = star(), np.random.default_rng(1)
    coarse = [make_mistake(mask, rng) for _ in range(400)]
    right = np.mean([(c == mask).all() for c in coarse])
    assert 0.15 < right < 0.3
    scores = [boundary_fscore(c, mask, 1, num_classes=1).figures()['fscore'] for c in coarse]
    nearly = np.mean(np.array(scores) > 0.9) - right
    assert 0.08 < nearly < 0.3
    assert 0.2 < np.mean(np.array(scores) < 0.5) < 0.7


@pytest.mark.parametrize('kind', sorted(set(KINDS), key=lambda kind: kind.__name__))
def test_every_kind_makes_large_mistakes(kind):
    mask, rng = star(), np.random.default_rng(2)
    made = [kind(mask, rng, 1.0) for _ in range(30)]
    far = distance_map(mask.astype(np.uint8))
    depths = [far[c != mask].max(initial=0) for c in made]
    assert max(depths) >= 2
    assert len({c.tobytes() for c in made}) > 3


@pytest.mark.parametrize('kind', SLIGHT)
def test_slight_mistakes_are_slight(kind):
    mask, rng = star(), np.random.default_rng(3)
    far = distance_map(mask.astype(np.uint8))
    for _ in range(30):
        assert far[kind(mask, rng, 1.0) != mask].max(initial=0) <= 3


def test_few_corners_stay_near_the_outline():
    mask = star()
    far = distance_map(mask.astype(np.uint8))
    for tolerance in (1, 4):
        wrong = with_few_corners(mask, tolerance) != mask
        assert 0 < far[wrong].max() <= tolerance + 1.5
    ring = mask.copy()
    ring[45:65, 65:85] = False
    assert not with_few_corners(ring, 1)[50:60, 70:80].any()


def test_shift_grow_and_cells():
    mask = np.zeros((20, 30), bool)
    mask[5:12, 8:20] = True
    np.testing.assert_array_equal(shift(mask, 2, -3), np.roll(mask, (2, -3), axis=(0, 1)))
    at_border = np.zeros((20, 30), bool)
    at_border[:, :4] = True
    assert shift(at_border, 0, 3)[:, :7].all()
    larger, smaller = grow(mask, 2), grow(mask, -2)
    assert larger[3:14, 14].all()
    assert larger.sum() > mask.sum() > smaller.sum()
    np.testing.assert_array_equal(smaller, ~grow(~mask, 2))
    assert (in_cells(mask, 28) == mask).all()
    coarse = in_cells(star(), 8)
    assert 0.7 < iou(coarse, star()) < 0.97
