"""Flicker of drawn masks."""

import numpy as np
import pytest

from mmrefine.measures import boundary_flicker, total

from .drawing import draw


def still(labels):
    return np.zeros((*labels.shape, 2), np.float32)


def test_share_of_the_pixels_near_the_boundary():
    before = draw("""
        ......
        .111..
        .111..
        ......""")
    after = draw("""
        ......
        .111..
        .1111.
        ......""")
    counts = boundary_flicker(after, before, still(after), width=1)
    # Seven pixels of the mask, each beside one that is not, and their eleven neighbours outside.
    assert (*counts.changed, *counts.pixels) == (1, 7 + 11)
    assert boundary_flicker(after, after, still(after)).figures()['flicker'] == 0


def test_what_moves_with_flow_does_not_flicker():
    rng = np.random.default_rng(0)
    large = np.kron(rng.integers(0, 3, (6, 9)), np.ones((5, 5), int))
    before, after = large[:, 2:], large[:, :-2]
    flow = still(after)
    assert boundary_flicker(after, before, flow).figures()['flicker'] > 0.2
    flow[..., 0] = -2
    counts = boundary_flicker(after, before, flow)
    assert counts.figures()['flicker'] == 0
    assert counts.pixels < boundary_flicker(after, before, still(after)).pixels  # two columns left


def test_ignored_pixels_and_masks():
    before, after = draw('..11#\n..11#'), draw('.111.\n.111.')
    counts = boundary_flicker(after, before, still(after))
    assert (*counts.changed, *counts.pixels) == (2, 8)
    masks = [m == 1 for m in (after, before)]
    assert boundary_flicker(*masks, still(after)).changed == 2
    none = boundary_flicker(before * 0, before * 0, still(before))
    assert np.isnan(none.figures()['flicker'])
    assert total([counts, none]).figures() == counts.figures()
    with pytest.raises(ValueError, match='sizes differ'):
        boundary_flicker(after, before[:1], still(after))
