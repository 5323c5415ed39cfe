"""Errors and boundaries of predicted depth maps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric

from ..measures import depth_boundary_fscore, depth_errors, total
from ..measures.depth import CROPS, Crop
from ..measures.fscore import tolerance_in_pixels
from ..registry import METRICS
from ..structures.depth_fields import GT_DEPTH, PRED_DEPTH


class _DepthMapMetric(BaseMetric):
    """Reads ``pred_depth_map`` and ``gt_depth_map``, at the size of the original image."""

    @staticmethod
    def _pairs(data_samples: Sequence[dict]) -> list[tuple[np.ndarray, np.ndarray]]:
        return [
            tuple(sample[key]['data'].squeeze(0).detach().float().cpu().numpy() for key in keys)
            for keys in [(PRED_DEPTH, GT_DEPTH)]
            for sample in data_samples
        ]


@METRICS.register_module()
class MonocularDepthMetric(_DepthMapMetric):
    """Errors of depth that is known up to a factor (``mmrefine.measures.depth_errors``).

    Figures: ``depth/abs_rel``, ``depth/sq_rel``, ``depth/rmse``, ``depth/rmse_log``, ``depth/d1``
    to ``depth/d3`` and ``depth/ratio_spread``, fractions as they are published.

    Args:
        min_depth, max_depth, median_scaling, crop: See ``mmrefine.measures.depth_errors``.
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'depth'

    def __init__(
        self,
        min_depth: float = 1e-3,
        max_depth: float = 80.0,
        median_scaling: bool = True,
        crop: Crop | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        if crop is not None and crop not in CROPS:
            raise ValueError(f'crop: must be one of {", ".join(CROPS)} or None, got {crop!r}')
        depth_errors(np.ones((1, 1)), np.ones((1, 1)), min_depth, max_depth)  # raises if wrong
        self.settings: dict[str, Any] = dict(
            min_depth=min_depth, max_depth=max_depth, median_scaling=median_scaling, crop=crop
        )

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count one batch."""
        self.results += [depth_errors(*p, **self.settings) for p in self._pairs(data_samples)]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the whole dataset."""
        return total(results).figures()


@METRICS.register_module()
class DepthBoundaryMetric(_DepthMapMetric):
    """F-score of depth boundaries (``mmrefine.measures.depth_boundary_fscore``), per cent.

    Needs true depth that is dense; a laser scan is not. Figures:
    ``depth_boundary/fscore_1px`` and so on for each tolerance, mean over images.

    Args:
        tolerance: One or more tolerances in pixels.
        ratio: Depths of neighbours that differ by more than this factor are a boundary.
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'depth_boundary'

    def __init__(
        self,
        tolerance: float | Sequence[float] = (1, 2, 3),
        ratio: float = 1.25,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.tolerances = tuple(np.atleast_1d(tolerance).tolist())
        for value in self.tolerances:
            tolerance_in_pixels(value, (1, 1))  # raises if it is none
        if not ratio > 1:
            raise ValueError(f'ratio: must be > 1, got {ratio}')
        self.ratio = ratio

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count one batch."""
        self.results += [
            [depth_boundary_fscore(*pair, t, self.ratio) for t in self.tolerances]
            for pair in self._pairs(data_samples)
        ]

    def compute_metrics(self, results: list) -> dict[str, float]:
        """F-score for each tolerance."""
        counts = [total(parts) for parts in zip(*results, strict=True)]
        return {
            f'fscore_{t:g}px': 100 * c.figures('present')['fscore']
            for t, c in zip(self.tolerances, counts, strict=True)
        }
