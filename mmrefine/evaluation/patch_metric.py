"""What a BPR network makes of its patches, beside the coarse masks it was given."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..registry import METRICS
from ..structures.patch_fields import COARSE_MASK


@METRICS.register_module()
class PatchMetric(BaseMetric):
    """Mean IoU of object and background over all patches, before and after.

    ``coarse_miou`` is that of the coarse masks, ``miou`` that of the network,
    ``gain`` the difference, all in per cent: a network whose gain is not above 0
    has learned to copy its input.

    Unlike mmseg's ``IoUMetric``, which keeps as many results as the dataset has
    items, it counts all patches of datasets whose items are images with several
    patches each.

    Args:
        collect_device, prefix: As in every mmengine metric.
    """

    default_prefix = 'patch'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count the pixels of a batch: one result, however many patches it has."""
        counts = np.zeros((2, 2, 2), np.int64)  # coarse or predicted; intersection, union; class
        for sample in data_samples:
            target = sample['gt_sem_seg']['data'].squeeze(0) != 0
            masks = (sample[COARSE_MASK]['data'], sample['pred_sem_seg']['data'])
            for count, mask in zip(counts, masks, strict=True):
                found = mask.squeeze(0).to(target.device) != 0
                for index, (a, b) in enumerate(((found, target), (~found, ~target))):
                    count[:, index] += int((a & b).sum()), int((a | b).sum())
        self.results.append(counts)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the whole dataset; a class that no patch has does not count."""
        counts = np.sum(results, axis=0)
        with np.errstate(invalid='ignore'):
            overlaps = counts[:, 0] / counts[:, 1]
        coarse, refined = (100 * float(np.nanmean(pair)) for pair in overlaps)
        return dict(coarse_miou=coarse, miou=refined, gain=refined - coarse)
