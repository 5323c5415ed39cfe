"""Which changes to believe: what a network says of its own masks, and of the coarse one.

A ``PatchHead`` gives two probabilities for each pixel: that it is object, and that the coarse mask
is off by two pixels or more nearby. One patch alone can be wrong about the second; all patches of
an object together hardly are: a mask that lies 3 px too far left does so everywhere, and one that
is right is so everywhere. So a change is believed by three pieces of evidence, added up in
log-odds: how sure the network is of it, whether the mask is off here, and whether it is off along
the whole outline. New specks are never believed. Not in BPR's paper (arXiv 2104.05239), which
believes every change.

Shapes: h, w = rows and columns of a part of the image.
"""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from ..ops.boxes import boundary_scores

LEAST = 0.003  # probability; a network is not surer than that
LEAST_PIECE = 50  # pixels of an island or a hole that was not in the coarse mask


class Weights(NamedTuple):
    """Of the evidence for a change.

    Attributes:
        change: Log-odds of the new label.
        here: Log-odds that the mask is off at the pixel.
        whole: Their mean over the outline.
        bias: Added to them.
    """

    change: float
    here: float
    whole: float
    bias: float


def weights_of(settings: Mapping[str, float] | None) -> Weights | None:
    """Weights in a model's ``test_cfg``; None believes every change.

    Raises:
        ValueError: if they are not numbers with the names of ``Weights``.
    """
    if settings is None:
        return None
    try:
        return Weights(**{name: float(value) for name, value in settings.items()})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'leave_alone: expected numbers {", ".join(Weights._fields)}, got {dict(settings)}'
        ) from error


def odds_along_outline(mask: np.ndarray, off: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Log-odds that a mask is off, float32 (n,), along its outline.

    Args:
        mask: bool (h, w), the coarse mask.
        off: float32 (h, w), probability that it is off nearby.
        covered: bool (h, w), where the network looked.
    """
    return log_odds(off[(boundary_scores(mask) > 0) & covered])


def off_along_outline(mask: np.ndarray, off: np.ndarray, covered: np.ndarray) -> float:
    """Mean of ``odds_along_outline``; even odds where none is in sight."""
    odds = odds_along_outline(mask, off, covered)
    return float(odds.mean()) if len(odds) else 0.0


def believe(
    mask: np.ndarray,
    probabilities: np.ndarray,
    off: np.ndarray,
    whole: float,
    weights: Weights,
) -> np.ndarray:
    """Probability of the object, given all evidence.

    Where the network agrees with the coarse mask, its probability stays.

    Args:
        mask: bool (h, w), the coarse mask.
        probabilities: float32 (h, w), of the object, by the network.
        off: float32 (h, w), probability that ``mask`` is off nearby.
        whole: Mean log-odds over the outline, of ``off_along_outline``.
        weights: Of the evidence.

    Returns:
        float32 (h, w).
    """
    change = np.where(mask, 1 - probabilities, probabilities)
    evidence = weights.change * log_odds(change) + weights.here * log_odds(off)
    believed = 1 / (1 + np.exp(-(evidence + weights.whole * whole + weights.bias)))
    believed = np.where(change > 0.5, believed, np.minimum(change, believed))
    return np.asarray(np.where(mask, 1 - believed, believed), np.float32)


def without_specks(mask: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Take back islands and holes that were not there, unless they are of some size.

    Args:
        mask: bool (h, w), the coarse mask.
        probabilities: float32 (h, w), of the object.

    Returns:
        float32 (h, w); of a speck, 1 − ``probabilities``.
    """
    refined = probabilities > 0.5
    speck = np.zeros_like(refined)
    for now, before in ((refined, mask), (~refined, ~mask)):
        number, pieces, facts, _ = cv2.connectedComponentsWithStats(now.view(np.uint8))
        is_old = np.bincount(pieces[before], minlength=number) > 0
        is_speck = ~is_old & (facts[:, cv2.CC_STAT_AREA] < LEAST_PIECE)
        is_speck[0] = False  # all that is not ``now``
        speck |= is_speck[pieces]
    return np.asarray(np.where(speck, 1 - probabilities, probabilities))


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Log-odds, log p / (1 − p), never surer than ``LEAST``."""
    clipped = np.clip(probabilities, LEAST, 1 - LEAST)
    return np.asarray(np.log(clipped / (1 - clipped)))
