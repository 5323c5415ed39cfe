"""Depth maps out of points in space.

Shapes: P = points, H, W = rows and columns.
"""

from __future__ import annotations

import numpy as np


def depth_of_points(
    points: np.ndarray, projection: np.ndarray, size_hw: tuple[int, int]
) -> np.ndarray:
    """Project points, as a laser scanner measures them, into an image.

    Args:
        points: (P, 3) coordinates.
        projection: (3, 4), takes (x, y, z, 1) to (column d, row d, d) with depth d; the centre of
            the first pixel is at (0, 0).
        size_hw: rows and columns of the image.

    Returns:
        float32 (H, W): depth of the nearest point that falls on a pixel, 0 where none does.

    Raises:
        ValueError: a shape is wrong.
    """
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f'points must have shape (P, 3), got {points.shape}')
    if projection.shape != (3, 4):
        raise ValueError(f'projection must have shape (3, 4), got {projection.shape}')
    height, width = size_hw
    seen = points @ projection[:, :3].T + projection[:, 3]
    seen = seen[seen[:, 2] > 0]
    columns, rows = np.rint(seen[:, :2] / seen[:, 2:]).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    places = rows[inside].astype(np.int64) * width + columns[inside].astype(np.int64)
    depth = np.full(height * width, np.inf)
    np.minimum.at(depth, places, seen[inside, 2])
    depth[np.isinf(depth)] = 0
    return depth.reshape(height, width).astype(np.float32)
