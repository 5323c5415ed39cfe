"""One move for a whole mask: its outline grown by so much, and shifted.

A mask that comes from a lower resolution, another frame or a careless dilation is off in the same
way all around. Where an image shows edges, a refiner finds out by how much; where it shows none,
the outline stays where it was. The move that fits best to what was found corrects both.

Shapes: h, w = rows and columns of a part of the image.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .boxes import boundary_scores

NEAR = 7  # pixels; outlines that went farther went elsewhere
SMOOTH = 2.0  # sigma in pixels, for the direction of an outline
ROUNDS = 12  # of the robust fit
STILL = 1e-3  # weight of no move at all, beside 1 for the outline


class Move(NamedTuple):
    """Of a whole mask, pixels.

    Attributes:
        growth: How far the outline goes outwards.
        right: How far the mask goes to the right.
        down: How far it goes down.
    """

    growth: float
    right: float
    down: float


def fit_move(mask: np.ndarray, probabilities: np.ndarray) -> Move:
    """The move that brings most of a mask's outline to where the object was found to end.

    Least squares along the normals of the outline, reweighted (Cauchy, 1 px), so that places that
    went elsewhere count little. Places count the more, the steeper the probabilities are there:
    where the image shows no edge they are flat, and the outline stays near the coarse one.

    Args:
        mask: bool (h, w).
        probabilities: float32 (h, w), of the object.

    Returns:
        No move at all if there is no outline, or nothing was found.
    """
    outline, refined = boundary_scores(mask) > 0, probabilities > 0.5
    if not outline.any() or mask.all() or not refined.any() or refined.all():
        return Move(0.0, 0.0, 0.0)
    own = _depth(mask)
    away = (_depth(refined) - own)[outline].astype(np.float64)
    slopes = _slopes(cv2.GaussianBlur(own, (0, 0), SMOOTH))[:, outline]
    normals = -slopes / (np.linalg.norm(slopes, axis=0) + 1e-6)
    design = np.stack([np.ones_like(away), *normals], axis=1)
    around = np.ones((2 * NEAR - 1,) * 2, np.uint8)
    steep = cv2.dilate(np.linalg.norm(_slopes(probabilities), axis=0), around)[outline]
    sure = np.where(np.abs(away) < NEAR, steep, 0).astype(np.float64)
    found = np.array([_median(away, sure), 0, 0])
    weights = sure / (1 + (away - found[0]) ** 2)
    for _ in range(ROUNDS):
        weighted = design.T * weights
        still = STILL * (weights.sum() + 1) * np.eye(3)
        found = np.linalg.solve(weighted @ design + still, weighted @ away)
        weights = sure / (1 + (away - design @ found) ** 2)
    return Move(*found.tolist())


def moved(mask: np.ndarray, move: Move) -> np.ndarray:
    """A mask after a move, bool (h, w); at the border of the image it goes on as it was.

    What is too thin to be left over, of the object or between two parts of it, stays.

    Args:
        mask: bool (h, w).
        move: By fractions of pixels, too.
    """
    if not mask.any() or mask.all():
        return mask.copy()
    shift = np.array([[1, 0, move.right], [0, 1, move.down]], np.float32)
    depth = cv2.warpAffine(_depth(mask), shift, mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    after = depth + move.growth > 0
    reach = int(np.ceil(abs(move.growth) + np.hypot(move.right, move.down))) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    left, left_out = (cv2.dilate(side.view(np.uint8), around) > 0 for side in (after, ~after))
    return np.asarray(np.where(mask, after | ~left, after & left_out))


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    sums = weights[order].cumsum()
    return float(values[order][np.searchsorted(sums, sums[-1] / 2)])


def _slopes(values: np.ndarray) -> np.ndarray:
    """How much float32 (h, w) rises to the right and downwards, (2, h, w) per pixel."""
    return np.stack([cv2.Sobel(values, cv2.CV_32F, *axis) / 8 for axis in ((1, 0), (0, 1))])


def _depth(mask: np.ndarray) -> np.ndarray:
    """Distance to the outline between the pixels, float32 (h, w): positive inside."""
    inside, outside = (
        cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, 5) for side in (mask, ~mask)
    )
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside))
