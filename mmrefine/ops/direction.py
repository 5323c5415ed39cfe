"""Discrete directions towards the interior: distance -> direction class <-> offset vector.

Shapes: H, W = rows and columns; m = number of directions; k = kernel size; K = chosen pixels.
Vectors, gradients and kernels are in (y, x) order.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch

from .boundary import (
    Array,
    boundary_from_distance,
    check_width,
    distance_in_boxes,
    label_array,
    like,
)
from .ignored import IGNORED_BYTE
from .label_boxes import LabelBox, label_boxes


def _square_ring(reach: int) -> np.ndarray:
    """The 8 · reach whole vectors on a square around the origin, int32 (8 · reach, 2).

    In the order of their angle atan2(dy, dx), starting at -180 degrees, which is to the left::

        1 2 3
        0 · 4   for reach 1
        7 6 5
    """
    along = np.arange(-reach, reach, dtype=np.int32)
    aside = np.full_like(along, reach)
    top, right = np.stack([-aside, along], axis=1), np.stack([along, aside], axis=1)
    return np.roll(np.concatenate([top, right, -top, -right]), reach, axis=0)


# The vector of every class. Classes are equal sectors of the circle: class c is centred on
# c · 360 / m degrees after the vector of class 0. With m = 4, the diagonals, a sector is a
# quadrant. m = 16 and 32 need vectors 2 and 4 pixels long (along their longer axis) to be whole
# numbers; they lie up to 4.1 degrees off the centre of their sector, and inside it.
DIRECTION_VECTORS: dict[int, np.ndarray] = {
    4: _square_ring(1)[1::2],
    8: _square_ring(1),
    16: _square_ring(2),
    32: _square_ring(4),
}


def segfix_targets(
    label_map: Array,
    width: float = 5,
    num_directions: int = 8,
    kernel_size: int = 9,
    ignore_index: int = 255,
) -> tuple[Array, Array, Array]:
    """``distance_map``, ``boundary_map`` and ``direction_map`` at once: what training needs.

    The arguments are those of the three functions, and so are the results and the errors; the
    distance is computed once.

    Returns:
        distance float32 (H, W), boundary uint8 (H, W), direction uint8 (H, W).
    """
    check_width(width)
    check_directions(num_directions)
    check_kernel_size(kernel_size)
    labels = label_array(label_map)
    boxes = label_boxes(labels, ignore_index)
    ignored = labels == ignore_index
    distance = distance_in_boxes(labels, boxes, ignored)
    direction = _direction(distance, labels, boxes, num_directions, kernel_size)
    direction[ignored] = IGNORED_BYTE
    boundary = boundary_from_distance(distance, ignored, width)
    return like(distance, label_map), like(boundary, label_map), like(direction, label_map)


def direction_map(
    label_map: Array, num_directions: int = 8, kernel_size: int = 9, ignore_index: int = 255
) -> Array:
    """Direction class of every pixel: where the interior of its label lies (SegFix, section 3.2).

    The class is that of the gradient of the distance map of the pixel's own label, which is zero
    outside the label and therefore also outside the image, under the large Sobel kernel whose
    weight at (i, j) is (i, j) / (i² + j²). Class 0 is centred on -180 degrees of atan2(dy, dx),
    that is to the left, with 4 directions on -135 degrees, and the others follow clockwise on the
    image (see ``direction_to_offset``). A gradient exactly between two classes gets the later one.
    Where the gradient is zero (the middle line of something symmetric, a label that fills the
    image) no direction is right, and the class is that of 0 degrees.

    ::

        label_map            direction_map, num_directions=8
        0 0 0 1 1 1          0 0 0 4 4 4
        0 0 0 1 1 1          0 0 0 4 4 4
        0 0 0 1 1 1          0 0 0 4 4 4

    Args:
        label_map: (H, W), bool or any integer dtype, any ids.
        num_directions: the paper's m: 4, 8, 16 or 32.
        kernel_size: pixels, odd, at least 3.
        ignore_index: the id of ignored pixels.

    Returns:
        uint8 (H, W), the class 0 ... m - 1; 255 where ignored.

    Raises:
        TypeError: ``label_map`` is not an integer array.
        ValueError: ``label_map`` is not two-dimensional, or there is no such ``num_directions`` or
            ``kernel_size``.
    """
    return segfix_targets(
        label_map,
        num_directions=num_directions,
        kernel_size=kernel_size,
        ignore_index=ignore_index,
    )[2]


def direction_to_offset(direction_map: Array, num_directions: int = 8) -> Array:
    """The vector of each pixel's direction class, one step long.

    ::

        num_directions=8: 1 2 3    num_directions=4: 0   1
                          0 · 4                        ·
                          7 6 5                      3   2

    One step is 1 pixel (along the longer axis) for 4 and 8 directions, 2 pixels for 16 and 4 pixels
    for 32, which have no shorter whole vectors: divide the ``scale`` of ``apply_offset`` by that to
    move equally far.

    Args:
        direction_map: (H, W) of any integer dtype: 0 ... m - 1, or 255 for "nowhere".
        num_directions: the paper's m: 4, 8, 16 or 32.

    Returns:
        int32 (2, H, W), (dy, dx); (0, 0) for 255.

    Raises:
        TypeError: ``direction_map`` is not an integer array.
        ValueError: there is no such ``num_directions``, or ``direction_map`` is not
            two-dimensional or holds another value.
    """
    check_directions(num_directions)
    _check_classes(direction_map, num_directions)
    table = np.zeros((2, IGNORED_BYTE + 1), np.int32)
    table[:, :num_directions] = DIRECTION_VECTORS[num_directions].T
    if isinstance(direction_map, torch.Tensor):
        vectors = torch.from_numpy(table).to(direction_map.device)
        offset = vectors.index_select(1, direction_map.flatten().long())
        return offset.reshape(2, *direction_map.shape)
    return table.take(direction_map, axis=1)


def check_directions(num_directions: int) -> None:
    """Raise a ValueError for a number of directions that there is no table for."""
    if num_directions not in DIRECTION_VECTORS:
        allowed = ', '.join(map(str, DIRECTION_VECTORS))
        raise ValueError(
            f'num_directions must be one of {allowed} (it is m in the SegFix paper, not the number '
            f'of classes), got {num_directions}'
        )


def _check_classes(direction_map: Array, num_directions: int) -> None:
    if isinstance(direction_map, torch.Tensor):
        is_integer = not (direction_map.is_floating_point() or direction_map.is_complex())
    else:
        is_integer = direction_map.dtype.kind in 'iu'
    if not is_integer:
        raise TypeError(f'direction_map must be of an integer dtype, got {direction_map.dtype}')
    if direction_map.ndim != 2:
        raise ValueError(f'direction_map must have shape (H, W), got {tuple(direction_map.shape)}')
    known = (direction_map >= 0) & (direction_map < num_directions)
    if not (known | (direction_map == IGNORED_BYTE)).all():
        raise ValueError(
            f'direction_map must hold 0 ... {num_directions - 1} for num_directions='
            f'{num_directions}, or {IGNORED_BYTE}; got {direction_map.min()} ... '
            f'{direction_map.max()}'
        )


def check_kernel_size(kernel_size: int) -> None:
    """Raise a ValueError for a kernel that has no centre or no neighbours."""
    if not isinstance(kernel_size, int | np.integer) or kernel_size < 3 or kernel_size % 2 == 0:
        raise ValueError(f'kernel_size must be an odd number >= 3, got {kernel_size}')


def sobel_kernels(kernel_size: int) -> np.ndarray:
    """The large Sobel kernels, float64 (2, k, k): weight at (i, j) = (i, j) / (i² + j²)."""
    radius = kernel_size // 2
    steps = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    return steps / np.maximum((steps**2).sum(axis=0), 1)


def _direction(
    distance: np.ndarray,
    labels: np.ndarray,
    boxes: list[LabelBox],
    num_directions: int,
    kernel_size: int,
) -> np.ndarray:
    """Direction class (H, W) of every pixel that has a box."""
    kernels = sobel_kernels(kernel_size)
    farthest = float(distance.max())
    if math.isinf(farthest):  # one label fills the image
        distance, farthest = np.zeros_like(distance), 0.0
    gradient = _gradient(distance, labels, boxes, kernels)
    sector = _sector(gradient, num_directions)
    # float32 may fall on the wrong side where the gradient points nearly between two classes
    rounding = 1e-6 * (np.abs(kernels[0]).sum() * farthest)
    length = cv2.magnitude(*gradient)
    off_edge = np.abs(sector - np.rint(sector)) * (2 * np.pi / num_directions) * length
    unsure = np.flatnonzero(off_edge <= rounding + 2e-6 * length)
    sector = np.floor(sector)
    exact = _gradient_at(unsure, distance, labels, kernels)
    sector.reshape(-1)[unsure] = np.floor(_sector(exact, num_directions))
    return (sector % num_directions).astype(np.uint8)


def _sector(gradient: np.ndarray, num_directions: int) -> np.ndarray:
    """Angle of the gradient (2, ...) in classes, from the start of class 0; floor is the class."""
    first_y, first_x = DIRECTION_VECTORS[num_directions][0].tolist()
    turn = np.arctan2(gradient[0], gradient[1])
    turn -= math.atan2(first_y, first_x) - math.pi / num_directions
    turn *= num_directions / (2 * math.pi)
    return turn


def _gradient(
    distance: np.ndarray, labels: np.ndarray, boxes: list[LabelBox], kernels: np.ndarray
) -> np.ndarray:
    """Sobel gradient, float32 (2, H, W), of each label's own distance map inside its boxes."""
    gradient = np.zeros((2, *labels.shape), np.float32)
    for box in boxes:
        outer, inner = box.grown(kernels.shape[-1] // 2)
        inside = labels[outer] == box.label
        own = distance[outer] * inside
        for axis in range(2):
            response = cv2.filter2D(own, -1, kernels[axis], borderType=cv2.BORDER_CONSTANT)
            np.copyto(gradient[axis][box.window()], response[inner], where=inside[inner])
    return gradient


def _gradient_at(
    pixels: np.ndarray, distance: np.ndarray, labels: np.ndarray, kernels: np.ndarray
) -> np.ndarray:
    """The same at flat pixel indices (K,), without rounding errors: float64 (2, K).

    Distances are roots of whole numbers, which float32 still tells apart up to 2000 pixels.
    Components that cancel out are exactly zero.
    """
    radius = kernels.shape[-1] // 2
    weights = kernels.reshape(2, -1).T
    y, x = np.divmod(pixels, labels.shape[1])
    distance, labels = np.pad(distance, radius), np.pad(labels, radius)
    width = labels.shape[1]
    centres = (y + radius) * width + x + radius
    dy, dx = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    window = dy * width + dx
    gradient = np.empty((len(pixels), 2))
    chunk = max(1, 2**18 // len(window))
    for begin in range(0, len(pixels), chunk):
        here = centres[begin : begin + chunk, None]
        there = here + window
        squared = np.square(distance.take(there), dtype=np.float64)
        squared *= labels.take(there) == labels.take(here)
        gradient[begin : begin + chunk] = np.sqrt(np.rint(squared, out=squared)) @ weights
    gradient[np.abs(gradient) < 1e-9 * (1 + distance.max())] = 0
    return gradient.T
