"""Make a realistic coarse mask out of a good one.

For training a refiner where no model's predictions are at hand. The errors are those of a mask
head: little resolution (28 × 28 cells an object), a box that is a bit off, and edges too far out
in one place and too far in in another.

Shapes: H, W = rows and columns of the mask; G = cells a side of the mask head.
"""

from __future__ import annotations

import cv2
import numpy as np

from .boundary import Array, label_array, like

MARGIN = 0.15  # around the object's box, as a share of its sides
MAX_SHIFT = 0.02  # of the box, as a share of its sides
BLUR = (0.3, 1.0)  # of the mask before it is cut at 0.5, in cells
MAX_NOISE = 0.25  # added to the mask before it is cut at 0.5
BLOBS = 6  # places a side where edges move on their own


def degrade(
    mask: Array,
    rng: np.random.Generator,
    strength: float = 1.0,
    grid: int = 28,
    min_iou: float = 0.5,
) -> Array:
    """A coarse version of a mask.

    Args:
        mask: (H, W), bool or any integer dtype; anything but 0 is object.
        rng: source of randomness.
        strength: how far shifts and noise go; 0 leaves only the loss of resolution.
        grid: G, cells a side of the mask head.
        min_iou: with the mask; errors are halved until it is reached.

    Returns:
        Like ``mask``: its highest value (its lowest, if none is above 0) for object, 0 for
        background. An empty mask comes back
        as it is, and so does one that no error leaves above ``min_iou``.

    Raises:
        TypeError: ``mask`` is not an integer array.
        ValueError: ``mask`` is not two-dimensional, or an option is out of range.
    """
    if strength < 0 or grid < 2 or not 0 <= min_iou < 1:
        raise ValueError(
            'expected strength >= 0, grid >= 2 and 0 <= min_iou < 1, '
            f'got {strength}, {grid} and {min_iou}'
        )
    labels = label_array(mask)
    window = _window_around(labels != 0)
    good = labels[window] != 0
    result = labels.copy()
    for attempt in range(4):
        if not good.any():
            break
        coarse = _mask_head(good, rng, strength / 2**attempt, grid)
        union = np.count_nonzero(coarse | good)
        if np.count_nonzero(coarse & good) > min_iou * union:
            value = labels.max()
            # Of a mask of -1 on 0, the highest value is the background's.
            result[window] = coarse * (value if value > 0 else labels.min())
            break
    is_bool = str(mask.dtype).rpartition('.')[2] == 'bool'
    return like(result.view(np.bool_) if is_bool else result, mask)


def _window_around(mask: np.ndarray) -> tuple[slice, slice]:
    """The object's box and a margin, cut off at the image border."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    down, across = (max(round(MARGIN * side), 2) for side in (height, width))
    return (
        slice(max(top - down, 0), top + height + down),
        slice(max(left - across, 0), left + width + across),
    )


def _mask_head(
    good: np.ndarray, rng: np.random.Generator, strength: float, grid: int
) -> np.ndarray:
    """What a head with ``grid`` × ``grid`` cells might predict: bool, as large as ``good``."""
    cells = cv2.resize(good.astype(np.float32), (grid, grid), interpolation=cv2.INTER_AREA)
    cells = cv2.GaussianBlur(cells, (0, 0), rng.uniform(*BLUR), borderType=cv2.BORDER_REPLICATE)
    dy, dx = rng.uniform(-1, 1, 2) * strength * MAX_SHIFT * grid
    move = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    cells = cv2.warpAffine(cells, move, (grid, grid), borderMode=cv2.BORDER_REPLICATE)
    noise = rng.uniform(-1, 1, (BLOBS, BLOBS)).astype(np.float32)
    field = cv2.resize(noise, (grid, grid), interpolation=cv2.INTER_CUBIC)
    cells = cells + strength * MAX_NOISE * field
    return np.asarray(cv2.resize(cells, good.shape[::-1], interpolation=cv2.INTER_LINEAR)) > 0.5
