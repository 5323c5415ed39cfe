"""Shift labels along an offset field.

Shapes: N = masks in a stack; H, W = rows and columns. Offsets are (dy, dx), whole pixels.
"""

from __future__ import annotations

import numpy as np
import torch

from .boundary import Array


def apply_offset(masks: Array, offset: Array, scale: float = 2, steps: int = 1) -> Array:
    """Give every pixel the label found at its own position + ``scale`` · ``offset``."""
    xp = torch if isinstance(masks, torch.Tensor) else np
    height, width = masks.shape[-2:]
    if isinstance(masks, torch.Tensor):
        pixels = torch.nonzero((offset != 0).any(0).flatten()).squeeze(1)
        result = masks.clone()
    else:
        pixels = np.flatnonzero((offset != 0).any(0))
        result = masks.copy()
    flat = offset.reshape(2, -1)
    source = pixels
    for _ in range(steps):
        y = source // width + xp.round(scale * flat[0][source])
        x = source % width + xp.round(scale * flat[1][source])
        y, x = xp.clip(y, 0, height - 1), xp.clip(x, 0, width - 1)
        source = (
            (y * width + x).long() if isinstance(y, torch.Tensor) else (y * width + x).astype(int)
        )
    columns = masks.reshape(-1, height * width)
    result.reshape(-1, height * width)[:, pixels] = columns[:, source]
    return result
