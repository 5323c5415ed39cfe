"""Square boxes along the boundary of a mask (BPR, arXiv 2104.05239, section 3.1).

Shapes: H, W = rows and columns of the mask; N = boxes. Boxes are (x1, y1, x2, y2), whole pixels,
ends exclusive. Centres are (row, column).

Differs from the released code: boxes reach the last row and column, images smaller than a patch
are not skipped, ties are broken in a fixed order.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from .boundary import Array, label_array, like

STRIP = 2**24  # pixels looked at together for boundary pixels
BLOCK = 1024  # candidates looked at together while searching the next one that is not suppressed
# Pixels with one score are taken in the order of their index times this, modulo 2³²: scattered, as
# in the released NMS, whose sort is not stable. In reading order, kept boxes would follow each
# other as closely as the threshold allows, a fifth more of them.
SCATTER = np.uint64(2654435769)


def propose_boxes(mask: Array, patch_size: int = 64, iou_threshold: float = 0.25) -> Array:
    """Boxes centred on boundary pixels, suppressed where they overlap, moved inside the image.

    A pixel is boundary if the 3×3 window around it holds object and background; outside the image
    is background, so that an object cut off by the image border is looked at there, too. Pixels
    whose window is more evenly split come first; a box is suppressed by an earlier one whose IoU
    with it exceeds the threshold.

    Args:
        mask: (H, W), bool or any integer dtype; anything but 0 is object.
        patch_size: side of a box in pixels.
        iou_threshold: the NMS threshold, 0 to 1: higher gives more boxes.

    Returns:
        int64 (N, 4) xyxy, ends exclusive, no two alike, all of one size: ``patch_size``, or as
        much of it as the image has. (0, 4) for an empty and for a full mask.

    Raises:
        TypeError: ``mask`` is not an integer array, or ``patch_size`` is not an integer.
        ValueError: ``mask`` is not two-dimensional, or ``patch_size`` or ``iou_threshold`` is out
            of range.
    """
    _check_settings(patch_size, iou_threshold)
    labels = label_array(mask)
    centres = box_centres(labels, patch_size, iou_threshold)
    return like(boxes_around(centres, patch_size, labels.shape), mask)


def box_centres(mask: np.ndarray, patch_size: int, iou_threshold: float) -> np.ndarray:
    """Boundary pixels (N, 2) yx of ``mask`` (H, W) whose boxes are kept, best first."""
    binary = mask if mask.dtype == np.uint8 else (mask != 0).view(np.uint8)
    left, top, width, height = cv2.boundingRect(binary)
    if width == 0 or (width * height == mask.size and mask.all()):
        return np.zeros((0, 2), np.int64)
    bottom, right = top + height + 1, left + width + 1
    # one pixel more on each side: the outer half of the boundary
    top, left = max(top - 1, 0), max(left - 1, 0)
    window = binary[top:bottom, left:right]
    candidates, scores = _boundary_pixels(window)
    rank = (4 - scores).astype(np.uint64) << np.uint64(32)
    scattered = candidates.astype(np.uint64) * SCATTER & np.uint64(2**32 - 1)
    order = candidates[np.argsort(rank | scattered)]
    centres = np.stack(np.unravel_index(order, window.shape), axis=1)
    size_hw = window.shape[0], window.shape[1]
    return _suppress(centres, size_hw, patch_size, iou_threshold) + (top, left)


def _boundary_pixels(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boundary pixels of a mask, uint8 (H, W), as flat indices (N,), and their scores (N,).

    Strip by strip: of a large mask, maps of its size take much memory.
    """
    height, width = mask.shape
    rows = max(STRIP // width, 1)
    found = []
    for top in range(0, height, rows):
        first = max(top - 1, 0)
        scores = boundary_scores(mask[first : top + rows + 1] != 0)[top - first :][:rows].ravel()
        pixels = np.flatnonzero(scores)
        found.append((pixels + top * width, scores[pixels]))
    pixels, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return pixels, scores


def boundary_scores(mask: np.ndarray) -> np.ndarray:
    """How evenly object and background share the 3×3 window: int8 (H, W), 0 to 4.

    The released score times 4.5: with c object pixels in the window, min(c, 9 − c).
    """
    count = cv2.boxFilter(
        mask.view(np.uint8), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.minimum(count, 9 - count).view(np.int8)


def boxes_around(centres: np.ndarray, patch_size: int, size_hw: tuple[int, int]) -> np.ndarray:
    """Boxes (N', 4) xyxy of ``patch_size`` around ``centres`` (N, 2), moved inside; no doubles."""
    size = np.minimum(patch_size, size_hw)
    start = np.clip(centres - patch_size // 2, 0, np.array(size_hw) - size)
    boxes = np.concatenate([start[:, ::-1], (start + size)[:, ::-1]], axis=1)
    _, first = np.unique(boxes, axis=0, return_index=True)
    return boxes[np.sort(first)].astype(np.int64)


def _suppress(
    centres: np.ndarray, size_hw: tuple[int, int], patch_size: int, iou_threshold: float
) -> np.ndarray:
    """Greedy suppression of ``centres`` (N, 2), best first.

    All boxes have one size, so which pixels a kept box suppresses is one fixed shape around its
    centre: it is stamped on a map, and later candidates look themselves up there.
    """
    stamp = _suppressed_around(patch_size, iou_threshold)
    side = len(stamp)
    suppressed = np.zeros((size_hw[0] + side, size_hw[1] + side), bool)
    lookup = (centres + side // 2) @ (suppressed.shape[1], 1)
    kept, position = [], 0
    while position < len(centres):
        block = suppressed.ravel()[lookup[position : position + BLOCK]]
        first = int(block.argmin())
        if block[first]:
            position += len(block)
            continue
        position += first
        y, x = centres[position]
        suppressed[y : y + side, x : x + side] |= stamp
        kept.append(position)
        position += 1
    return centres[kept]


@lru_cache
def _suppressed_around(patch_size: int, iou_threshold: float) -> np.ndarray:
    """Which centres, seen from a box's own in the middle, have boxes above the threshold."""
    overlap = patch_size - np.abs(np.arange(1 - patch_size, patch_size))
    intersection = overlap[:, None] * overlap
    shape = intersection / (2 * patch_size**2 - intersection) > iou_threshold
    radius = int(shape.any(1).sum()) // 2
    middle = slice(patch_size - 1 - radius, patch_size + radius)
    return shape[middle, middle]


def _check_settings(patch_size: int, iou_threshold: float) -> None:
    if isinstance(patch_size, bool) or not isinstance(patch_size, int | np.integer):
        raise TypeError(f'patch_size must be an integer, got {patch_size!r}')
    if patch_size < 1:
        raise ValueError(f'patch_size must be at least 1 pixel, got {patch_size}')
    if not 0 <= iou_threshold <= 1:
        raise ValueError(f'iou_threshold must be between 0 and 1, got {iou_threshold}')
