"""Boundary F-score of mmseg's predictions."""

from collections.abc import Sequence

import numpy as np

from ..measures import BoundaryFScoreCounts, boundary_fscore
from ..measures.fscore import AVERAGES, Average, tolerance_in_pixels
from ..registry import METRICS
from .label_map_metric import LabelMapMetric


@METRICS.register_module()
class BoundaryFScoreMetric(LabelMapMetric):
    """Boundary F-score of DAVIS and Gated-SCNN (see ``mmrefine.measures.boundary_fscore``).

    In a config over someone else's::

        test_evaluator = [_base_.test_evaluator, dict(type='mmrefine.BoundaryFScoreMetric')]

    Figures: ``boundary/fscore_1px`` and so on for each tolerance, ``boundary/fscore_0.0009``
    for shares of the diagonal.

    Args:
        tolerance: One or more tolerances: pixels if at least 1, otherwise shares of the image
            diagonal, rounded up to pixels.
        average: ``'image'``, ``'present'`` or ``'dataset'``, see
            ``mmrefine.measures.BoundaryFScoreCounts.figures``.
        ignore_index, void_boundary, collect_device, prefix: See ``LabelMapMetric``.
            Figures published for Cityscapes come from code with ``void_boundary=True``.
    """

    default_prefix = 'boundary'

    def __init__(
        self,
        tolerance: float | Sequence[float] = (1, 2, 3),
        average: Average = 'image',
        ignore_index: int = 255,
        void_boundary: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(ignore_index, void_boundary, collect_device, prefix)
        self.tolerances = tuple(np.atleast_1d(tolerance).tolist())
        for value in self.tolerances:
            tolerance_in_pixels(value, (1, 1))  # raises if it is none
        if average not in AVERAGES:
            raise ValueError(f'average: must be one of {AVERAGES}, got {average!r}')
        self.average = average

    def count(
        self, prediction: np.ndarray, target: np.ndarray, num_classes: int
    ) -> list[BoundaryFScoreCounts]:
        """Counts for each tolerance."""
        settings = (num_classes, self.ignore_index, self.void_boundary)
        return [boundary_fscore(prediction, target, t, *settings) for t in self.tolerances]

    def figures(
        self, counts: list[BoundaryFScoreCounts]
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """F-score for each tolerance."""
        names = [f'fscore_{t:g}{"px" if t >= 1 or t == 0 else ""}' for t in self.tolerances]
        found = [c.figures(self.average) for c in counts]
        return (
            {name: f['fscore'] for name, f in zip(names, found, strict=True)},
            {name: f['fscore_per_class'] for name, f in zip(names, found, strict=True)},
        )
