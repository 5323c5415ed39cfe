"""Boundary IoU of masks and label maps.

Shape legend: H, W = image; C = classes.

Boundary IoU (Cheng et al., CVPR 2021) is the IoU of the two inner bands of a prediction and
its ground truth: of the pixels of each mask that lie within d of its contour, with
d = dilation_ratio times the image diagonal, at least 1. The authors' code, and every
evaluator made from it, measures d with a square: it erodes d times with 3 x 3 ones, and the
image border counts as contour.

In a label map all classes are had at once: a pixel is in the band of its own class exactly
where the largest and the smallest label within the square around it differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .counts import Counts, divide, exact_mean
from .label_maps import LabelPair, class_sizes, label_pair


@dataclass(frozen=True, eq=False)
class BoundaryIoUCounts(Counts):
    """Pixels in the inner bands, all (C,) int64.

    Attributes:
        dilation_ratio: As given to ``boundary_iou``.
        intersection: Pixels in the band of class c in both maps.
        predicted: Pixels in the band of class c of the prediction.
        target: Pixels in the band of class c of the ground truth.
    """

    dilation_ratio: float
    intersection: np.ndarray
    predicted: np.ndarray
    target: np.ndarray

    def figures(self) -> dict[str, Any]:
        """Boundary IoU, pixels pooled over all images as in mIoU.

        Returns:
            ``boundary_iou`` (mean over the classes that occur), ``boundary_iou_per_class``
            (C,), NaN for a class in neither map.
        """
        union = self.predicted + self.target - self.intersection
        per_class = divide(self.intersection, union)
        return {'boundary_iou': exact_mean(per_class), 'boundary_iou_per_class': per_class}


def boundary_iou(
    mask: Any,
    target: Any,
    dilation_ratio: float = 0.02,
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
) -> BoundaryIoUCounts:
    """Count the pixels in the inner bands of one image.

    Args:
        mask: Predicted (H, W) bool mask, or label map of any integer dtype; numpy or torch.
        target: (H, W) ground truth of the same kind.
        dilation_ratio: Band width as a share of the image diagonal: 0.02 for COCO and LVIS,
            0.005 for Cityscapes.
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are in no band and make none.
        void_boundary: Whether the border between a class and ignored pixels is a contour.

    Returns:
        Counts of one image; ``.figures()`` gives the boundary IoU.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks, or a
            dilation ratio that is not positive.
    """
    if not (math.isfinite(dilation_ratio) and dilation_ratio > 0):
        raise ValueError(f'dilation_ratio: must be positive and finite, got {dilation_ratio}')
    pair = label_pair(mask, target, num_classes, ignore_index)
    width = max(1, round(dilation_ratio * math.hypot(*pair.target.shape)))
    bands = [_inner_band(m, pair, width, void_boundary) for m in (pair.prediction, pair.target)]
    both = bands[0] & bands[1] & (pair.prediction == pair.target)
    return BoundaryIoUCounts(
        float(dilation_ratio),
        class_sizes(pair.target, both, pair.num_classes),
        class_sizes(pair.prediction, bands[0], pair.num_classes),
        class_sizes(pair.target, bands[1], pair.num_classes),
    )


def _inner_band(labels: np.ndarray, pair: LabelPair, width: int, void_boundary: bool) -> np.ndarray:
    """(H, W) bool: within ``width`` (chessboard distance) of another label or the image border."""
    # OpenCV's filters take no int32; float32 holds every label up to 2**24.
    labels = labels if labels.dtype == np.uint8 else labels.astype(np.float32)
    outside = pair.num_classes + 1
    smallest, largest = labels, labels
    if pair.ignored is not None and not void_boundary:
        # Ignored pixels carry a label that never is the smallest, and never the largest.
        smallest, largest = (np.where(pair.ignored, v, labels) for v in (outside, 0))
        smallest, largest = smallest.astype(labels.dtype), largest.astype(labels.dtype)
    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    border: dict[str, Any] = dict(borderType=cv2.BORDER_CONSTANT, borderValue=outside)
    low, high = cv2.erode(smallest, square, **border), cv2.dilate(largest, square, **border)
    return low != high
