"""The mistakes that masks have: made on purpose, of many kinds and sizes, to train a refiner on.

``mmrefine.ops.degrade`` imitates one mask head. Here are the others: masks that lie a few
pixels off, are too large or too small, were drawn with few corners or predicted in coarse cells,
wander to and fro, and those that are right or nearly so, from which a network learns to leave good
masks alone.

Shapes: H, W = rows and columns of the mask.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ..ops import degrade

MIN_IOU = 0.5  # with the true mask; larger mistakes are halved
SECOND = 0.25  # how often one mistake follows another


def make_mistake(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A coarse version of a mask, of a kind drawn at random.

    A fifth of the masks come back as they are, an eighth is off by a pixel at most.

    Args:
        mask: bool (H, W).
        rng: Source of randomness.

    Returns:
        bool (H, W), IoU with ``mask`` above ``MIN_IOU``.
    """
    drawn = rng.random()
    if drawn < 0.2 or not mask.any():
        return mask
    if drawn < 0.325:
        slight = SLIGHT[rng.integers(len(SLIGHT))]
        return _close_enough(slight(mask, rng, 1.0), mask, mask)
    for attempt in range(3):
        coarse = mask
        for _ in range(1 + (rng.random() < SECOND)):
            kind = KINDS[rng.integers(len(KINDS))]
            coarse = kind(coarse, rng, 0.5**attempt) if coarse.any() else coarse
        if _iou(coarse, mask) > MIN_IOU:
            return coarse
    return mask


def shift(mask: np.ndarray, dy: float, dx: float) -> np.ndarray:
    """The mask moved by so many pixels; what comes in at the border repeats it."""
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(
        mask.astype(np.float32), move, mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved > 0.5)


def grow(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask dilated by a disk of ``radius`` pixels, eroded by one if that is negative."""
    return _morph(mask, radius, cv2.MORPH_ELLIPSE)


def in_cells(mask: np.ndarray, grid: int) -> np.ndarray:
    """The mask as ``grid`` × ``grid`` cells of its box hold it."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    box = slice(top, top + height), slice(left, left + width)
    cells = cv2.resize(mask[box].astype(np.float32), (grid, grid), interpolation=cv2.INTER_AREA)
    coarse = np.zeros_like(mask)
    coarse[box] = cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return coarse


def _shifted(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    angle, length = rng.uniform(0, 2 * np.pi), strength * rng.uniform(1, 6)
    return shift(mask, length * np.sin(angle), length * np.cos(angle))


def _grown(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    radius = max(round(strength * rng.integers(1, 9)), 1) * int(rng.choice((-1, 1)))
    return _morph(mask, radius, (cv2.MORPH_ELLIPSE, cv2.MORPH_RECT)[int(rng.integers(2))])


def _celled(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return in_cells(mask, round(np.exp(rng.uniform(np.log(14), np.log(56))) / strength))


def _as_by_mask_head(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    grid = int(rng.choice((14, 28, 28, 28, 56)))
    return degrade(mask, rng, strength * rng.uniform(0.5, 3), grid, MIN_IOU)


def with_few_corners(mask: np.ndarray, tolerance: float) -> np.ndarray:
    """The mask as polygons whose sides lie within ``tolerance`` pixels of its outline."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corners = [cv2.approxPolyDP(outline, tolerance, True) for outline in outlines]
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(drawn, [c for c in corners if len(c) > 2], -1, 1, cv2.FILLED)
    return drawn.view(bool)


def _few_corners(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return with_few_corners(mask, strength * rng.uniform(2.5, 6))


def _wandering(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return _warp(mask, rng, strength * rng.uniform(2, 8), float(rng.uniform(12, 48)))


def _hardly_wandering(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return _warp(mask, rng, strength, float(rng.uniform(6, 24)))


def _hardly_shifted(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    dy, dx = rng.uniform(-strength, strength, 2)
    return shift(mask, dy, dx)


def _hardly_grown(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    return _morph(mask, int(rng.choice((-1, 1))), cv2.MORPH_CROSS)


def _hardly_coarse(mask: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    scale = rng.uniform(0.4, 0.8)
    small = cv2.resize(
        mask.astype(np.float32),
        [max(round(scale * side), 1) for side in mask.shape[::-1]],
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(cv2.resize(small, mask.shape[::-1]) > 0.5)


Kind = Callable[[np.ndarray, np.random.Generator, float], np.ndarray]
KINDS: tuple[Kind, ...] = (
    *(_shifted,) * 2,
    *(_grown,) * 3,
    *(_celled,) * 2,
    *(_as_by_mask_head,) * 3,
    _few_corners,
    _wandering,
)
SLIGHT: tuple[Kind, ...] = (_hardly_wandering, _hardly_shifted, _hardly_grown, _hardly_coarse)


def _morph(mask: np.ndarray, radius: int, shape: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(shape, (2 * abs(radius) + 1,) * 2)
    change = cv2.dilate if radius > 0 else cv2.erode
    return np.asarray(change(mask.view(np.uint8), kernel)).view(bool)


def _warp(
    mask: np.ndarray, rng: np.random.Generator, amplitude: float, spacing: float
) -> np.ndarray:
    """Move pixels by up to ``amplitude``, alike within about ``spacing`` pixels."""
    height, width = mask.shape
    nodes = max(round(height / spacing), 2), max(round(width / spacing), 2)
    fields = [
        cv2.resize(
            rng.uniform(-amplitude, amplitude, nodes).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    ]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    warped = cv2.remap(
        mask.astype(np.float32),
        columns + fields[0],
        rows + fields[1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped > 0.5)


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return np.count_nonzero(one & other) / max(np.count_nonzero(one | other), 1)


def _close_enough(coarse: np.ndarray, mask: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    return coarse if _iou(coarse, mask) > MIN_IOU else otherwise
