"""Discrete directions towards the interior: distance -> direction class <-> offset vector.

Shapes: H, W = rows and columns of the label map; m = number of directions. Vectors are (dy, dx).
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .boundary import (
    IGNORED,
    Array,
    _distance,
    boundary_from_distance,
    check_width,
    label_array,
    like,
)

DIRECTION_VECTORS: dict[int, tuple[tuple[int, int], ...]] = {
    4: ((-1, -1), (-1, 1), (1, 1), (1, -1)),
    8: ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)),
    # fmt: off
    16: (
        (0, -2),
        (-1, -2),
        (-2, -2),
        (-2, -1),
        (-2, 0),
        (-2, 1),
        (-2, 2),
        (-1, 2),
        (0, 2),
        (1, 2),
        (2, 2),
        (2, 1),
        (2, 0),
        (2, -1),
        (2, -2),
        (1, -2),
    ),
    32: (
        (0, -4),
        (-1, -4),
        (-2, -4),
        (-3, -4),
        (-4, -4),
        (-4, -3),
        (-4, -2),
        (-4, -1),
        (-4, 0),
        (-4, 1),
        (-4, 2),
        (-4, 3),
        (-4, 4),
        (-3, 4),
        (-2, 4),
        (-1, 4),
        (0, 4),
        (1, 4),
        (2, 4),
        (3, 4),
        (4, 4),
        (4, 3),
        (4, 2),
        (4, 1),
        (4, 0),
        (4, -1),
        (4, -2),
        (4, -3),
        (4, -4),
        (3, -4),
        (2, -4),
        (1, -4),
    ),
    # fmt: on
}


def segfix_targets(
    label_map: Array,
    width: float = 5,
    num_directions: int = 8,
    kernel_size: int = 9,
    ignore_index: int = 255,
) -> tuple[Array, Array, Array]:
    """``distance_map``, ``boundary_map`` and ``direction_map``, with the distance computed once.

    Returns:
        distance float32 (H, W), boundary uint8 (H, W), direction uint8 (H, W).
    """
    check_width(width)
    check_directions(num_directions, kernel_size)
    labels = label_array(label_map)
    distance = _distance(labels, ignore_index)
    boundary = boundary_from_distance(distance, labels == ignore_index, width)
    direction = direction_from_distance(distance, labels, num_directions, kernel_size, ignore_index)
    return like(distance, label_map), like(boundary, label_map), like(direction, label_map)


def direction_map(
    label_map: Array, num_directions: int = 8, kernel_size: int = 9, ignore_index: int = 255
) -> Array:
    """Direction class of every pixel: where the interior of its label lies."""
    check_directions(num_directions, kernel_size)
    labels = label_array(label_map)
    distance = _distance(labels, ignore_index)
    return like(
        direction_from_distance(distance, labels, num_directions, kernel_size, ignore_index),
        label_map,
    )


def direction_from_distance(
    distance: np.ndarray,
    labels: np.ndarray,
    num_directions: int = 8,
    kernel_size: int = 9,
    ignore_index: int = 255,
) -> np.ndarray:
    """``direction_map`` for those who have the distances already."""
    kernel_y, kernel_x = sobel_kernels(kernel_size)
    gradient = np.zeros((2, *labels.shape), np.float32)
    finite = np.where(np.isfinite(distance), distance, 0)
    for label in np.unique(labels):
        inside = labels == label
        own = np.where(inside, finite, 0)
        for axis, kernel in enumerate((kernel_y, kernel_x)):
            full = cv2.filter2D(own, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
            gradient[axis][inside] = full[inside]
    first_y, first_x = DIRECTION_VECTORS[num_directions][0]
    turn = np.arctan2(gradient[0], gradient[1]) - np.arctan2(first_y, first_x)
    steps = np.floor(turn * (num_directions / (2 * np.pi)) + 0.5).astype(np.int64)
    direction = (steps % num_directions).astype(np.uint8)
    direction[labels == ignore_index] = IGNORED
    return direction


def direction_to_offset(direction_map: Array, num_directions: int = 8) -> Array:
    """Offset vectors of a direction map: int32 (2, H, W), (dy, dx); (0, 0) for 255."""
    check_directions(num_directions)
    table = np.zeros((2, 256), np.int32)
    table[:, :num_directions] = np.transpose(DIRECTION_VECTORS[num_directions])
    if isinstance(direction_map, torch.Tensor):
        return torch.from_numpy(table).to(direction_map.device)[:, direction_map.long()]
    return table[:, direction_map]


def sobel_kernels(kernel_size: int) -> tuple[np.ndarray, np.ndarray]:
    """The large Sobel kernels (y, x), float32 (k, k): weight at (i, j) = (i, j) / (i² + j²)."""
    radius = kernel_size // 2
    i, j = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    square = np.maximum(i * i + j * j, 1)
    return (i / square).astype(np.float32), (j / square).astype(np.float32)


def check_directions(num_directions: int, kernel_size: int = 9) -> None:
    """Raise a ValueError for a number of directions or a kernel size that does not exist."""
    if num_directions not in DIRECTION_VECTORS:
        raise ValueError(
            f"num_directions is the paper's m, not the number of classes: it must be one of "
            f'{sorted(DIRECTION_VECTORS)}, got {num_directions}'
        )
    if kernel_size < 3 or kernel_size % 2 == 0:
        raise ValueError(f'kernel_size must be odd and >= 3, got {kernel_size}')
