"""Shift labels where the directions, taken together, are sure that they are wrong.

Shapes: N = masks in a stack; H, W = rows and columns; m = directions; K = some of the pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from .boundary import Array, like
from .direction import DIRECTION_VECTORS, check_directions

# An outline is off where more than this share of the pixels along it, at most so many pixels away
# in rows and columns, has more than MOVES of its votes against its label.
OFF_SHARE, OFF_REACH, MOVES = 0.25, 80, 0.5
# How much of the votes a pixel must have against its label to change in a further step.
FURTHER_CONFIDENCE = 0.65


def apply_votes(
    masks: Array,
    votes: Array,
    scale: float = 2,
    min_confidence: float = 0.5,
    ignore_index: int | None = None,
    steps: int = 1,
) -> Array:
    """Give a pixel another label where directions with enough votes lead to others.

    ``apply_offset`` follows the most probable direction, however little it leads by. Here
    each direction votes for the label found at position + ``scale`` · its offset, and a pixel's
    own label changes only if those for other labels have more than ``min_confidence`` together;
    then to the one of them with the most. The sum is the probability, as the network sees it,
    that the label is wrong.

    With more ``steps``, pixels vote again on the labels as changed, but only along outlines that
    are off: where many pixels nearby are to change, too. So a mask that is a few pixels too large
    or beside its object gets there, and a good one keeps its details.

    Args:
        masks: label map (H, W) of any integer dtype, or stack of masks (N, H, W), any dtype.
        votes: (m, H, W), float: the probability that a pixel is boundary and its interior lies in
            that direction; at most 1 in sum.
        scale: as for ``apply_offset``.
        min_confidence: 0 to 1; at 1 nothing changes.
        ignore_index: label of (H, W) maps that is neither changed nor fetched, if any.
        steps: how often pixels vote at most.

    Returns:
        A copy of ``masks`` with labels changed: same shape and dtype; of tensors a tensor on their
        device, worked out on the CPU.

    Raises:
        TypeError: ``masks`` and ``votes`` are not both arrays or both tensors.
        ValueError: the shapes do not belong together, there are not 4, 8, 16 or 32 directions, or
            ``scale``, ``min_confidence`` or ``steps`` is out of range.
    """
    if isinstance(masks, torch.Tensor) and isinstance(votes, torch.Tensor):
        arrays = masks.detach().cpu().numpy(), votes.detach().float().cpu().numpy()
        voted = _vote(*arrays, scale, min_confidence, ignore_index, steps)
        return like(voted, masks)
    if not (isinstance(masks, np.ndarray) and isinstance(votes, np.ndarray)):
        raise TypeError(
            'masks and votes must both be numpy arrays or both be torch tensors, got '
            f'{type(masks).__name__} and {type(votes).__name__}'
        )
    return _vote(masks, votes, scale, min_confidence, ignore_index, steps)


def vote_reach(num_directions: int, scale: float, steps: int) -> int:
    """How far away votes matter for a pixel, in rows and columns: pixels, for margins of windows.

    The arguments are those of ``apply_votes``.
    """
    farthest = int(np.abs(_vectors(num_directions, scale)).max(initial=0))
    return farthest * steps + (OFF_REACH if steps > 1 else 0)


def _vote(
    masks: np.ndarray,
    votes: np.ndarray,
    scale: float,
    min_confidence: float,
    ignore_index: int | None,
    steps: int,
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
    if steps < 1:
        raise ValueError(f'steps must be at least 1, got {steps}')
    vectors = _vectors(len(votes), scale)
    if masks.ndim == 2:
        return _voted(masks, votes, vectors, min_confidence, ignore_index, steps)
    result = np.array(masks, order='C')
    margin = int(np.abs(vectors).max(initial=0)) * steps
    for mask, refined in zip(masks, result, strict=True):
        window = _window_around(mask, margin)
        part = votes[(slice(None), *window)]
        refined[window] = _voted(mask[window], part, vectors, min_confidence, None, steps)
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
    return _against(mask, votes, _vectors(len(votes), scale), None)


def _against(
    labels: np.ndarray, votes: np.ndarray, vectors: np.ndarray, ignore_index: int | None
) -> np.ndarray:
    against = np.zeros(labels.shape, np.float32)
    for vote, vector in zip(votes, vectors, strict=True):
        differs = _differs(_moved(labels, vector), labels, ignore_index)
        np.add(against, vote, out=against, where=differs)
    return against


def _vectors(num_directions: int, scale: float) -> np.ndarray:
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


def _voted(
    labels: np.ndarray,
    votes: np.ndarray,
    vectors: np.ndarray,
    min_confidence: float,
    ignore_index: int | None,
    steps: int,
) -> np.ndarray:
    """A copy of labels (H, W), changed."""
    labels = np.array(labels, order='C')
    for step in range(steps):
        against = _against(labels, votes, vectors, ignore_index)
        changes = against > min_confidence
        if step:
            changes &= against > FURTHER_CONFIDENCE
            changes &= _is_off(labels, against, ignore_index)
        y, x = np.nonzero(changes)
        if not len(y):
            break
        labels[y, x] = _elected(labels, votes, vectors, y, x, ignore_index)
    return labels


def _elected(
    labels: np.ndarray,
    votes: np.ndarray,
    vectors: np.ndarray,
    y: np.ndarray,
    x: np.ndarray,
    ignore_index: int | None,
) -> np.ndarray:
    """The label (K,) with the most votes, of all but its own, of each of some pixels."""
    height, width = labels.shape
    rows = (y + vectors[:, :1]).clip(0, height - 1)
    columns = (x + vectors[:, 1:]).clip(0, width - 1)
    found = labels[rows, columns]  # (m, K)
    weight = votes[:, y, x].astype(np.float32) * _differs(found, labels[y, x], ignore_index)
    scores = np.stack([(weight * (found == label)).sum(0) for label in found]) * (weight > 0)
    return np.take_along_axis(found, scores.argmax(0)[None], 0)[0]


def _is_off(labels: np.ndarray, against: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Where the outlines nearby are off."""
    edges = np.zeros(labels.shape, bool)
    for axis in range(2):
        lines, along = np.moveaxis(labels, axis, 0), np.moveaxis(edges, axis, 0)
        differs = _differs(lines[:-1], lines[1:], ignore_index)
        along[:-1] |= differs
        along[1:] |= differs
    side = (2 * OFF_REACH + 1,) * 2
    moving, all_edges = (
        cv2.boxFilter(
            part.astype(np.float32), -1, side, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        for part in (edges & (against > MOVES), edges)
    )
    return moving > OFF_SHARE * all_edges


def _moved(labels: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """What is found where a vector leads, or at the border."""
    rows, columns = (
        (np.arange(size) + by).clip(0, size - 1)
        for size, by in zip(labels.shape, vector, strict=True)
    )
    return labels[rows[:, None], columns]


def _differs(found: np.ndarray, own: np.ndarray, ignore_index: int | None) -> np.ndarray:
    """Where another label was found, and neither is to be ignored."""
    differs = found != own
    if ignore_index is not None:
        differs &= (found != ignore_index) & (own != ignore_index)
    return differs
