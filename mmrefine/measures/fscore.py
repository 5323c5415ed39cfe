"""Boundary F-score of label maps and masks.

Shape legend: H, W = image; C = classes; N = images; B = boundary pixels.

The definition is that of the DAVIS benchmark (Perazzi et al., CVPR 2016, section 4.1) in
the per-class form of Gated-SCNN (Takikawa et al., ICCV 2019, section 4.2), which SegFix
reports too. A pixel is on the boundary of class c where the mask of c differs between it
and its right, lower or lower-right neighbour (``seg2bmap`` of Martin et al., 2003): one
pixel wide, and the image border is none. A boundary pixel of one map is matched if the
other map has a boundary pixel of the same class within ``tolerance``. Precision and recall
are the matched shares of the predicted and the true boundary.

The published code dilates two full images per class with a disk. Here the boundary pixels of
all classes are listed once, each with a set of bits for the classes it bounds, and the disk
is walked outwards from each pixel until all its classes are matched: the same numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from .counts import Counts, divide, exact_mean
from .label_maps import LabelPair, label_pair

Average = Literal['image', 'present', 'dataset']
AVERAGES = ('image', 'present', 'dataset')
_BITS = 64


@dataclass(frozen=True, eq=False)
class BoundaryFScoreCounts(Counts):
    """Boundary pixels of N images and C classes, all (N, C) int64.

    Attributes:
        tolerance: As given to ``boundary_fscore``.
        predicted: Boundary pixels in the prediction.
        predicted_matched: Those within the tolerance of a true one.
        target: Boundary pixels in the ground truth.
        target_matched: Those within the tolerance of a predicted one.
    """

    per_image_rows: ClassVar[bool] = True

    tolerance: float
    predicted: np.ndarray
    predicted_matched: np.ndarray
    target: np.ndarray
    target_matched: np.ndarray

    def per_image(self) -> np.ndarray:
        """F-score of each image and class, (N, C); 1 where neither map has a boundary."""
        return _fscore(self.predicted, self.predicted_matched, self.target, self.target_matched)

    def figures(self, average: Average = 'image') -> dict[str, Any]:
        """F-score of the classes and their mean.

        Args:
            average: ``'image'``, as published: F per image, mean over all images; a class
                without a boundary in either map counts 1 in that image.
                ``'present'``: the same, over the images in which the class has a boundary
                in the prediction or in the ground truth.
                ``'dataset'``: one F from the boundary pixels of all images together.

        Returns:
            ``fscore`` (mean over classes that have a figure), ``fscore_per_class`` (C,),
            NaN for a class that has none.
        """
        if average not in AVERAGES:
            raise ValueError(f'average: must be one of {AVERAGES}, got {average!r}')
        absent = (self.predicted == 0) & (self.target == 0)
        if average == 'dataset':
            pooled = [
                array.sum(axis=0)
                for array in (
                    self.predicted,
                    self.predicted_matched,
                    self.target,
                    self.target_matched,
                )
            ]
            per_class = np.where(absent.all(axis=0), np.nan, _fscore(*pooled))
        else:
            scores = self.per_image()
            if average == 'present':
                scores = np.where(absent, np.nan, scores)
            per_class = np.array([exact_mean(column) for column in scores.T])
        return {'fscore': exact_mean(per_class), 'fscore_per_class': per_class}


def _fscore(
    predicted: np.ndarray,
    predicted_matched: np.ndarray,
    target: np.ndarray,
    target_matched: np.ndarray,
) -> np.ndarray:
    # An empty boundary has precision (or recall) 1: it holds no wrong pixel.
    precision = np.where(predicted == 0, 1.0, divide(predicted_matched, predicted))
    recall = np.where(target == 0, 1.0, divide(target_matched, target))
    return np.nan_to_num(divide(2 * precision * recall, precision + recall), nan=0.0)


def tolerance_in_pixels(tolerance: float, size_hw: tuple[int, int]) -> float:
    """The matching distance in pixels.

    Args:
        tolerance: At least 1, or 0: pixels. Between 0 and 1: share of the image diagonal,
            rounded up to whole pixels (0.0003 / 0.0006 / 0.0009 give 1 / 2 / 3 px, and
            0.00088, Gated-SCNN's, gives 3 px at 1024 x 2048).
        size_hw: Image size (H, W).
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(
            'tolerance: must be pixels (>= 1, or 0 for an exact match) or a share of the '
            f'diagonal (between 0 and 1), got {tolerance}'
        )
    return float(tolerance if tolerance >= 1 else math.ceil(tolerance * math.hypot(*size_hw)))


def boundary_fscore(
    prediction: Any,
    target: Any,
    tolerance: float,
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
) -> BoundaryFScoreCounts:
    """Count boundary pixels and matched boundary pixels of one image.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        tolerance: Matching distance: pixels if at least 1 (or 0), otherwise share of the
            image diagonal, rounded up (see ``tolerance_in_pixels``).
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` that is ignored: its pixels are neither boundary
            nor matched.
        void_boundary: Whether the border between a class and ignored pixels is a boundary
            of that class. The released Gated-SCNN and SegFix code has it so; such a
            boundary is the same in both maps and raises the score.

    Returns:
        Counts of one image; ``.figures()`` gives the F-scores.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks.
    """
    pair = label_pair(prediction, target, num_classes, ignore_index)
    radius = tolerance_in_pixels(tolerance, pair.target.shape)
    sides = [_neighbour_pairs(m, pair, void_boundary) for m in (pair.prediction, pair.target)]
    found = np.zeros((2, 2, pair.num_classes), np.int64)  # (all, matched) x (prediction, target)
    rings = _rings(radius)
    for first in range(0, pair.num_classes, _BITS):
        classes = slice(first, min(first + _BITS, pair.num_classes))
        found[:, :, classes] = _count(sides, rings, classes, pair)
    return BoundaryFScoreCounts(
        float(tolerance), found[:1, 0], found[:1, 1], found[1:, 0], found[1:, 1]
    )


def _neighbour_pairs(
    labels: np.ndarray, pair: LabelPair, void_boundary: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that differ from their right, lower or lower-right neighbour.

    Returns:
        Flat indices (B,) and labels (4, B) of the pixel and of these neighbours, where a
        neighbour that must not make a boundary carries the pixel's own label.
    """
    width = labels.shape[1]
    # With the last row and column repeated, a pixel there only has its real neighbours.
    padded = np.pad(labels, ((0, 1), (0, 1)), mode='edge')
    differs = labels != padded[:-1, 1:]
    differs |= labels != padded[1:, :-1]
    differs |= labels != padded[1:, 1:]
    index = np.flatnonzero(differs)
    corner = index + index // width  # the same pixels in the padded map
    steps = corner + np.array([[0], [1], [width + 1], [width + 2]])
    around = padded.ravel()[steps]
    if pair.ignored is not None and not void_boundary:
        void = np.pad(pair.ignored, ((0, 1), (0, 1)), mode='edge').ravel()[steps]
        around = np.where(void | void[0], around[0], around)
    return index, around


def _rings(radius: float) -> list[np.ndarray]:
    """Offsets (K, 2) as (dy, dx) within ``radius``, grouped by distance, nearest first."""
    reach = np.arange(-int(radius), int(radius) + 1)
    offsets = np.stack(np.meshgrid(reach, reach, indexing='ij'), -1).reshape(-1, 2)
    square = (offsets**2).sum(axis=1)
    return [offsets[square == s] for s in np.unique(square[square <= radius**2])]


def _count(
    sides: list[tuple[np.ndarray, np.ndarray]],
    rings: list[np.ndarray],
    classes: slice,
    pair: LabelPair,
) -> np.ndarray:
    """All and matched boundary pixels of at most 64 classes, (2, 2, C'): side, kind, class."""
    number = classes.stop - classes.start
    word = np.dtype(np.uint32 if number <= 32 else np.uint64)
    bit_of = np.zeros(pair.num_classes + 1, word)
    bit_of[classes] = np.left_shift(1, np.arange(number, dtype=word), dtype=word)
    height, width = pair.target.shape
    margin = int(np.abs(rings[-1]).max())
    stride = width + 2 * margin
    points, bits, grids = [], [], []
    for index, around in sides:
        own, *others = bit_of[around]
        # Different labels have different bits, so XOR holds both; equal labels give 0.
        bounds = (own ^ others[0]) | (own ^ others[1]) | (own ^ others[2])
        # With a margin around the image, no step leaves the grid.
        points.append(index + index // width * (2 * margin) + margin * (stride + 1))
        bits.append(bounds)
        grids.append(np.zeros((height + 2 * margin) * stride, word))
        grids[-1][points[-1]] = bounds
    steps = [ring @ np.array([stride, 1]) for ring in rings]
    counts = np.empty((2, 2, number), np.int64)
    for side in (0, 1):
        found = _bit_sums(bits[side], number)
        missed = _unmatched(points[side], bits[side], grids[1 - side], steps)
        counts[side] = found, found - _bit_sums(missed, number)
    return counts


def _unmatched(
    points: np.ndarray, bits: np.ndarray, grid: np.ndarray, steps: list[np.ndarray]
) -> np.ndarray:
    """The bits that do not occur in ``grid`` within the rings around their point.

    Points whose bits have all been found are dropped on the way out.
    """
    for step in steps:
        found = grid.take(points + step[0])
        for offset in step[1:]:
            found |= grid.take(points + offset)
        bits = bits & ~found
        waiting = np.flatnonzero(bits)
        points, bits = points[waiting], bits[waiting]
    return bits


def _bit_sums(bits: np.ndarray, number: int) -> np.ndarray:
    """How often each of the lowest ``number`` bits is set, (number,)."""
    ones = np.left_shift(1, np.arange(number, dtype=bits.dtype), dtype=bits.dtype)
    return np.array([np.count_nonzero(bits & one) for one in ones])
