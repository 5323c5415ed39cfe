"""Region overlap and errors: in whole images, and by distance to the true boundary.

Shape legend: C = classes; K = band widths.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .counts import Counts, divide, exact_mean
from .distance import band_of, squared_boundary_distance
from .label_maps import label_pair


@dataclass(frozen=True, eq=False)
class RegionCounts(Counts):
    """Confusion matrix of the pixels that are not ignored.

    Attributes:
        confusion: (C, C + 1) int64, true class by predicted class; the last column is
            "no class".
        strayed: (C,) int64, pixels predicted where the truth is no class: on the
            background of a bool mask. 0 for label maps, where that means ignored.
    """

    confusion: np.ndarray
    strayed: np.ndarray

    def figures(self) -> dict[str, Any]:
        """Intersection over union, as in PASCAL VOC and mmseg's ``IoUMetric``.

        Returns:
            ``miou`` (mean over the classes that occur), ``iou_per_class`` (C,), NaN for a
            class in neither map; ``accuracy`` (share of the labelled pixels that are right),
            ``mean_accuracy`` (over the classes that occur in the ground truth).
        """
        right = np.diagonal(self.confusion)
        truth = self.confusion.sum(axis=1)
        predicted = self.confusion[:, :-1].sum(axis=0) + self.strayed
        iou = divide(right, truth + predicted - right)
        return {
            'miou': exact_mean(iou),
            'iou_per_class': iou,
            'accuracy': float(divide(right.sum(), truth.sum())),
            'mean_accuracy': exact_mean(divide(right, truth)),
        }


def region_iou(
    prediction: Any, target: Any, num_classes: int | None = None, ignore_index: int = 255
) -> RegionCounts:
    """Confusion matrix of one image.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are not counted.

    Returns:
        Counts of one image; ``.figures()`` gives IoU and accuracy.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks.
    """
    pair = label_pair(prediction, target, num_classes, ignore_index)
    kinds = pair.num_classes + 1
    joint = np.bincount(
        (pair.target.astype(np.int32) * kinds + pair.prediction).ravel(), minlength=kinds**2
    ).reshape(kinds, kinds)
    # Ignored pixels are "no class" in both maps: the last entry, which nothing reads.
    return RegionCounts(joint[:-1], joint[-1, :-1])


@dataclass(frozen=True, eq=False)
class BoundaryDistance:
    """Distance of each pixel to the nearest pixel of another true label.

    Attributes:
        squared: (H, W) integers, exact up to ``limit ** 2``; larger where it is farther.
        limit: In pixels.
    """

    squared: np.ndarray
    limit: float


@dataclass(frozen=True, eq=False)
class TrimapCounts(Counts):
    """Pixels by distance to the true boundary, int64.

    Row k holds distances in (width[k - 1], width[k]], the last row all that is farther.

    Attributes:
        widths: Band widths in pixels, increasing.
        right: (K + 1, C), pixels of class c predicted as c.
        predicted: (K + 1, C), pixels predicted as c.
        target: (K + 1, C), pixels whose truth is c.
        wrong: (K + 1,), pixels whose prediction is not the truth.
        pixels: (K + 1,), all pixels that are not ignored.
    """

    widths: tuple[float, ...]
    right: np.ndarray
    predicted: np.ndarray
    target: np.ndarray
    wrong: np.ndarray
    pixels: np.ndarray

    def figures(self) -> dict[str, Any]:
        """Overlap of the pixels inside and of those outside each band.

        Returns:
            ``widths`` (K,), ``miou_inside`` (K,), ``miou_outside`` (K,),
            ``iou_inside_per_class`` (K, C), ``iou_outside_per_class`` (K, C), NaN where a
            class has no pixel in either map there; the mean is over the other classes.
        """
        inside = [np.cumsum(a, axis=0)[:-1] for a in (self.right, self.predicted, self.target)]
        whole = [a.sum(axis=0) for a in (self.right, self.predicted, self.target)]
        outside = [w - i for w, i in zip(whole, inside, strict=True)]
        iou = [divide(r, p + t - r) for r, p, t in (inside, outside)]
        return {
            'widths': np.array(self.widths),
            'miou_inside': np.array([exact_mean(row) for row in iou[0]]),
            'miou_outside': np.array([exact_mean(row) for row in iou[1]]),
            'iou_inside_per_class': iou[0],
            'iou_outside_per_class': iou[1],
        }

    def errors(self) -> ErrorCounts:
        """The wrong pixels, as ``error_by_distance`` counts them."""
        return ErrorCounts(self.widths, self.wrong, self.pixels)


@dataclass(frozen=True, eq=False)
class ErrorCounts(Counts):
    """Wrong pixels by distance to the true boundary, both (K + 1,) int64.

    Entry k holds distances in (distance[k - 1], distance[k]], the last all that is farther.

    Attributes:
        distances: Upper ends of the bins in pixels, increasing.
        wrong: Pixels whose prediction is not the truth.
        pixels: All pixels that are not ignored.
    """

    distances: tuple[float, ...]
    wrong: np.ndarray
    pixels: np.ndarray

    def figures(self) -> dict[str, Any]:
        """Where the errors lie.

        Returns:
            ``distances`` (K,); for each bin (K + 1,): ``wrong`` and ``pixels`` (counts),
            ``error_rate`` (share of the bin's pixels that are wrong), ``share_of_errors``
            (share of all wrong pixels); NaN where there is nothing to divide by.
        """
        return {
            'distances': np.array(self.distances),
            'wrong': self.wrong,
            'pixels': self.pixels,
            'error_rate': divide(self.wrong, self.pixels),
            'share_of_errors': divide(self.wrong, self.wrong.sum()),
        }


def trimap_iou(
    prediction: Any,
    target: Any,
    width: float | Sequence[float],
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
    distance: BoundaryDistance | None = None,
) -> TrimapCounts:
    """Overlap inside and outside a band around the true boundary (SEMEDA, Figure 5).

    A pixel is inside the band of width w if a pixel of another true label lies at most w
    pixels from it (Euclidean), so that width 1 is the last pixel on either side.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        width: Band width in pixels, or several, increasing; all are had for the price of one.
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are not counted.
        void_boundary: Whether ignored pixels are "another label", so that their border has a
            band. PASCAL VOC needs it: there every object is surrounded by ignored pixels,
            and the published trimaps lie around them.
        distance: From ``true_boundary_distance`` for the same ground truth and settings,
            where several predictions of it are looked at: most of the work.

    Returns:
        Counts of one image; ``.figures()`` gives mIoU inside and outside.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks, or widths
            that are not positive and increasing.
    """
    widths = increasing(width, 'width')
    pair = label_pair(prediction, target, num_classes, ignore_index)
    if distance is None:
        squared = squared_boundary_distance(pair.target, widths[-1], pair.ignored, void_boundary)
        distance = BoundaryDistance(squared, widths[-1])
    elif distance.squared.shape != pair.target.shape or distance.limit < widths[-1]:
        raise ValueError(
            f'distance: must be of {pair.target.shape} and reach {widths[-1]:g} px, '
            f'got {distance.squared.shape} and {distance.limit:g} px'
        )
    band = band_of(distance.squared, widths)
    counted = slice(None) if pair.ignored is None else ~pair.ignored.ravel()
    band, truth, guess = (
        a.ravel()[counted] for a in (band, pair.target.ravel(), pair.prediction.ravel())
    )
    shape = (len(widths) + 1, pair.num_classes + 1)

    def histogram(bands: np.ndarray, labels: np.ndarray) -> np.ndarray:
        flat = np.bincount(bands * shape[1] + labels, minlength=shape[0] * shape[1])
        return flat.reshape(shape)[:, :-1]

    right = truth == guess
    pixels = np.bincount(band, minlength=shape[0])
    return TrimapCounts(
        widths,
        histogram(band[right], truth[right]),
        histogram(band, guess),
        histogram(band, truth),
        pixels - np.bincount(band[right], minlength=shape[0]),
        pixels,
    )


def true_boundary_distance(
    target: Any,
    limit: float,
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
) -> BoundaryDistance:
    """Distance of each pixel to the true boundary, for ``trimap_iou``.

    Args:
        target: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        limit: The largest width that will be asked for, in pixels.
        num_classes: As for ``trimap_iou``, and so are the others.
        ignore_index: Label of ``target`` whose pixels are not counted.
        void_boundary: Whether the border of ignored pixels is a boundary.

    Raises:
        TypeError, ValueError: Input that is neither label map nor mask.
    """
    pair = label_pair(target, target, num_classes, ignore_index)
    return BoundaryDistance(
        squared_boundary_distance(pair.target, limit, pair.ignored, void_boundary), limit
    )


def error_by_distance(
    prediction: Any,
    target: Any,
    distances: float | Sequence[float] = tuple(range(1, 21)),
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
) -> ErrorCounts:
    """Count wrong pixels by their distance to the true boundary (SegFix, Figure 2).

    The distance is that of ``trimap_iou``: to the nearest pixel of another true label.
    For bool masks, too, both sides of the boundary are counted.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        distances: Upper ends of the bins in pixels, increasing.
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are not counted.
        void_boundary: Whether the border of ignored pixels is a boundary.

    Returns:
        Counts of one image; ``.figures()`` gives rates and shares. A ``TrimapCounts``
        of the same widths gives them too, by ``.errors()``, without a second look.

    Raises:
        TypeError, ValueError: As ``trimap_iou``.
    """
    widths = increasing(distances, 'distances')
    return trimap_iou(prediction, target, widths, num_classes, ignore_index, void_boundary).errors()


def increasing(values: float | Sequence[float], name: str) -> tuple[float, ...]:
    """One or more positive, increasing numbers as a tuple; ValueError otherwise."""
    numbers = tuple(float(v) for v in np.atleast_1d(np.asarray(values, float)))
    if not numbers or not numbers[0] > 0 or any(not a < b for a, b in itertools.pairwise(numbers)):
        raise ValueError(f'{name}: must be positive and increasing, got {values}')
    return numbers
