"""Masks that are off all around are moved as a whole, and looked at once more.

Along most outlines an image shows an edge somewhere, and nothing elsewhere. Where a network says
that a mask is off along its whole outline, what it found at the edges tells how the rest is off:
see ``mmrefine.ops.mask_moves``. The network then judges the moved mask. If it is the less off of
the two, it is refined in place of the coarse one. Not in BPR's paper (arXiv 2104.05239).

Shapes: H, W = rows and columns of the image.
"""

import numpy as np

from ..ops.colour_odds import surroundings
from ..ops.mask_moves import Move, fit_move, moved
from .bpr_blocks import Averages
from .tiles import Window

# A network that is not sure how far the outline goes stops on the way.
FARTHER = 1.2


def moved_mask(mask: np.ndarray, averages: Averages) -> np.ndarray | None:
    """A mask, bool (H, W), moved as most of its outline was; None if that is no move.

    Args:
        mask: The coarse one.
        averages: What the network found of the object.
    """
    mask, (window, probabilities, covered) = mask.copy(), averages
    coarse = mask[window]
    found = np.where(covered, probabilities, coarse).astype(np.float32)
    after = moved(coarse, Move(*(FARTHER * way for way in fit_move(coarse, found))))
    if not after.any() or (after == coarse).all():
        return None
    mask[window] = after
    return mask


def with_move(averages: Averages, coarse: np.ndarray, moved: np.ndarray) -> Averages:
    """Averages of a moved mask, bool (H, W); where it is in no box, the move itself."""
    by_move = coarse ^ moved
    window = _around(averages.window, surroundings(by_move, 0))
    found = averages.within(window)
    left = by_move[window] & ~found.covered
    found.probabilities[left] = moved[window][left]
    found.covered[left] = True
    return found


def _around(one: Window, other: Window) -> Window:
    """The smallest window that holds both."""
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns
