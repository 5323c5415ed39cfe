"""A refiner behind the predictions of any mmseg or mmdet model.

In mmengine the evaluator runs before ``after_test_iter``, so a hook cannot
change predictions there. This one listens to the model's own forward pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn as nn
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from ..methods import DEFAULT
from ..refiners import Refiner, refine_through
from ..refiners.loaders import Loader, image_loader
from ..refiners.names import refiner_settings
from ..registry import HOOKS, REFINERS
from ..structures.predicted_masks import (
    as_given,
    predicted_fields,
    predicted_masks,
    put_refined_masks,
    to_array,
)


@HOOKS.register_module()
class RefinementHook(Hook):
    """Refines what the model predicts while testing and validating.

    Everything after the model sees refined masks: metrics, visualisation, saved
    predictions. The coarse ones stay in ``coarse_sem_seg``, ``coarse_instances``
    or ``coarse_panoptic_seg`` of each data sample. Use it in the config of any
    project::

        custom_hooks = [dict(type='mmrefine.RefinementHook')]

    Behind a model with test-time augmentation (``--tta``), what it merged is refined.

    Images are read again from ``img_path``: the model's own input is resized
    and normalised.

    Args:
        refiner: Name of a method (by default the one that is default everywhere), config of a
            refiner, or a refiner; several in a sequence are applied one after the other.
        val: Refine during validation, too.
        bands: Of images of other bands and types, those to look at; see ``load_image``.
        loader: A function of your own that reads images, or its name ``'module:function'``; see
            ``mmrefine.refiners.loaders.image_loader``.

    Raises:
        TypeError: if ``refiner`` is something else.
        ValueError: if there is no such method; and while testing, for samples without
            ``img_path`` or without masks.
    """

    # Before hooks that look at the outputs (visualisation is VERY_LOW; all run after the model).
    priority = 'NORMAL'

    def __init__(
        self,
        refiner: Refiner | Mapping | str | Sequence[Refiner | Mapping | str] = DEFAULT,
        val: bool = True,
        bands: Sequence[int] | None = None,
        loader: Loader | str | None = None,
    ) -> None:
        parts = refiner if isinstance(refiner, list | tuple) else [refiner]
        for part in parts:
            if not isinstance(part, Refiner | Mapping | str):
                raise TypeError(
                    'refiner: expected the name of a method or a refiner config such as '
                    f"dict(type='mmrefine.SegFixRefiner'), got {part!r}"
                )
        if not parts:
            raise ValueError('refiner: expected at least one refiner, got an empty sequence')
        self._parts: list[Any] = [refiner_settings(p) if isinstance(p, str) else p for p in parts]
        self.val = val
        self._load = image_loader(loader, bands)
        self._handle: torch.utils.hooks.RemovableHandle | _AfterMerge | None = None
        self._reset_statistics()

    def _reset_statistics(self) -> None:
        self._images = self._pixels = self._changed = 0
        self._seconds = 0.0

    def before_test(self, runner: Runner) -> None:
        """Start listening."""
        self._listen(runner)

    def after_test(self, runner: Runner) -> None:
        """Stop listening and say what was done."""
        self._stop(runner)

    def before_val(self, runner: Runner) -> None:
        """Start listening."""
        if self.val:
            self._listen(runner)

    def after_val(self, runner: Runner) -> None:
        """Stop listening and say what was done."""
        if self.val:
            self._stop(runner)

    def _listen(self, runner: Runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._build(next(model.parameters()).device)
        self._reset_statistics()
        if self._handle is not None:  # left over from a run that was interrupted
            self._handle.remove()
        if isinstance(model, BaseTTAModel):
            self._handle = _AfterMerge(model, self.refine_sample)
        else:
            self._handle = model.register_forward_hook(self._after_forward, with_kwargs=True)

    def _build(self, device: torch.device) -> None:
        """Build refiners from their configs once, on the device of the model."""
        for index, part in enumerate(self._parts):
            if not isinstance(part, Refiner):
                cfg = dict(part)
                cfg.setdefault('device', str(device))
                self._parts[index] = REFINERS.build(cfg)

    def _stop(self, runner: Runner) -> None:
        if self._handle is not None:
            self._handle.remove()
            self._handle = None
        if self._images:
            runner.logger.info(
                f'RefinementHook: {self._images} images on this process, '
                f'{100 * self._changed / max(self._pixels, 1):.2f} % of mask pixels changed, '
                f'{1000 * self._seconds / self._images:.0f} ms an image'
            )

    def _after_forward(self, module: nn.Module, args: tuple, kwargs: dict, output: object) -> None:
        mode = kwargs.get('mode', args[2] if len(args) > 2 else 'tensor')
        if mode == 'predict':
            for sample in output:  # type: ignore[attr-defined]
                self.refine_sample(sample)

    def refine_sample(self, sample: BaseDataElement) -> None:
        """Refine the prediction in one data sample in place.

        Args:
            sample: mmseg's ``SegDataSample`` with ``pred_sem_seg`` or mmdet's
                ``DetDataSample`` with ``pred_instances.masks`` or ``pred_panoptic_seg``,
                or both; and ``img_path``.
        """
        image = sample.metainfo.get('img_path')
        if image is None:
            raise ValueError(
                'mmrefine.RefinementHook needs img_path in every data sample: the pipeline must '
                "load images from files and keep 'img_path' in the meta_keys of its packing step"
            )
        start = time.perf_counter()
        refine = refine_through(self._parts, image, self._load)
        for field in predicted_fields(sample):
            masks = predicted_masks(sample, field)
            coarse = to_array(masks)
            refined = refine(coarse)
            self._pixels += coarse.size
            self._changed += int(np.count_nonzero(refined != coarse))
            put_refined_masks(sample, field, as_given(refined, masks))
        self._images += 1
        self._seconds += time.perf_counter() - start


class _AfterMerge:
    """Listens to a model with test-time augmentation: what it merged is handed on.

    Args:
        model: The model; its ``merge_preds`` is replaced until ``remove``.
        then: Called with each merged data sample.
    """

    def __init__(self, model: BaseTTAModel, then: Callable[[BaseDataElement], None]) -> None:
        merge = model.merge_preds

        def merge_and_go_on(samples: Any) -> Any:
            merged = merge(samples)
            for sample in merged:
                then(sample)
            return merged

        self._model = model
        model.merge_preds = merge_and_go_on

    def remove(self) -> None:
        """Stop listening."""
        del self._model.merge_preds
