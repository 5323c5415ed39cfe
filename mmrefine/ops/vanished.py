"""Objects that refining would make vanish stay as they were.

Shapes: N = masks in a stack; H, W = rows and columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

BLOCK = 2**22  # pixels looked at together


def keep_vanished(
    coarse: np.ndarray, refined: np.ndarray, ignore_index: int | None = None
) -> np.ndarray:
    """Give back what no pixel is left of.

    ::

        coarse    refined    kept
        1 1 0     1 1 1      1 1 1
        1 2 0     1 1 0      1 2 0

    Args:
        coarse: label map (H, W) of any integer dtype, one mask (H, W) bool, or stack (N, H, W).
        refined: the same, refined; changed in place. In a label map, labels are a subset of
            those of ``coarse``.
        ignore_index: label of (H, W) maps that is not looked at, if any.

    Returns:
        ``refined``. A mask of a stack, or a label of a map, that has pixels in ``coarse`` and none
        in ``refined`` has those that it had.
    """
    if coarse.ndim == 3 or coarse.dtype == np.bool_:
        masks = zip(coarse.reshape(-1, *coarse.shape[-2:]), _planes(refined), strict=True)
        for before, after in masks:
            if before.any() and not after.any():
                after[...] = before
        return refined
    blocks = list(zip(_blocks(coarse), _blocks(refined), strict=True))
    candidates = np.unique(np.concatenate([np.unique(b[b != a]) for b, a in blocks]))
    if ignore_index is not None:
        candidates = candidates[candidates != ignore_index]
    # To give one back can take the last pixel of another; none that was given back is lost again.
    while True:
        lost = candidates[~_present(candidates, refined)]
        if not len(lost):
            return refined
        for before, after in blocks:
            where = np.isin(before, lost)
            after[where] = before[where]


def _planes(refined: np.ndarray) -> np.ndarray:
    return refined[None] if refined.ndim == 2 else refined


def _present(labels: np.ndarray, label_map: np.ndarray) -> np.ndarray:
    """Which of some labels a map has, bool (len(labels),)."""
    found = np.zeros(len(labels), bool)
    for block in _blocks(label_map):
        if found.all():
            break
        found |= np.isin(labels, np.unique(block))
    return found


def _blocks(label_map: np.ndarray) -> Iterator[np.ndarray]:
    """Strips of rows, so that large maps need little memory beside their own."""
    rows = max(1, BLOCK // max(1, label_map.shape[1]))
    for start in range(0, len(label_map), rows):
        yield label_map[start : start + rows]
