"""Distance of each pixel to the boundary of its own region.

Shape legend: H, W = image; L = limit.

Let q be the nearest pixel with another label than p's, in some column. All that matters of a
column is the row distance from p's row to the nearest pixel in it that carries another label.
So one pass along the columns finds, for each pixel, the nearest label and the nearest label
other than that one, and one pass along the rows tries the columns up to L to either side: exact,
for all labels at once, in whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BLOCK = 2**17
"""Pixels handled at once in the pass along the rows: what fits into the processor's cache."""


def squared_boundary_distance(
    labels: np.ndarray,
    limit: float,
    ignored: np.ndarray | None = None,
    void_boundary: bool = False,
) -> np.ndarray:
    """Squared distance of each pixel to the nearest pixel that carries another label.

    The pixels on both sides of a boundary have distance 1. The image border is no boundary.

    Args:
        labels: (H, W) integers >= 0.
        limit: Distances up to this are found, in pixels.
        ignored: (H, W) bool, or None.
        void_boundary: Whether ignored pixels count as another label.

    Returns:
        (H, W) uint16 or int64: the exact squared Euclidean distance where that is at most
        ``limit``; something larger than ``limit ** 2`` elsewhere and for ignored pixels.
    """
    reach = int(min(limit, max(labels.shape)))
    far = int(limit) + 1 if np.isfinite(limit) else sum(labels.shape)
    dtype = np.uint16 if far**2 + reach**2 < 2**16 else np.int64
    if ignored is not None and void_boundary:
        labels = np.where(ignored, labels.max() + 1, labels)
    valid = None if ignored is None or void_boundary else ~ignored
    nearest, first, second = _along_columns(labels, valid, far)
    first, second = first.astype(dtype) ** 2, second.astype(dtype) ** 2
    best = second.copy()
    rows = max(1, BLOCK // labels.shape[1])
    for top in range(0, len(labels), rows):
        block = np.s_[top : top + rows]
        _along_rows(labels[block], nearest[block], first[block], second[block], reach, best[block])
    if ignored is not None:
        best[ignored] = far**2
    return best


def band_of(squared: np.ndarray, widths: Sequence[float]) -> np.ndarray:
    """In which band each pixel lies.

    Args:
        squared: Squared distances, any shape, from ``squared_boundary_distance``.
        widths: Upper ends of the bands, increasing; the last at most its ``limit``.

    Returns:
        The index of the first width that is not exceeded, ``len(widths)`` if all are.
    """
    each = np.sqrt(np.arange(int(squared.max()) + 1))
    return np.searchsorted(np.asarray(widths), each).astype(np.intp)[squared]


def _along_columns(
    labels: np.ndarray, valid: np.ndarray | None, far: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each pixel's column holds.

    Returns:
        Label of the nearest valid pixel, its distance, and the distance of the nearest valid
        pixel with another label than that; distances are at most ``far``.
    """
    below = _looking_up(labels[::-1], None if valid is None else valid[::-1], far)
    up, down = _looking_up(labels, valid, far), tuple(part[::-1] for part in below)
    if valid is None:
        return labels, up[1], np.minimum(up[2], down[2])
    nearest = np.where(up[1] <= down[1], up[0], down[0])
    first = np.minimum(up[1], down[1])
    others = [np.where(side[0] == nearest, side[2], side[1]) for side in (up, down)]
    return nearest, first, np.minimum(*others)


def _looking_up(
    labels: np.ndarray, valid: np.ndarray | None, far: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same as ``_along_columns``, of the pixel and those above it only."""
    height, width = labels.shape
    nearest = labels if valid is None else np.empty_like(labels)
    first, second = np.zeros((2, height, width), np.int32)
    label, near, other = labels[0], np.full(width, far), np.full(width, far)
    for y in range(height):
        here = labels[y]
        near, other = np.minimum(near + 1, far), np.minimum(other + 1, far)
        changed = here != label
        if valid is None:
            # The row above is 1 away.
            other = np.where(changed, 1, other)
            label = here
        else:
            changed &= valid[y]
            other = np.where(changed, near, other)
            label = np.where(valid[y], here, label)
            near = np.where(valid[y], 0, near)
            nearest[y], first[y] = label, near
        second[y] = other
    return nearest, first, second


def _along_rows(
    labels: np.ndarray,
    nearest: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    reach: int,
    best: np.ndarray,
) -> None:
    """Lower ``best`` in place by what the columns up to ``reach`` to either side hold."""
    width = labels.shape[1]
    gain = second - first  # never negative: the first is the nearest of all
    for step in range(1, min(reach, width - 1) + 1):
        left, right = np.s_[:, :-step], np.s_[:, step:]
        for here, there in ((left, right), (right, left)):
            # The nearest pixel of that column, or the nearest other one if that has our label.
            found = gain[there] * (nearest[there] == labels[here])
            found += first[there]
            found += best.dtype.type(step * step)
            np.minimum(best[here], found, out=best[here])
