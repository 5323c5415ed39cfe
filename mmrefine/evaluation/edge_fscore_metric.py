"""How well the edge network of SEMEDA finds edges."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..registry import METRICS


@METRICS.register_module()
class EdgeFScoreMetric(BaseMetric):
    """``edge/fscore``, ``edge/precision`` and ``edge/recall`` of edge pixels, per cent.

    Pixel by pixel, without tolerance, over the data set. Reads ``pred_edge_map`` and
    ``gt_edge_map`` (255 ignored), as ``mmrefine.models.edge_nets.SemanticEdgeNet`` predicts.

    Args:
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'edge'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count right, found and true edges of each map."""
        for sample in data_samples:
            found, true = sample['pred_edge_map'] == 1, sample['gt_edge_map'] == 1
            found &= sample['gt_edge_map'] != 255
            self.results.append([int(c.sum()) for c in (found & true, found, true)])

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the whole data set; nan where nothing was there to count."""
        right, found, true = np.array(results, np.int64).reshape(-1, 3).sum(0).tolist()

        def per_cent(part: int, whole: int) -> float:
            return 100 * part / whole if whole else float('nan')

        return dict(
            fscore=per_cent(2 * right, found + true),
            precision=per_cent(right, found),
            recall=per_cent(right, true),
        )
