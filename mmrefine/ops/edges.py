"""Semantic edges: the pixels at which labels meet.

Shapes: N = batch, C = classes, H, W = rows and columns. Coordinates are (row, column).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .ignored import IGNORED_BYTE

Array = TypeVar('Array', np.ndarray, torch.Tensor)

# Half of the 8 neighbours: every pair of neighbours is compared once and marks both.
NEIGHBOURS_YX = ((0, 1), (1, 0), (1, 1), (1, -1))


def semantic_edge_map(label_map: Array, ignore_index: int = 255) -> Array:
    """Mark the pixels that do not have 8 neighbours of their own label (SEMEDA, Section 3).

    Ignored pixels are neither edges nor neighbours. Nor is what lies outside: the image border
    is not an edge, and a border pixel is judged by the neighbours it has.

    ::

        label_map      semantic_edge_map
        0 0 0 1        0 0 1 1
        0 0 0 1        0 0 1 1
        0 0 0 0        0 0 1 1

    Args:
        label_map: (H, W) or (N, H, W), bool or any integer dtype, any ids.
        ignore_index: the id of ignored pixels.

    Returns:
        uint8, shape of ``label_map``, a tensor on its device for a tensor: 1 on edges, else 0;
        255 where ignored.

    Raises:
        TypeError: ``label_map`` is not an integer array.
        ValueError: ``label_map`` is neither two- nor three-dimensional.
    """
    _check(label_map)
    ignored = label_map == ignore_index
    edge = ignored & ~ignored  # all false, of the right kind and on the right device
    for dy, dx in NEIGHBOURS_YX:
        here, there = _pair(dy, dx)
        differ = (label_map[here] != label_map[there]) & ~(ignored[here] | ignored[there])
        edge[here] |= differ
        edge[there] |= differ
    byte = torch.uint8 if isinstance(edge, torch.Tensor) else np.uint8
    result: Array = edge.view(byte)
    result[ignored] = IGNORED_BYTE
    return result


def soft_edge_map(probabilities: Tensor, ignored: Tensor | None = None) -> Tensor:
    """Semantic edges of class probabilities: how sure it is that labels meet at a pixel.

    One minus the sum over classes of the least probability in the 3×3 pixels around. For one-hot
    probabilities that is ``semantic_edge_map``; and every edge has a gradient.

    Args:
        probabilities: (N, C, H, W), of sum 1 over C.
        ignored: (N, H, W) bool; these pixels are neither edges nor neighbours.

    Returns:
        (N, H, W) from 0 to 1, 0 where ignored.
    """
    if ignored is not None:  # never the least of a neighbourhood
        probabilities = probabilities.masked_fill(ignored[:, None], 1)
    least = -F.max_pool2d(-probabilities, 3, stride=1, padding=1)
    edge = (1 - least.sum(1)).clamp(0, 1)
    return edge if ignored is None else edge.masked_fill(ignored, 0)


def widen(edges: Tensor, width: int) -> Tensor:
    """Edges (N, H, W) whose pixels are ``width`` on each side of where labels meet.

    Args:
        edges: floating, as ``semantic_edge_map`` and ``soft_edge_map`` give: 1 on each
            side.
        width: pixels, 1 or more.
    """
    side = 2 * width - 1
    return F.max_pool2d(edges[:, None], side, stride=1, padding=side // 2)[:, 0]


def _pair(dy: int, dx: int) -> tuple[tuple, tuple]:
    """Indices of all pixels that have a neighbour at (dy, dx), and of these neighbours."""
    rows = slice(None, -dy or None), slice(dy, None)
    columns = slice(max(-dx, 0), -dx if dx > 0 else None), slice(max(dx, 0), dx if dx < 0 else None)
    return (..., rows[0], columns[0]), (..., rows[1], columns[1])


def _check(label_map: np.ndarray | torch.Tensor) -> None:
    if isinstance(label_map, torch.Tensor):
        integer = not (label_map.is_floating_point() or label_map.is_complex())
    else:
        integer = isinstance(label_map, np.ndarray) and label_map.dtype.kind in 'biu'
    if not integer:
        found = getattr(label_map, 'dtype', type(label_map).__name__)
        raise TypeError(f'label_map must be an array or tensor of an integer dtype, got {found}')
    if label_map.ndim not in (2, 3) or 0 in label_map.shape:
        raise ValueError(
            'label_map must have shape (H, W) or (N, H, W), none of them 0, got '
            f'{tuple(label_map.shape)}'
        )
