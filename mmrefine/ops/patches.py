"""Crop boxes out of an image or mask, and put refined boxes back (BPR, section 3.1).

Shapes: H, W = rows and columns of the image; C = channels; N = boxes; S = side of the network's
input. Boxes are (x1, y1, x2, y2), whole pixels, ends exclusive. ``padding`` is how many pixels
around each box the network sees as well; only the box itself is put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .boundary import Array

Boxes = np.ndarray | torch.Tensor


def crop_patches(image: Array, boxes: Boxes, size: int, padding: int = 0) -> Array:
    """Cut boxes out and scale each to ``size`` × ``size``.

    Args:
        image: (H, W, C) uint8 or float32, scaled bilinearly; or a mask (H, W), bool, uint8 or
            float32, scaled by nearest neighbour, so that no value is made up.
        boxes: int (N, 4) xyxy, ends exclusive, inside the image.
        size: S, pixels.
        padding: pixels around each box that are cut out with it; zeros outside the image.

    Returns:
        (N, S, S, C) or (N, S, S), dtype and device of ``image``.

    Raises:
        TypeError: ``image`` is of another dtype.
        ValueError: ``image`` or ``boxes`` has another shape, or a box reaches outside the image.
    """
    if str(image.dtype).rpartition('.')[2] not in ('bool', 'uint8', 'float32'):
        raise TypeError(f'image must be bool, uint8 or float32, got {image.dtype}')
    if image.ndim not in (2, 3):
        raise ValueError(f'image must have shape (H, W, C) or (H, W), got {tuple(image.shape)}')
    corners = _checked_boxes(boxes, image.shape[:2])
    if isinstance(image, torch.Tensor):
        return _crop_tensor(image, corners, size, padding)
    patches = np.zeros((len(corners), size, size, *image.shape[2:]), image.dtype)
    nearest = image.ndim == 2
    for patch, (x1, y1, x2, y2) in zip(patches, corners.tolist(), strict=True):
        window = _window(image, x1 - padding, y1 - padding, x2 + padding, y2 + padding)
        patch[...] = _scale(window, (size, size), nearest)
    return patches


class PatchAverage(NamedTuple):
    """Averaged probabilities in the part of an image that boxes cover.

    Attributes:
        window: index of that part into a (H, W) array.
        probabilities: float32 (h, w), mean over all boxes that cover the pixel; 0 off the boxes.
        covered: bool (h, w), the pixels in any box.
    """

    window: tuple[slice, slice]
    probabilities: np.ndarray | torch.Tensor
    covered: np.ndarray | torch.Tensor


def average_patches(
    boxes: Boxes,
    probabilities: np.ndarray | torch.Tensor,
    size_hw: Sequence[int],
    padding: int = 0,
) -> PatchAverage | None:
    """Lay the patches over each other where they came from, and average them.

    Args:
        boxes: int (N, 4) xyxy, ends exclusive, inside the image.
        probabilities: float (N, S, S) of the object, as for ``crop_patches``' patches.
        size_hw: H and W of the image.
        padding: as given to ``crop_patches``.

    Returns:
        The averages, in the smallest part of the image that holds all boxes; None for no boxes.

    Raises:
        ValueError: the shapes do not fit, or a box reaches outside the image.
    """
    corners = _checked_boxes(boxes, size_hw)
    if probabilities.ndim != 3 or len(probabilities) != len(corners):
        raise ValueError(
            f'probabilities must have shape (N, S, S) with N = {len(corners)} boxes, '
            f'got {tuple(probabilities.shape)}'
        )
    if len(corners) == 0:
        return None
    (left, top), (right, bottom) = corners[:, :2].min(0), corners[:, 2:].max(0)
    local = corners - np.tile([left, top], 2)
    shape = (int(bottom - top), int(right - left))
    window = slice(int(top), int(bottom)), slice(int(left), int(right))
    if isinstance(probabilities, torch.Tensor):
        total, count = _add_tensor(local, probabilities, shape, padding)
        return PatchAverage(window, total / count.clamp(min=1), count > 0)
    sums, counts = _add_array(local, probabilities, shape, padding)
    return PatchAverage(window, sums / np.maximum(counts, 1), counts > 0)


def reassemble_patches(
    mask: Array, boxes: Boxes, probabilities: Array, threshold: float = 0.5, padding: int = 0
) -> Array:
    """The mask with the pixels in boxes decided by the averaged probabilities.

    Args:
        mask: (H, W), bool or any integer dtype; anything but 0 is object.
        boxes: int (N, 4) xyxy, ends exclusive, inside the image.
        probabilities: float (N, S, S) of the object; each patch is scaled to its box.
        threshold: object above it, background up to it.
        padding: as given to ``crop_patches``.

    Returns:
        Like ``mask``. In boxes, object has the highest value of ``mask`` (1 if that is 0) and
        background 0; pixels in no box keep their value.

    Raises:
        ValueError: the shapes do not fit, or a box reaches outside the image.
    """
    if mask.ndim != 2:
        raise ValueError(f'mask must have shape (H, W), got {tuple(mask.shape)}')
    average = average_patches(boxes, probabilities, mask.shape, padding)
    result = mask.clone() if isinstance(mask, torch.Tensor) else mask.copy()
    if average is None:
        return result
    part, covered = result[average.window], average.covered
    refined = average.probabilities > threshold
    # Not multiplied: ids of 2^63 and more are no int64.
    part[covered] = 0
    part[covered & refined] = object_value(mask)
    return result


def object_value(mask: np.ndarray | torch.Tensor) -> int:
    """What stands for object in a mask: its highest value, 1 if there is none above 0."""
    return max(int(mask.max()), 1)


def _checked_boxes(boxes: Boxes, size_hw: Sequence[int]) -> np.ndarray:
    corners = boxes.cpu().numpy() if isinstance(boxes, torch.Tensor) else np.asarray(boxes)
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise ValueError(f'boxes must have shape (N, 4), got {corners.shape}')
    height, width = size_hw
    start, end = corners[:, :2], corners[:, 2:]
    if (start < 0).any() or (end > (width, height)).any() or (end <= start).any():
        raise ValueError(
            f'boxes must be xyxy with x1 < x2, y1 < y2, inside {width} x {height} pixels, '
            f'got {corners[((start < 0) | (end > (width, height)) | (end <= start)).any(1)][0]}'
        )
    return corners.astype(np.int64)


def _window(image: np.ndarray, x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    """A part of an image, zero where it reaches outside."""
    inside = image[max(y1, 0) : y2, max(x1, 0) : x2]
    if inside.shape[:2] == (y2 - y1, x2 - x1):
        return inside
    window = np.zeros((y2 - y1, x2 - x1, *image.shape[2:]), image.dtype)
    top, left = max(-y1, 0), max(-x1, 0)
    window[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return window


def _scale(window: np.ndarray, size_hw: tuple[int, int], nearest: bool) -> np.ndarray:
    """``window`` (h, w[, C]) at another size."""
    if window.shape[:2] == size_hw:
        return window
    if nearest:
        rows, columns = (nearest_index(*n) for n in zip(window.shape, size_hw, strict=True))
        return window.take(rows, axis=0).take(columns, axis=1)
    scaled = cv2.resize(window, size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    return scaled.reshape(*size_hw, *window.shape[2:])


def nearest_index(length: int, size: int) -> np.ndarray:
    """The pixel of ``length`` nearest to each of ``size`` pixel centres, in exact arithmetic."""
    return (2 * np.arange(size) + 1) * length // (2 * size)


@lru_cache
def scale_back_matrix(size: int, length: int, padding: int = 0) -> np.ndarray:
    """float32 (length, size): takes a side of a patch back to the side of its box.

    Each pixel of the box gets the mean of the patch's pixels whose nearest it is, so that what
    ``crop_patches`` made of a mask comes back exactly; bilinear interpolation where the patch
    is smaller than the box.
    """
    full = length + 2 * padding
    if size >= full:
        weights = np.arange(full)[:, None] == nearest_index(full, size)
        matrix = weights / weights.sum(1, keepdims=True)
    else:
        source = np.clip((np.arange(full) + 0.5) * size / full - 0.5, 0, size - 1)
        matrix = np.clip(1 - np.abs(source[:, None] - np.arange(size)), 0, 1)
    return matrix[padding : full - padding].astype(np.float32)


def _add_array(
    corners: np.ndarray, probabilities: np.ndarray, shape: tuple[int, int], padding: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of the patches and number of boxes at every pixel."""
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for patch, (x1, y1, x2, y2) in zip(probabilities, corners.tolist(), strict=True):
        part = patch.astype(np.float32, copy=False)
        if padding or part.shape != (y2 - y1, x2 - x1):
            rows = scale_back_matrix(len(patch), y2 - y1, padding)
            columns = scale_back_matrix(len(patch), x2 - x1, padding)
            part = rows @ part @ columns.T
        total[y1:y2, x1:x2] += part
        count[y1:y2, x1:x2] += 1
    return total, count


def _by_size(corners: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
    """The boxes of each size: which, height, width. Boxes of one image have one size."""
    sizes, owners = np.unique(corners[:, 2:] - corners[:, :2], axis=0, return_inverse=True)
    for index, (width, height) in enumerate(sizes.tolist()):
        yield np.flatnonzero(owners.ravel() == index), height, width


def _rows_columns(
    corners: np.ndarray, height: int, width: int, padding: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows (N, h, 1) and columns (N, 1, w) of boxes of one size."""
    start = torch.from_numpy(corners[:, :2]).to(device)
    rows = start[:, 1:2] + torch.arange(-padding, height + padding, device=device)
    columns = start[:, 0:1] + torch.arange(-padding, width + padding, device=device)
    return rows[:, :, None], columns[:, None, :]


def _crop_tensor(image: torch.Tensor, corners: np.ndarray, size: int, padding: int) -> torch.Tensor:
    patches = image.new_zeros((len(corners), size, size, *image.shape[2:]))
    for members, height, width in _by_size(corners):
        rows, columns = _rows_columns(corners[members], height, width, padding, image.device)
        last_row, last_column = image.shape[0] - 1, image.shape[1] - 1
        if image.ndim == 2:
            rows = rows[:, nearest_index(rows.shape[1], size)]
            columns = columns[:, :, nearest_index(columns.shape[2], size)]
        windows = image[rows.clamp(0, last_row), columns.clamp(0, last_column)]
        if padding:
            outside = (rows < 0) | (rows > last_row) | (columns < 0) | (columns > last_column)
            windows[outside] = 0
        patches[torch.from_numpy(members)] = _scale_tensor(windows, size)
    return patches


def _scale_tensor(windows: torch.Tensor, size: int) -> torch.Tensor:
    """(N, h, w, C) bilinearly to (N, S, S, C)."""
    if windows.shape[1:3] == (size, size):
        return windows
    scaled = F.interpolate(windows.permute(0, 3, 1, 2).float(), (size, size), mode='bilinear')
    scaled = scaled.permute(0, 2, 3, 1)
    return scaled if windows.is_floating_point() else scaled.round().to(windows.dtype)


def _add_tensor(
    corners: np.ndarray, probabilities: torch.Tensor, shape: tuple[int, int], padding: int
) -> tuple[torch.Tensor, torch.Tensor]:
    total = probabilities.new_zeros(shape[0] * shape[1], dtype=torch.float32)
    count = torch.zeros_like(total)
    for members, height, width in _by_size(corners):
        rows, columns = _rows_columns(corners[members], height, width, 0, probabilities.device)
        patches = probabilities[torch.from_numpy(members)].float()
        down, across = (
            torch.from_numpy(scale_back_matrix(patches.shape[1], length, padding)).to(patches)
            for length in (height, width)
        )
        with torch.autocast(patches.device.type, enabled=False):  # the caller may have it on
            inner = down @ patches @ across.T
        pixels = (rows * shape[1] + columns).flatten()
        total.index_add_(0, pixels, inner.flatten())
        count.index_add_(0, pixels, torch.ones_like(pixels, dtype=torch.float32))
    return total.view(shape), count.view(shape)
