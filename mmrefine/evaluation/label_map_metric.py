"""What the metrics of label maps share: reading data samples, adding counts, a table."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from ..measures import total


class LabelMapMetric(BaseMetric):
    """Base of metrics of mmseg's label maps.

    Reads ``pred_sem_seg`` and ``gt_sem_seg`` of each data sample, as mmseg's ``IoUMetric``
    does; where the dataset has ``reduce_zero_label``, the loaded ground truth already has its
    labels reduced and 0 ignored. All figures are per cent.

    Args:
        ignore_index: Label of the ground truth that is ignored.
        void_boundary: Whether the border between a class and ignored pixels is a boundary.
        collect_device, prefix: As in every mmengine metric.
    """

    def __init__(
        self,
        ignore_index: int = 255,
        void_boundary: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.ignore_index = ignore_index
        self.void_boundary = void_boundary

    @abstractmethod
    def count(self, prediction: np.ndarray, target: np.ndarray, num_classes: int) -> Any:
        """Counts of one image, a list of ``mmrefine.measures.Counts``.

        Args:
            prediction: (H, W) int64.
            target: (H, W) int64.
            num_classes: Number of classes of the dataset.
        """

    @abstractmethod
    def figures(self, counts: list) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """The figures of the dataset, and columns (C,) of a table by class, as fractions."""

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count one batch; one entry of ``results`` for each image."""
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            prediction, target = (
                sample[key]['data'].squeeze(0).long().cpu().numpy()
                for key in ('pred_sem_seg', 'gt_sem_seg')
            )
            self.results.append(self.count(prediction, target, num_classes))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the whole dataset; NaN where there was nothing to judge."""
        counts = [total(parts) for parts in zip(*results, strict=True)]
        figures, by_class = self.figures(counts)
        logger = MMLogger.get_current_instance()
        logger.info(f'per class, in per cent:\n{table(self.dataset_meta["classes"], by_class)}')
        return {name: 100 * value for name, value in figures.items()}


def table(names: Sequence[str], columns: dict[str, np.ndarray]) -> str:
    """Plain text: one row for each name, one column of fractions as per cent for each entry."""
    width = max(map(len, (*names, 'class')))
    lines = [f'{"class":{width}}  ' + '  '.join(columns)]
    for k, name in enumerate(names):
        cells = (f'{100 * values[k]:{len(head)}.2f}' for head, values in columns.items())
        lines.append(f'{name:{width}}  ' + '  '.join(cells))
    return '\n'.join(lines)
