"""Shift labels along an offset field.

Shapes: N = masks in a stack; H, W = rows and columns; K = some of the H · W pixels, as flat
indices. Offsets are (dy, dx).
"""

from __future__ import annotations

import numpy as np
import torch

from .boundary import Array

BLOCK = 2**16  # pixels worked on at once: what fits in the processor's cache


def apply_offset(masks: Array, offset: Array, scale: float = 2, steps: int = 1) -> Array:
    """Give every pixel the label found at its own position + ``scale`` · ``offset``.

    Labels are fetched by index and never interpolated, so none appears that was not there. Where
    the offset is zero nothing changes. (SegFix, section 3.3; its iterative scheme is ``scale=1``
    with several ``steps``.)

    ::

        masks      offset, dx    scale=1    scale=2    scale=1, steps=2
        7 5 5 5    0 -1 -1  0    7 7 5 5    7 7 7 5    7 7 7 5
        7 7 5 5    0 -1 -1  1    7 7 7 5    7 7 7 5    7 7 7 5

    Args:
        masks: label map (H, W) or stack of masks (N, H, W), any dtype.
        offset: (2, H, W), (dy, dx), any signed integer dtype.
        scale: what the offset is multiplied with, > 0; the product is rounded to whole pixels.
            Positions beyond the image are moved to its border.
        steps: how many times to follow the field, at least 1. A pixel that has come to one with
            zero offset stays there.

    Returns:
        A copy of ``masks`` with the labels shifted: same shape and dtype.

    Raises:
        TypeError: ``masks`` and ``offset`` are not both arrays or both tensors, or ``offset`` is
            not of a signed integer dtype.
        ValueError: the shapes do not belong together, or ``scale`` or ``steps`` is too small.
    """
    _check(masks, offset, scale, steps)
    if isinstance(masks, torch.Tensor):
        if masks.device.type == 'cpu':  # torch gathers five times more slowly there than numpy
            shifted = apply_offset(masks.detach().numpy(), offset.numpy(), scale, steps)
            return torch.from_numpy(shifted)
        return _shift_on_device(masks, offset, scale, steps)
    height, width = masks.shape[-2:]
    fields = np.ascontiguousarray(offset).reshape(2, -1)
    result = np.array(masks, order='C')
    planes = np.ascontiguousarray(masks).reshape(-1, height * width)
    for start in range(0, height * width, BLOCK):
        block = fields[:, start : start + BLOCK]
        moved = np.flatnonzero(np.logical_or(block[0], block[1])) + start
        found = moved
        for _ in range(steps):
            found = _follow(found, fields, (height, width), scale)
        for plane, shifted in zip(planes, result.reshape(planes.shape), strict=True):
            shifted[moved] = plane[found]
    return result


def _shift_on_device(
    masks: torch.Tensor, offset: torch.Tensor, scale: float, steps: int
) -> torch.Tensor:
    """``apply_offset`` for tensors that shall not leave their device."""
    height, width = masks.shape[-2:]
    fields = offset.reshape(2, -1)
    found = torch.arange(height * width, device=masks.device)
    for _ in range(steps):
        found = _follow(found, fields, (height, width), scale)
    return masks.reshape(-1, height * width)[:, found].reshape(masks.shape)


def _follow(pixels: Array, fields: Array, size_hw: tuple[int, int], scale: float) -> Array:
    """Where pixels (K,) come to in one step along the fields (2, H · W)."""
    height, width = size_hw
    y = pixels // width
    x = pixels - y * width
    y = (y + _whole(fields[0][pixels], scale)).clip(0, height - 1)
    x = (x + _whole(fields[1][pixels], scale)).clip(0, width - 1)
    return y * width + x


def _whole(values: Array, scale: float) -> Array:
    """Integers times ``scale``, rounded, as int64 (in which nothing overflows)."""
    if isinstance(values, torch.Tensor):
        return (values.long() * scale).round().long()
    if isinstance(scale, int):
        return np.multiply(values, scale, dtype=np.int64)
    return np.rint(values * scale).astype(np.int64)


def _check(masks: Array, offset: Array, scale: float, steps: int) -> None:
    if isinstance(masks, np.ndarray) and isinstance(offset, np.ndarray):
        signed = offset.dtype.kind == 'i'
    elif isinstance(masks, torch.Tensor) and isinstance(offset, torch.Tensor):
        signed = offset.dtype in (torch.int8, torch.int16, torch.int32, torch.int64)
    else:
        raise TypeError(
            'masks and offset must both be numpy arrays or both be torch tensors, got '
            f'{type(masks).__name__} and {type(offset).__name__}'
        )
    if not signed:
        raise TypeError(f'offset must be of a signed integer dtype, got {offset.dtype}')
    if masks.ndim not in (2, 3):
        raise ValueError(f'masks must have shape (H, W) or (N, H, W), got {tuple(masks.shape)}')
    if tuple(offset.shape) != (2, *masks.shape[-2:]):
        raise ValueError(
            f'offset must have shape (2, H, W) with the H, W of masks {tuple(masks.shape)}, got '
            f'{tuple(offset.shape)}'
        )
    if not scale > 0:
        raise ValueError(f'scale must be > 0, got {scale}')
    if steps < 1:
        raise ValueError(f'steps must be at least 1, got {steps}')
