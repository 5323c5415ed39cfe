"""How exactly the network of InverseForm estimates transforms."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..ops import displacement
from ..registry import METRICS


@METRICS.register_module()
class TransformErrorMetric(BaseMetric):
    """Distance of the estimated from the true transform of a tile, in pixels.

    ``transform/error_px``: how far apart the two put the points of a tile, mean over tiles.
    ``transform/identity_px``: the same for an estimate of no transform at all, what there is to
    find. ``transform/relative_error``: the first in per cent of the second.

    Reads ``pred_matrix``, ``gt_matrix`` and ``tile_size``, as
    ``mmrefine.models.inverse_nets.InverseTransformNet`` predicts.

    Args:
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'transform'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Measure each tile."""
        for sample in data_samples:
            estimate, truth = (
                np.asarray(sample[key].cpu(), np.float64) for key in ('pred_matrix', 'gt_matrix')
            )
            size = sample['tile_size']
            self.results.append([displacement(m, truth, size) for m in (estimate, np.eye(3))])

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Means over all tiles; NaN where there were none."""
        error, identity = np.array(results).reshape(-1, 2).mean(0).tolist()
        relative = 100 * error / identity if identity else float('nan')
        return dict(error_px=error, identity_px=identity, relative_error=relative)
