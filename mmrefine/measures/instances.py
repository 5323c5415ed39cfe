"""Boundary F-score of instances: AF of BPR.

Shape legend: P = pairs of a predicted and a true instance; T = IoU thresholds; H, W = image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from .counts import Counts, exact_mean
from .fscore import boundary_fscore, tolerance_in_pixels
from .label_maps import as_array

IOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True, eq=False)
class InstanceBoundaryFScoreCounts(Counts):
    """Boundary F-scores of matched instances; rows are the P pairs.

    Attributes:
        tolerance: As given to ``instance_boundary_fscore``.
        fscore: (P,) float64.
        matched: (P, T) bool, whether the pair is a true positive at each IoU threshold.
        category: (P,) int64, category of the pair; -1 if none was given.
    """

    per_image_rows: ClassVar[bool] = True

    tolerance: float
    fscore: np.ndarray
    matched: np.ndarray
    category: np.ndarray

    def figures(self) -> dict[str, Any]:
        """AF.

        Returns:
            ``af``: mean over the IoU thresholds that have true positives of
            ``af_per_threshold`` (T,), the mean F-score of the true positives (NaN if there
            are none); ``af_per_category``: the same as ``af`` for each category.
        """
        return {
            'af': self._af(slice(None))[0],
            'af_per_threshold': self._af(slice(None))[1],
            'af_per_category': {
                int(c): self._af(self.category == c)[0] for c in np.unique(self.category)
            },
        }

    def _af(self, chosen: Any) -> tuple[float, np.ndarray]:
        fscore, matched = self.fscore[chosen], self.matched[chosen]
        per_threshold = np.array([exact_mean(fscore[column]) for column in matched.T])
        return exact_mean(per_threshold), per_threshold


def instance_boundary_fscore(
    masks: Any,
    targets: Any,
    matched: Any = None,
    tolerance: float = 1,
    categories: Any = None,
) -> InstanceBoundaryFScoreCounts:
    """Boundary F-scores of predicted instances and the true ones they are matched with.

    BPR (Tang et al., CVPR 2021, section 4.1) reports AF, the boundary F-score at 1 px of the
    true positives, averaged over instances and over the ten IoU thresholds of AP. The
    matching is the evaluator's; see ``mmrefine.measures.coco.instance_figures``.

    Args:
        masks: (P, H, W) bool, or P arrays (H, W): predicted instances.
        targets: The true instance matched with each, in the same order.
        matched: (P, T) bool, at which IoU thresholds the pair is a true positive. Default:
            where the IoU of the pair reaches 0.5, 0.55, ..., 0.95.
        tolerance: As for ``boundary_fscore``; a share of the diagonal means the image's.
        categories: (P,) integers, for figures per category.

    Returns:
        Counts of P pairs; ``.figures()`` gives AF.

    Raises:
        TypeError, ValueError: Masks that are not bool or differ in number or size.
    """
    if len(masks) != len(targets):
        raise ValueError(f'masks and targets: got {len(masks)} and {len(targets)} instances')
    number = len(masks)
    fscore, overlap = np.zeros(number), np.zeros(number)
    for p, (mask, target) in enumerate(zip(masks, targets, strict=True)):
        fscore[p], overlap[p] = _pair(mask, target, tolerance)
    if matched is None:
        matched = overlap[:, None] >= np.array(IOU_THRESHOLDS)
    matched = np.asarray(matched, bool)
    category = np.full(number, -1) if categories is None else np.asarray(categories, np.int64)
    if matched.ndim != 2 or len(matched) != number or category.shape != (number,):
        raise ValueError(
            f'matched must be ({number}, T) and categories ({number},), '
            f'got {matched.shape} and {category.shape}'
        )
    return InstanceBoundaryFScoreCounts(float(tolerance), fscore, matched, category)


def _pair(mask: Any, target: Any, tolerance: float) -> tuple[float, float]:
    """Boundary F-score and IoU of two masks."""
    mask, target = as_array(mask, 'masks'), as_array(target, 'targets')
    if mask.dtype != np.bool_ or target.dtype != np.bool_ or mask.shape != target.shape:
        raise TypeError(
            'masks and targets: must be bool and of one size, '
            f'got {mask.dtype} {mask.shape} and {target.dtype} {target.shape}'
        )
    radius = tolerance_in_pixels(tolerance, mask.shape)
    crop = joint_crop(mask, target)
    mask, target = mask[crop], target[crop]
    union = np.count_nonzero(mask | target)
    iou = np.count_nonzero(mask & target) / union if union else 0.0
    return float(boundary_fscore(mask, target, radius).per_image()[0, 0]), iou


def joint_crop(mask: np.ndarray, target: np.ndarray) -> tuple[slice, slice]:
    """The box around two (H, W) bool masks and one pixel more on each side that has one.

    Contours and distances to contours inside it are those of the whole image.
    """
    x, y, width, height = cv2.boundingRect((mask | target).view(np.uint8))
    return slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
