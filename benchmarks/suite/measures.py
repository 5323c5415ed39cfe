"""Boundary measures against their plain definitions, one class at a time over the whole image.

The boundary F-score dilates both boundary maps with a disk, boundary IoU erodes both masks with a
3 x 3 square, as the released code of the benchmarks does. Both give the same figures.
"""

import cv2
import numpy as np

from mmrefine.measures import boundary_fscore, boundary_iou

from ..cases import Call, case
from ..drawn import VOID, draw_labels, waver

SIZE_HW = (1024, 2048)
NUM_CLASSES = 19


def fscore(radius: int) -> tuple[Call, Call]:
    """F-score of each class at a tolerance in pixels."""
    target = draw_labels(SIZE_HW, NUM_CLASSES)
    prediction = waver(target)
    target[-60:] = VOID

    def ours() -> np.ndarray:
        counts = boundary_fscore(prediction, target, radius, NUM_CLASSES)
        return counts.figures()['fscore_per_class']

    def plain() -> np.ndarray:
        return plain_fscore(prediction, target, radius)

    np.testing.assert_allclose(ours(), plain(), rtol=1e-9)
    return ours, plain


@case('boundary F-score, 1 px, 19 classes', 'dilations', target=8, short=True)
def fscore_1(device: str) -> tuple[Call, Call]:
    """The strictest tolerance."""
    return fscore(1)


@case('boundary F-score, 3 px, 19 classes', 'dilations', target=8)
def fscore_3(device: str) -> tuple[Call, Call]:
    """A usual tolerance."""
    return fscore(3)


@case('boundary IoU, ratio 0.02, 19 classes', 'erosions', target=8)
def iou(device: str) -> tuple[Call, Call]:
    """The band of COCO and LVIS; the authors' definition knows no ignored pixels."""
    target = draw_labels(SIZE_HW, NUM_CLASSES)
    prediction = waver(target)

    def ours() -> np.ndarray:
        counts = boundary_iou(prediction, target, 0.02, NUM_CLASSES)
        return counts.figures()['boundary_iou_per_class']

    def plain() -> np.ndarray:
        return plain_boundary_iou(prediction, target, 0.02)

    np.testing.assert_allclose(ours(), plain(), rtol=1e-9)
    return ours, plain


def plain_boundary(mask: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The ``seg2bmap`` boundary of one bool mask, uint8."""
    boundary = np.zeros_like(mask)
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
    ):
        boundary[here] |= (mask[here] ^ mask[there]) & usable[here] & usable[there]
    return boundary.view(np.uint8)


def plain_fscore(prediction: np.ndarray, target: np.ndarray, radius: int) -> np.ndarray:
    """F-score of each class by two dilations with a disk."""
    reach = np.arange(-radius, radius + 1)
    disk = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.uint8)
    usable = target != VOID
    scores = []
    for c in range(NUM_CLASSES):
        p, t = (plain_boundary((m == c) & usable, usable) for m in (prediction, target))
        matched = np.sum(p & cv2.dilate(t, disk)), np.sum(t & cv2.dilate(p, disk))
        precision, recall = matched[0] / max(np.sum(p), 1), matched[1] / max(np.sum(t), 1)
        scores.append(2 * precision * recall / max(precision + recall, 1e-9))
    return np.array(scores)


def plain_boundary_iou(prediction: np.ndarray, target: np.ndarray, ratio: float) -> np.ndarray:
    """Boundary IoU of each class by two erosions, as in the authors' code."""
    height, width = target.shape
    dilation = max(1, round(ratio * np.hypot(height, width)))
    scores = []
    for c in range(NUM_CLASSES):
        bands = []
        for labels in (prediction, target):
            mask = (labels == c).astype(np.uint8)
            padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
            eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=dilation)
            bands.append(mask - eroded[1 : height + 1, 1 : width + 1])
        scores.append(np.sum(bands[0] & bands[1]) / max(np.sum(bands[0] | bands[1]), 1))
    return np.array(scores)
