"""Distance of each pixel to the boundary of its own region.

Shape legend: H, W = image.
"""

from __future__ import annotations

import cv2
import numpy as np


def boundary_distance(
    labels: np.ndarray, ignored: np.ndarray | None = None, void_boundary: bool = False
) -> np.ndarray:
    """Distance of each pixel to the nearest pixel that carries another label.

    The pixels on both sides of a boundary have distance 1. The image border is no boundary.

    Two labels that differ do so in at least one binary digit of their rank, so the minimum
    over the digits of "distance to the nearest pixel with another digit" is exact: 2 log2(K)
    distance transforms for K labels, not K.

    Args:
        labels: (H, W) integers >= 0.
        ignored: (H, W) bool, or None.
        void_boundary: Whether ignored pixels count as another label.

    Returns:
        (H, W) float32, Euclidean, in pixels; ``inf`` where there is no other label, and for
        ignored pixels.
    """
    present = np.flatnonzero(np.bincount(labels.ravel()))
    rank_of = np.zeros(present[-1] + 1, np.int32)
    rank_of[present] = np.arange(len(present))
    rank = rank_of[labels]
    number = len(present)
    if ignored is None:
        ignored = np.zeros(labels.shape, bool)
    elif void_boundary:
        rank[ignored] = number
        number += 1
    far = ignored if not void_boundary else np.zeros_like(ignored)
    nearest = np.full(labels.shape, np.inf, np.float32)
    for digit in range((number - 1).bit_length()):
        one = (rank >> digit & 1).astype(bool)
        for side in (one, ~one):
            away = side | far
            if away.all():
                continue
            distance = cv2.distanceTransform(
                away.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
            )
            np.minimum(nearest, distance, out=nearest, where=side)
    nearest[ignored] = np.inf
    return nearest
