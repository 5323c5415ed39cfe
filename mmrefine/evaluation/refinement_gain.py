"""Any metric before and after refinement, and the difference."""

import copy
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmengine.registry import METRICS as MMENGINE_METRICS

from ..registry import METRICS
from ..structures.coarse import COARSE_OF

FILES = ('output_dir', 'outfile_prefix')
"""Settings of mmseg's and mmdet's metrics that say where they write files."""


@METRICS.register_module()
class RefinementGain(BaseMetric):
    """What refinement does to a metric, from one test run with the RefinementHook.

    In a config over someone else's, around the metric that is there::

        test_evaluator = dict(
            type='mmrefine.RefinementGain', metric=_base_.test_evaluator, _delete_=True
        )
        custom_hooks = [
            dict(type='mmrefine.RefinementHook', refiner=dict(type='mmrefine.SegFixRefiner'))
        ]

    Each figure ``x`` of the metric gives ``x_before``, ``x_after`` and ``x_gain``, which is
    after - before. A metric that writes files (``output_dir``, ``outfile_prefix``) writes them
    to ``before`` and ``after`` below that place.

    Args:
        metric: Config of a metric of mmseg, mmdet, mmrefine or any other project; several in a
            list.
        collect_device: For a metric that does not say it itself.
        prefix: Put in front of the names that the metric gives.

    Raises:
        TypeError: ``metric`` is not a config.
        ValueError: While testing, if the data samples hold no coarse prediction.
    """

    def __init__(
        self,
        metric: dict | Sequence[dict],
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        configs = [metric] if isinstance(metric, dict) else metric
        if not isinstance(configs, list | tuple) or not all(isinstance(c, dict) for c in configs):
            raise TypeError(f'metric: must be a metric config or a list of them, got {metric!r}')
        # No warning about a missing prefix: the metrics inside have their own.
        super().__init__(collect_device=collect_device, prefix=prefix or 'gain')
        self.prefix = prefix
        self.before, self.after = (
            [_build(config, side, collect_device) for config in configs]
            for side in ('before', 'after')
        )

    @property
    def dataset_meta(self) -> dict | None:
        """Meta information of the dataset."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        self._dataset_meta = dataset_meta
        for metric in (*self.before, *self.after):
            metric.dataset_meta = dataset_meta

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Hand the batch to the metrics, once as it is and once with the coarse predictions."""
        coarse = [_with_coarse_prediction(sample) for sample in data_samples]
        for metrics, samples in ((self.before, coarse), (self.after, data_samples)):
            for metric in metrics:
                metric.process(data_batch, samples)

    def evaluate(self, size: int) -> dict[str, Any]:
        """Figures of the metrics before and after refinement, and the gain."""
        logger = MMLogger.get_current_instance()
        figures: dict[str, Any] = {}
        for before, after in zip(self.before, self.after, strict=True):
            logger.info('before refinement:')
            old = before.evaluate(size)
            logger.info('after refinement:')
            new = after.evaluate(size)
            figures |= gains(old, new)
        logger.info(f'refinement:\n{_lines(figures)}')
        return {f'{self.prefix}/{k}' if self.prefix else k: v for k, v in figures.items()}

    def compute_metrics(self, results: list) -> dict[str, Any]:
        """Not used: the metrics inside collect and compute for themselves."""
        raise NotImplementedError


def gains(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """``x_before``, ``x_after`` and, for numbers, ``x_gain`` of each figure ``x``."""
    figures = {}
    for name in before:
        old, new = before[name], after[name]
        figures[f'{name}_before'], figures[f'{name}_after'] = old, new
        if not isinstance(old, str) and not isinstance(new, str):
            figures[f'{name}_gain'] = new - old
    return figures


def _lines(figures: dict[str, Any]) -> str:
    names = [name.removesuffix('_gain') for name in figures if name.endswith('_gain')]
    width = max(map(len, (*names, 'figure')))
    lines = [f'{"figure":{width}}  {"before":>8}  {"after":>8}  {"gain":>8}']
    for name in names:
        before, after, gain = (figures[f'{name}_{part}'] for part in ('before', 'after', 'gain'))
        lines.append(f'{name:{width}}  {before:8.2f}  {after:8.2f}  {gain:+8.2f}')
    return '\n'.join(lines)


def _build(config: dict, side: str, collect_device: str) -> BaseMetric:
    config = copy.deepcopy(config)
    config.setdefault('collect_device', collect_device)
    for key in FILES:
        if config.get(key):
            config[key] = f'{str(config[key]).rstrip("/")}/{side}'
    return MMENGINE_METRICS.build(config)


def _with_coarse_prediction(sample: dict) -> dict:
    """The data sample as it would be without refinement."""
    found = {field: coarse for field, coarse in COARSE_OF.items() if coarse in sample}
    if not found:
        raise ValueError(
            'mmrefine.RefinementGain needs the predictions from before refinement '
            f'({" or ".join(COARSE_OF.values())}), which the data samples do not hold. '
            'Add to the config:\n'
            '    custom_hooks = [\n'
            "        dict(type='mmrefine.RefinementHook', "
            "refiner=dict(type='mmrefine.SegFixRefiner'))\n"
            '    ]\n'
            "('mmrefine.BPRRefiner' for instances; for validation the hook needs val=True, its "
            'default)'
        )
    return {**sample, **{field: sample[coarse] for field, coarse in found.items()}}
