"""Shift labels where the directions, taken together, are sure that they are wrong.

Shapes: N = masks in a stack; H, W = rows and columns; m = directions; K = some of the pixels.
"""

from __future__ import annotations

import numpy as np
import torch

from .boundary import Array, like
from .direction import DIRECTION_VECTORS, check_directions


def apply_votes(
    masks: Array,
    votes: Array,
    scale: float = 2,
    min_confidence: float = 0.5,
    ignore_index: int | None = None,
) -> Array:
    """Give a pixel another label where directions with enough votes lead to others.

    ``apply_offset`` follows the most probable direction, however little it leads by. Here
    each direction votes for the label found at position + ``scale`` · its offset, and a pixel's
    own label changes only if those for other labels have more than ``min_confidence`` together;
    then to the one of them with the most. The sum is the probability, as the network sees it,
    that the label is wrong.

    Args:
        masks: label map (H, W) of any integer dtype, or stack of masks (N, H, W), any dtype.
        votes: (m, H, W), float: the probability that a pixel is boundary and its interior lies in
            that direction; at most 1 in sum.
        scale: as for ``apply_offset``.
        min_confidence: 0 to 1; at 1 nothing changes.
        ignore_index: label of (H, W) maps that is neither changed nor fetched, if any.

    Returns:
        A copy of ``masks`` with labels changed: same shape and dtype; of tensors a tensor on their
        device, worked out on the CPU.

    Raises:
        TypeError: ``masks`` and ``votes`` are not both arrays or both tensors.
        ValueError: the shapes do not belong together, there are not 4, 8, 16 or 32 directions, or
            ``scale`` or ``min_confidence`` is out of range.
    """
    if isinstance(masks, torch.Tensor) and isinstance(votes, torch.Tensor):
        arrays = masks.detach().cpu().numpy(), votes.detach().float().cpu().numpy()
        return like(_vote(*arrays, scale, min_confidence, ignore_index), masks)
    if not (isinstance(masks, np.ndarray) and isinstance(votes, np.ndarray)):
        raise TypeError(
            'masks and votes must both be numpy arrays or both be torch tensors, got '
            f'{type(masks).__name__} and {type(votes).__name__}'
        )
    return _vote(masks, votes, scale, min_confidence, ignore_index)


def _vote(
    masks: np.ndarray,
    votes: np.ndarray,
    scale: float,
    min_confidence: float,
    ignore_index: int | None,
) -> np.ndarray:
    """``apply_votes`` for arrays."""
    if votes.ndim != 3 or masks.ndim not in (2, 3) or votes.shape[1:] != masks.shape[-2:]:
        raise ValueError(
            'expected masks (H, W) or (N, H, W) and votes (m, H, W), got '
            f'{masks.shape} and {votes.shape}'
        )
    if not (scale > 0 and 0 <= min_confidence <= 1):
        raise ValueError(
            f'expected scale > 0 and min_confidence from 0 to 1, got {scale} and {min_confidence}'
        )
    steps = _steps(len(votes), scale)
    result = np.array(masks, order='C')
    if masks.ndim == 2:
        _change(masks, votes, steps, min_confidence, ignore_index, result)
        return result
    reach = int(np.abs(steps).max(initial=0))
    for mask, refined in zip(masks, result, strict=True):
        window = _window_around(mask, reach)
        _change(
            mask[window],
            votes[(slice(None), *window)],
            steps,
            min_confidence,
            None,
            refined[window],
        )
    return result


def votes_against(mask: np.ndarray, votes: np.ndarray, scale: float = 2) -> np.ndarray:
    """How many votes say that a pixel's own label is wrong.

    Args:
        mask: label map (H, W) of any dtype.
        votes: as for ``apply_votes``.
        scale: as for ``apply_offset``.

    Returns:
        float32 (H, W): sum of the votes that lead to another label.
    """
    return _against(mask, votes, _steps(len(votes), scale), None)


def _against(
    labels: np.ndarray, votes: np.ndarray, steps: np.ndarray, ignore_index: int | None
) -> np.ndarray:
    against = np.zeros(labels.shape, np.float32)
    for vote, step in zip(votes, steps, strict=True):
        differs = _differs(_moved(labels, step), labels, ignore_index)
        np.add(against, vote, out=against, where=differs)
    return against


def _steps(num_directions: int, scale: float) -> np.ndarray:
    """Where each direction leads: int (m, 2), (dy, dx)."""
    check_directions(num_directions)
    return np.rint(DIRECTION_VECTORS[num_directions] * float(scale)).astype(np.int64)


def _window_around(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """The box around what is not 0, and ``margin`` more, cut at the border; empty if all is 0."""
    slices = []
    for axis in (1, 0):
        where = np.flatnonzero(mask.any(axis=axis))
        begin, end = (where[0], where[-1] + 1) if len(where) else (0, -margin)
        slices.append(slice(max(begin - margin, 0), max(end + margin, 0)))
    return slices[0], slices[1]


def _change(
    labels: np.ndarray,
    votes: np.ndarray,
    steps: np.ndarray,
    min_confidence: float,
    ignore_index: int | None,
    out: np.ndarray,
) -> None:
    """Change labels (H, W) in ``out``, a copy of them."""
    against = _against(labels, votes, steps, ignore_index)
    y, x = np.nonzero(against > min_confidence)
    if not len(y):
        return
    height, width = labels.shape
    rows = (y + steps[:, :1]).clip(0, height - 1)
    columns = (x + steps[:, 1:]).clip(0, width - 1)
    found = labels[rows, columns]  # (m, K)
    weight = votes[:, y, x].astype(np.float32) * _differs(found, labels[y, x], ignore_index)
    scores = np.stack([(weight * (found == label)).sum(0) for label in found]) * (weight > 0)
    out[y, x] = np.take_along_axis(found, scores.argmax(0)[None], 0)[0]


def _moved(labels: np.ndarray, step: np.ndarray) -> np.ndarray:
    """What is found one step away, or at the border."""
    rows, columns = (
        (np.arange(size) + by).clip(0, size - 1)
        for size, by in zip(labels.shape, step, strict=True)
    )
    return labels[rows[:, None], columns]


def _differs(found: np.ndarray, own: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Where another label was found, and neither is to be ignored."""
    differs = found != own
    if ignore_index is not None:
        differs &= (found != ignore_index) & (own != ignore_index)
    return differs
