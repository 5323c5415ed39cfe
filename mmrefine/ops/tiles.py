"""Cutting maps into tiles of one size.

Legend: N batch, C channels, H W size of the maps, T tiles of a map, h w size of a tile.
"""

from __future__ import annotations

import torch
from torch import Tensor


def cut_tiles(maps: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Cut maps into as few tiles as cover them, evenly spaced.

    Where the size of the maps is no multiple of the tile's, tiles overlap; none goes over the
    border.

    Args:
        maps: (N, C, H, W).
        size_hw: h and w, at most H and W.

    Returns:
        (N, T, C, h, w), row by row; differentiable.

    Raises:
        ValueError: ``size_hw`` is larger than the maps.
    """
    height, width = size_hw
    rows, columns = (
        _starts(length, side) for length, side in zip(maps.shape[2:], size_hw, strict=True)
    )
    tiles = [maps[..., y : y + height, x : x + width] for y in rows for x in columns]
    return torch.stack(tiles, dim=1)


def _starts(length: int, side: int) -> list[int]:
    """First positions of intervals of length ``side`` that cover 0 to ``length``."""
    if not 1 <= side <= length:
        raise ValueError(f'size_hw: expected 1 to {length}, the size of the maps, got {side}')
    count = -(-length // side)
    return [round(k * (length - side) / max(count - 1, 1)) for k in range(count)]
