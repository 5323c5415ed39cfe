"""Errors of depth maps, and how well their boundaries are met.

Shape legend: H, W = image; N = images.

The errors are those of Eigen et al. (NeurIPS 2014, section 4.1), computed per image and averaged
over images as in Monodepth2. Depth from one camera is known up to a factor: each prediction is
multiplied by the ratio of the medians first.

A pixel is on a depth boundary where its depth and that of its right, lower or lower-right
neighbour differ by more than a given ratio (the occluding contours of Depth Pro, arXiv 2410.02073,
on the neighbours that the other boundary measures look at). Ratios need no scaling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import cv2
import numpy as np

from .counts import Counts, exact_mean
from .fscore import BoundaryFScoreCounts, tolerance_in_pixels

Crop = Literal['garg', 'eigen']
# Rows and columns from and to, as shares of height and width.
CROPS: dict[str, tuple[float, float, float, float]] = {
    'garg': (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    'eigen': (0.3324324, 0.91351351, 0.0359477, 0.96405229),
}
FIGURES = ('abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'd1', 'd2', 'd3')


@dataclass(frozen=True, eq=False)
class DepthErrorCounts(Counts):
    """Errors of N images.

    Attributes:
        errors: (N, 7), in the order of ``FIGURES``; NaN where no true depth is known.
        ratio: (N,), what the prediction was multiplied by.
    """

    per_image_rows: ClassVar[bool] = True

    errors: np.ndarray
    ratio: np.ndarray

    def figures(self) -> dict[str, Any]:
        """Means over the images that have a true depth.

        Returns:
            ``abs_rel``, ``sq_rel``, ``rmse`` and ``rmse_log`` (less is better); ``d1``, ``d2`` and
            ``d3``, shares of pixels that are less than a factor of 1.25, 1.25² and 1.25³ off; and
            ``ratio_spread``, the standard deviation of the ratios over their median.
        """
        figures = {name: exact_mean(e) for name, e in zip(FIGURES, self.errors.T, strict=True)}
        known = self.ratio[np.isfinite(self.ratio)]
        spread = float(np.std(known / np.median(known))) if len(known) else math.nan
        return figures | {'ratio_spread': spread}


def depth_errors(
    prediction: Any,
    target: Any,
    min_depth: float = 1e-3,
    max_depth: float = 80.0,
    median_scaling: bool = True,
    crop: Crop | None = None,
) -> DepthErrorCounts:
    """Errors of one depth map.

    Args:
        prediction: (H, W), positive.
        target: (H, W), true depth, 0 where it is not known.
        min_depth: Pixels whose true depth is not above it do not count; predictions are raised
            to it.
        max_depth: Likewise, from above.
        median_scaling: Multiply the prediction by the ratio of the medians of both.
        crop: Part of the image that counts: ``'garg'`` or ``'eigen'``, as on KITTI.

    Returns:
        Counts of one image.

    Raises:
        ValueError: An argument is out of range, or the sizes differ.
    """
    predicted, true = _depth_pair(prediction, target)
    if not 0 < min_depth < max_depth:
        raise ValueError(f'min_depth: 0 < min_depth < max_depth, got {min_depth}, {max_depth}')
    counts = (true > min_depth) & (true < max_depth)
    if crop is not None:
        counts &= _inside(true.shape, crop)
    if not counts.any():
        return DepthErrorCounts(np.full((1, len(FIGURES)), np.nan), np.array([np.nan]))
    predicted, true = predicted[counts], true[counts]
    ratio = float(np.median(true) / np.median(predicted)) if median_scaling else 1.0
    predicted = np.clip(predicted * ratio, min_depth, max_depth)
    off = np.maximum(true / predicted, predicted / true)
    difference = predicted - true
    errors = [
        np.mean(np.abs(difference) / true),
        np.mean(difference**2 / true),
        np.sqrt(np.mean(difference**2)),
        np.sqrt(np.mean(np.log(predicted / true) ** 2)),
        *(np.mean(off < 1.25**power) for power in (1, 2, 3)),
    ]
    return DepthErrorCounts(np.array([errors]), np.array([ratio]))


def depth_boundary_fscore(
    prediction: Any, target: Any, tolerance: float, ratio: float = 1.25
) -> BoundaryFScoreCounts:
    """Count boundary pixels and matched boundary pixels of one depth map, as of one class.

    Args:
        prediction: (H, W), positive.
        target: (H, W), true depth, 0 where it is not known: no boundary is looked for there, and
            what the prediction has there does not count.
        tolerance: As in ``mmrefine.measures.boundary_fscore``.
        ratio: Depths of neighbours that differ by more than this factor are a boundary.

    Raises:
        ValueError: An argument is out of range, or the sizes differ.
    """
    if not ratio > 1:
        raise ValueError(f'ratio: must be > 1, got {ratio}')
    predicted, true = _depth_pair(prediction, target)
    radius = tolerance_in_pixels(tolerance, (true.shape[0], true.shape[1]))
    known = true > 0
    maps = [_steps(depth, known, ratio) for depth in (predicted, true)]
    found = [
        np.array([[np.count_nonzero(edges & near)]], np.int64)
        for edges, other in (maps, maps[::-1])
        for near in (np.ones_like(edges), _near(other, radius))
    ]
    return BoundaryFScoreCounts(float(tolerance), *found)


def _depth_pair(prediction: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 (H, W), checked."""
    predicted, true = (np.asarray(depth, np.float64) for depth in (prediction, target))
    if predicted.ndim != 2 or predicted.shape != true.shape:
        raise ValueError(
            f'prediction and target must both be (H, W), got {predicted.shape}, {true.shape}'
        )
    if not (np.isfinite(predicted).all() and (predicted > 0).all()):
        raise ValueError('prediction: depth must be positive and finite everywhere')
    return predicted, np.where(np.isfinite(true) & (true > 0), true, 0.0)


def _inside(size_hw: tuple[int, ...], crop: str) -> np.ndarray:
    if crop not in CROPS:
        raise ValueError(f'crop: must be one of {", ".join(CROPS)} or None, got {crop!r}')
    height, width = size_hw
    top, bottom, left, right = CROPS[crop]
    inside = np.zeros(size_hw, bool)
    inside[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    return inside


def _steps(depth: np.ndarray, known: np.ndarray, ratio: float) -> np.ndarray:
    """Pixels whose depth is more than ``ratio`` from that of a known right or lower neighbour."""
    log = np.log(np.where(known, depth, 1.0))
    edges = np.zeros(depth.shape, bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1)):
        height, width = depth.shape[0] - dy, depth.shape[1] - dx
        here, there = (slice(height), slice(width)), (slice(dy, None), slice(dx, None))
        jump = np.abs(log[there] - log[here]) > math.log(ratio)
        edges[here] |= jump & known[here] & known[there]
    return edges


def _near(edges: np.ndarray, radius: float) -> np.ndarray:
    """Pixels within ``radius`` of an edge."""
    if not edges.any():
        return np.zeros_like(edges)
    distance = cv2.distanceTransform((~edges).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distance <= radius + 1e-3
