"""What a perfect boundary refinement could reach (BPR, Table 1).

Shape legend: H, W = image; C = classes; K = distances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .counts import Counts, divide, exact_mean
from .distance import band_of, squared_boundary_distance
from .label_maps import LabelPair, as_array, label_pair
from .regions import increasing


@dataclass(frozen=True, eq=False)
class UpperBoundCounts(Counts):
    """Overlap as predicted (row 0) and with perfect boundaries (rows 1 ... K), (K + 1, C) int64.

    Attributes:
        distances: Distances in pixels, increasing.
        intersection: Right pixels of class c.
        predicted: Pixels predicted as c.
        target: Pixels whose truth is c.
    """

    distances: tuple[float, ...]
    intersection: np.ndarray
    predicted: np.ndarray
    target: np.ndarray

    def figures(self) -> dict[str, Any]:
        """The overlap that would be reached.

        Returns:
            ``distances`` (K + 1,), starting with 0, "as predicted"; ``miou`` (K + 1,);
            ``iou_per_class`` (K + 1, C), NaN for a class that does not occur.
        """
        iou = divide(self.intersection, self.predicted + self.target - self.intersection)
        return {
            'distances': np.array((0.0, *self.distances)),
            'miou': np.array([exact_mean(row) for row in iou]),
            'iou_per_class': iou,
        }


def boundary_upper_bound(
    prediction: Any,
    target: Any,
    distances: float | Sequence[float] = (1, 2, 3),
    num_classes: int | None = None,
    ignore_index: int = 255,
) -> UpperBoundCounts:
    """Overlap if every pixel within a distance of the predicted boundary were right.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        distances: Distances in pixels, increasing (see ``correct_near_boundary``).
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are not counted.

    Returns:
        Counts of one image; ``.figures()`` gives IoU and mIoU for each distance.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks, or distances
            that are not positive and increasing.
    """
    steps = increasing(distances, 'distances')
    pair = label_pair(prediction, target, num_classes, ignore_index)
    band = band_of(squared_boundary_distance(pair.prediction, steps[-1], pair.ignored), steps)
    rows = []
    for k in range(len(steps) + 1):
        corrected = np.where(band < k, pair.target, pair.prediction)
        right = corrected[corrected == pair.target]
        rows.append(
            [
                np.bincount(m.ravel(), minlength=pair.num_classes + 1)[:-1]
                for m in (right, corrected, pair.target)
            ]
        )
    counts = np.array(rows, np.int64)
    return UpperBoundCounts(steps, counts[:, 0], counts[:, 1], counts[:, 2])


def correct_near_boundary(
    prediction: Any, target: Any, distance: float, ignore_index: int = 255
) -> np.ndarray:
    """The prediction with the true labels near its own boundary.

    A pixel is within d of the predicted boundary if a pixel predicted otherwise lies at most
    d pixels from it: d = 1 is the last pixel on either side.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        distance: d in pixels; ``math.inf`` gives the ground truth wherever the prediction has
            a boundary at all.
        ignore_index: Label of ``target`` that is not copied.

    Returns:
        (H, W), numpy, of the prediction's dtype.
    """
    pair = label_pair(prediction, target, None, ignore_index)
    if not distance >= 0:
        raise ValueError(f'distance: must be at least 0, got {distance}')
    near = _near_own_boundary(pair, distance)
    prediction, target = as_array(prediction, 'prediction'), as_array(target, 'target')
    return np.where(near, target, prediction).astype(prediction.dtype)


def _near_own_boundary(pair: LabelPair, distance: float) -> np.ndarray:
    """(H, W) bool: a pixel that is predicted otherwise lies within ``distance``."""
    counted = np.ones(pair.target.shape, bool) if pair.ignored is None else ~pair.ignored
    if math.isinf(distance):
        labels = pair.prediction[counted]
        return counted & bool(np.any(labels != labels[:1]))
    squared = squared_boundary_distance(pair.prediction, distance, pair.ignored)
    return counted & (squared <= distance**2)
