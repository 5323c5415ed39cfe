"""Label maps drawn at random, with the shapes that real ones are made of.

Shapes: H, W = rows and columns. Coordinates are (row, column).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np


def draw_label_map(
    size_hw: tuple[int, int], num_classes: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw a label map: a background of regions, and objects over it.

    The background is one label, Voronoi cells or layers with a wavy boundary; the objects are
    ellipses, polygons, thin poles and lines, blobs of thresholded noise, and single pixels.

    Args:
        size_hw: rows and columns.
        num_classes: labels are drawn from 0 to ``num_classes`` - 1, all equally often.
        rng: where chance comes from.

    Returns:
        int64 (H, W).

    Raises:
        ValueError: ``num_classes`` is less than 2 or ``size_hw`` not positive.
    """
    if num_classes < 2:
        raise ValueError(f'num_classes must be at least 2, got {num_classes}')
    if len(size_hw) != 2 or min(size_hw) < 1:
        raise ValueError(f'size_hw must be two positive numbers, got {size_hw}')
    background = _pick(rng, (_plain, _voronoi, _voronoi, _layers))
    labels = background(size_hw, num_classes, rng)
    for _ in range(rng.integers(0, 12)):
        shape = _pick(rng, (_ellipse, _polygon, _line, _line, _blobs, _specks))
        labels[shape(size_hw, rng)] = rng.integers(num_classes)
    return labels


def _pick(rng: np.random.Generator, choices: tuple[Callable, ...]) -> Callable:
    return choices[rng.integers(len(choices))]


def _plain(size_hw: tuple[int, int], num_classes: int, rng: np.random.Generator) -> np.ndarray:
    return np.full(size_hw, rng.integers(num_classes), np.int64)


def _voronoi(size_hw: tuple[int, int], num_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Cells around 2 to 12 points."""
    height, width = size_hw
    points = rng.uniform(0, 1, (rng.integers(2, 13), 2)) * size_hw
    rows, columns = np.mgrid[:height, :width]
    squared = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in points]
    return rng.integers(num_classes, size=len(points))[np.argmin(squared, axis=0)]


def _layers(size_hw: tuple[int, int], num_classes: int, rng: np.random.Generator) -> np.ndarray:
    """Bands one below the other, as sky, wood and road are, with wavy boundaries."""
    height, width = size_hw
    columns = np.arange(width)
    depth = np.zeros(size_hw, np.int64)
    for _ in range(rng.integers(1, 5)):
        wave = rng.uniform(0, height / 6) * np.sin(columns / rng.uniform(2, 20) + rng.uniform(0, 6))
        depth += np.arange(height)[:, None] > rng.uniform(0, height) + wave
    return rng.integers(num_classes, size=depth.max() + 1)[depth]


def _canvas(size_hw: tuple[int, int]) -> np.ndarray:
    return np.zeros(size_hw, np.uint8)


def _point_xy(size_hw: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    height, width = size_hw
    return int(rng.integers(width)), int(rng.integers(height))


def _ellipse(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    axes = rng.integers(1, max(2, min(size_hw) // 3), 2).tolist()
    angle = float(rng.uniform(0, 180))
    drawn = cv2.ellipse(_canvas(size_hw), _point_xy(size_hw, rng), axes, angle, 0, 360, 1, -1)
    return drawn.astype(bool)


def _polygon(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    corners = [_point_xy(size_hw, rng) for _ in range(rng.integers(3, 7))]
    return cv2.fillPoly(_canvas(size_hw), [np.array(corners)], 1).astype(bool)


def _line(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A pole, upright as often as not, 1 to 4 pixels thick."""
    start, end = _point_xy(size_hw, rng), _point_xy(size_hw, rng)
    if rng.random() < 0.5:
        end = start[0], end[1]
    return cv2.line(_canvas(size_hw), start, end, 1, int(rng.integers(1, 5))).astype(bool)


def _blobs(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Smooth noise above a threshold: ragged outlines, as of trees."""
    noise = cv2.GaussianBlur(rng.normal(size=size_hw), (0, 0), float(rng.uniform(1, 8)))
    return noise > noise.std() * rng.uniform(0.5, 2)


def _specks(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Single pixels, up to one in a hundred."""
    return rng.random(size_hw) < rng.uniform(0, 0.01)
