"""Metrics over processes that each see whole videos, and so not equally many frames."""

from collections.abc import Sequence
from typing import Any

from mmengine.dist import all_gather_object, broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS as MMENGINE_METRICS

from ..registry import METRICS


class WholeVideoMetric(BaseMetric):
    """Base of metrics that join the results of all processes, however many each has.

    mmengine's own way interleaves the results and cuts the longer lists: right for its samplers,
    which give each process equally many frames, wrong for ``mmrefine.VideoSampler``.
    """

    def evaluate(self, size: int) -> dict:
        """Figures of all results, those of the first process first; the same on each process."""
        results = [part for parts in all_gather_object(self.results) for part in parts]
        figures: list[Any] = [None]
        if is_main_process():
            found = self.compute_metrics(results)
            prefix = f'{self.prefix}/' if self.prefix else ''
            figures = [{f'{prefix}{name}': value for name, value in found.items()}]
        broadcast_object_list(figures)
        self.results.clear()
        return dict(figures[0])


@METRICS.register_module()
class WholeVideos(WholeVideoMetric):
    """Any metric of images, with ``mmrefine.VideoSampler`` on several processes.

    Around the metric that is there::

        test_evaluator = dict(
            type='mmrefine.WholeVideos', metric=_base_.test_evaluator, _delete_=True
        )

    Args:
        metric: Config of a metric with one entry of ``results`` for each image, such as
            mmseg's ``IoUMetric``.
        collect_device: As in every mmengine metric.
        prefix: In front of the names that the metric gives; by default the metric's own.

    Raises:
        TypeError: ``metric`` is not a config.
    """

    def __init__(
        self, metric: dict, collect_device: str = 'cpu', prefix: str | None = None
    ) -> None:
        if not isinstance(metric, dict):
            raise TypeError(f'metric: must be a metric config, got {metric!r}')
        self.metric: BaseMetric = MMENGINE_METRICS.build(metric)
        # No warning about a missing prefix: the metric inside has its own.
        super().__init__(collect_device=collect_device, prefix=prefix or 'videos')
        self.prefix = prefix or self.metric.prefix
        self.results = self.metric.results

    @property
    def dataset_meta(self) -> dict | None:
        """Meta information of the dataset."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self._dataset_meta = dataset_meta
        self.metric.dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Hand the batch to the metric."""
        self.metric.process(data_batch, data_samples)

    def compute_metrics(self, results: list) -> dict:
        """Figures that the metric makes of all results."""
        figures: dict = self.metric.compute_metrics(results)
        return figures
