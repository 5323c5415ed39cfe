"""Shifts, scales, affine and projective transforms of a tile, as InverseForm estimates them.

A transform is 4, 6 or 8 parameters. All zero is the identity; a parameter of ±1 is as far as
transforms go that are drawn at random:

===  ====================================================================================
P    parameters
===  ====================================================================================
4    shift (y, x) in quarters of the tile, log scale (y, x) in fifths
6    the first two rows of the matrix minus the identity: linear part in fifths, shift as above
8    these six, and the first two entries of the last row in tenths
===  ====================================================================================

Matrices are 3×3 and act on columns (y, x, 1). Coordinates run from -1 to 1 over the tile, from
outer edge to outer edge of its border pixels, so that a transform means the same for any tile size.

Legend: N transforms, P parameters, h w size of the tile.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

SHIFT, LOG_SCALE, LINEAR, PROJECTIVE = 0.5, 0.2, 0.2, 0.1
RANGES = {
    4: (SHIFT, SHIFT, LOG_SCALE, LOG_SCALE),
    6: (LINEAR, LINEAR, SHIFT, LINEAR, LINEAR, SHIFT),
    8: (LINEAR, LINEAR, SHIFT, LINEAR, LINEAR, SHIFT, PROJECTIVE, PROJECTIVE),
}
# What becomes of the parameters when both sides of a pair are mirrored.
MIRRORED_Y = {4: (-1, 1, 1, 1), 6: (1, -1, -1, -1, 1, 1), 8: (1, -1, -1, -1, 1, 1, -1, 1)}
MIRRORED_X = {4: (1, -1, 1, 1), 6: (1, -1, 1, -1, 1, -1), 8: (1, -1, 1, -1, 1, -1, 1, -1)}
TRANSPOSED = {4: (1, 0, 3, 2), 6: (4, 3, 5, 1, 0, 2), 8: (4, 3, 5, 1, 0, 2, 7, 6)}
SWAP_YX = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1.0]])


def transform_matrix(parameters: Tensor) -> Tensor:
    """Matrices of transforms.

    Args:
        parameters: (N, P), floating.

    Returns:
        (N, 3, 3), of the same dtype; differentiable.

    Raises:
        ValueError: ``parameters`` are not 4, 6 or 8 each.
    """
    count = parameters.shape[-1]
    if parameters.ndim != 2 or count not in RANGES:
        raise ValueError(f'parameters: expected (N, 4), (N, 6) or (N, 8), got {parameters.shape}')
    values = parameters * parameters.new_tensor(RANGES[count])
    if count == 4:
        zero = torch.zeros_like(values[:, 0])
        shift, scale = values[:, :2], values[:, 2:].exp() - 1
        rows = (scale[:, 0], zero, shift[:, 0], zero, scale[:, 1], shift[:, 1])
        values = torch.stack(rows, dim=1)
    rest = values.new_zeros(len(values), 9 - values.shape[1])
    identity = torch.eye(3, dtype=values.dtype, device=values.device)
    return torch.cat([values, rest], dim=1).view(-1, 3, 3) + identity


def orientations(pairs: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of tiles in all their orientations, with the transform between the two sides of each.

    Args:
        pairs: (N, 2, h, w).
        parameters: (N, P).

    Returns:
        (4 N, 2, h, w) and (4 N, P): as they are, mirrored up-down, left-right, both. Twice as many,
        transposed as well, for square tiles.
    """
    count = parameters.shape[1]
    for dimension, signs in ((2, MIRRORED_Y), (3, MIRRORED_X)):
        pairs = torch.cat([pairs, pairs.flip(dimension)])
        parameters = torch.cat([parameters, parameters * parameters.new_tensor(signs[count])])
    if pairs.shape[2] == pairs.shape[3]:
        pairs = torch.cat([pairs, pairs.mT])
        parameters = torch.cat([parameters, parameters[:, TRANSPOSED[count]]])
    return pairs, parameters


def pixel_matrix(matrix: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """A matrix for columns (x, y, 1) in pixels, as OpenCV wants it; (3, 3) float64."""
    height, width = size_hw
    to_pixels = np.array([[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1.0]])
    to_pixels[:2, 2] -= 0.5  # pixel 0 is at its centre
    return to_pixels @ SWAP_YX @ matrix @ SWAP_YX @ np.linalg.inv(to_pixels)


def transform_labels(
    labels: np.ndarray, matrix: np.ndarray, top_left: tuple[int, int], size_hw: tuple[int, int]
) -> np.ndarray:
    """A tile of a label map, moved by a transform; what comes in from outside is the map's.

    Args:
        labels: (H, W), any integer dtype, ids below 2**24.
        matrix: (3, 3); where a point of the tile goes to.
        top_left: row and column of the tile in the map.
        size_hw: h and w.

    Returns:
        (h, w), dtype of ``labels``. No new ids appear; outside of the map its border is repeated.
    """
    top, left = top_left
    height, width = size_hw
    to_tile = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]])
    warped = cv2.warpPerspective(
        labels.astype(np.float32),
        pixel_matrix(matrix, size_hw) @ to_tile,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped.astype(labels.dtype)


def displacement(first: np.ndarray, second: np.ndarray, size_hw: tuple[int, int]) -> float:
    """How far apart two transforms put the points of a tile, in pixels.

    Args:
        first: (3, 3).
        second: (3, 3).
        size_hw: h and w.

    Returns:
        Mean distance over 9×9 points spread over the tile.
    """
    line = np.linspace(-1, 1, 9)
    points = np.stack([*(g.ravel() for g in np.meshgrid(line, line, indexing='ij')), np.ones(81)])
    moved = [matrix @ points for matrix in (first, second)]
    difference = moved[0][:2] / moved[0][2:] - moved[1][:2] / moved[1][2:]
    return float(np.hypot(*(difference * np.reshape(size_hw, (2, 1)) / 2)).mean())
