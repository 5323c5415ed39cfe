"""The two figures the authors watch while SegFix trains."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..registry import METRICS
from ..structures.segfix_fields import (
    GT_BOUNDARY,
    GT_DIRECTION,
    PRED_BOUNDARY,
    PRED_DIRECTION,
)


@METRICS.register_module()
class SegFixMetric(BaseMetric):
    """F-score of the boundary branch and accuracy of the direction branch.

    ``boundary_fscore``, ``boundary_precision``, ``boundary_recall``: pixelwise,
    of boundary against interior over the dataset. ``direction_accuracy``: share
    of right directions among labelled pixels inside the *predicted* boundary,
    where a wrong one does harm. All in per cent. SegFix's authors see masks
    improve once direction accuracy passes about 60 %.

    Args:
        threshold: Probability above which a pixel is boundary.
        ignore_index: Label of pixels without a target.
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'segfix'

    def __init__(
        self,
        threshold: float = 0.5,
        ignore_index: int = 255,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.threshold = threshold
        self.ignore_index = ignore_index

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count true positives, predicted, actual, right and judged directions."""
        for sample in data_samples:
            target = sample[GT_BOUNDARY]['data'].squeeze(0)
            direction = sample[GT_DIRECTION]['data'].squeeze(0)
            predicted = sample[PRED_BOUNDARY]['data'].squeeze(0).to(target.device) > self.threshold
            labelled = target != self.ignore_index
            predicted &= labelled
            actual = (target == 1) & labelled
            judged = predicted & (direction != self.ignore_index)
            right = judged & (sample[PRED_DIRECTION]['data'].squeeze(0).to(target) == direction)
            counts = (predicted & actual, predicted, actual, right, judged)
            self.results.append([int(c.sum()) for c in counts])

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the whole dataset; nan where nothing was there to count."""
        hit, predicted, actual, right, judged = np.array(results, np.int64).reshape(-1, 5).sum(0)

        def per_cent(part: int, whole: int) -> float:
            return 100 * float(part) / float(whole) if whole else float('nan')

        return dict(
            boundary_fscore=per_cent(2 * hit, predicted + actual),
            boundary_precision=per_cent(hit, predicted),
            boundary_recall=per_cent(hit, actual),
            direction_accuracy=per_cent(right, judged),
        )
