"""What an evaluation finds, in per cent, as tables and reports show it.

Shape legend: P = predictions, of which the first is the one others are compared with; C = classes;
K = band widths.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..measures import TrimapCounts
from .classes import Colour
from .scores import ComparedImage, ImageScore

# Band widths of the trimap curve, and bins of the errors by distance, in pixels.
WIDTHS = tuple(range(1, 41))


@dataclass(frozen=True)
class Measure:
    """One figure of each prediction.

    Attributes:
        key: Its name in files, the one that the metrics of runners have.
        label: Its name for people.
        values: (P,) float64, per cent; NaN where there is nothing to judge.
        by_class: (P, C) float64, or None.
    """

    key: str
    label: str
    values: np.ndarray
    by_class: np.ndarray | None = None

    @property
    def gains(self) -> np.ndarray:
        """(P,), what each prediction has more than the first one, in points."""
        return self.values - self.values[0]

    @property
    def gains_by_class(self) -> np.ndarray:
        """(P, C), the same for each class."""
        assert self.by_class is not None
        return self.by_class - self.by_class[0]


@dataclass(frozen=True)
class Bands:
    """Figures by distance to the true boundary.

    Attributes:
        widths: (K,), pixels.
        inside: (P, K), mIoU inside each band, per cent.
        outside: (P, K), mIoU of all pixels outside of it.
        wrong: (P, K + 1) int64, wrong pixels by distance; the last entry is all that is farther.
        pixels: (K + 1,) int64, all judged pixels by distance.
    """

    widths: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    wrong: np.ndarray
    pixels: np.ndarray

    def far_share(self) -> np.ndarray:
        """(P,), wrong pixels farther away than the last width, in per cent of all wrong ones."""
        return 100 * self.wrong[:, -1] / np.maximum(self.wrong.sum(axis=1), 1)


@dataclass(frozen=True)
class Evaluation:
    """Everything there is to report.

    Attributes:
        kind: ``'label maps'`` or ``'instances'``.
        subject: What was judged, for people: ``'101 images'``.
        predictions: P names and where they come from.
        ground_truth: Where it comes from.
        classes: C names.
        palette: C colours, RGB; None for instances, which have their own.
        measures: The table.
        bands: By distance to the true boundary.
        scores: One for each image that is compared pixel by pixel.
        tasks: The images, in the same order.
        settings: How the figures were measured, as the report prints it: name and value.
        remarks: Sentences on what was counted and what not.
    """

    kind: str
    subject: str
    predictions: Mapping[str, str | os.PathLike]
    ground_truth: str | os.PathLike
    classes: Sequence[str]
    palette: Sequence[Colour] | None
    measures: Sequence[Measure]
    bands: Bands
    scores: Sequence[ImageScore]
    tasks: Sequence[ComparedImage]
    settings: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def bands_of(counts: Sequence[TrimapCounts]) -> Bands:
    """Figures by distance from counts of P predictions and the widths ``WIDTHS``."""
    figures = [c.figures() for c in counts]
    return Bands(
        np.array(counts[0].widths),
        100 * np.array([f['miou_inside'] for f in figures]),
        100 * np.array([f['miou_outside'] for f in figures]),
        np.array([c.wrong for c in counts]),
        counts[0].pixels,
    )


def measure(
    key: str, label: str, values: Sequence[float], by_class: Sequence[Any] | None = None
) -> Measure:
    """Make a measure of fractions of 1."""
    per_class = None if by_class is None else 100 * np.array(by_class, np.float64)
    return Measure(key, label, 100 * np.array(values, np.float64), per_class)


def tolerance_name(tolerance: float) -> str:
    """``'1px'``, or ``'0.0009'`` for a share of the diagonal, as in the names of metrics."""
    return f'{tolerance:g}{"px" if tolerance >= 1 or tolerance == 0 else ""}'


def tolerance_label(tolerance: float) -> str:
    """The same for people."""
    if tolerance >= 1 or tolerance == 0:
        return f'{tolerance:g} px'
    return f'{tolerance:g} of the diagonal'
