"""A refiner behind the predictions of any mmseg or mmdet model.

In mmengine the evaluator runs before ``after_test_iter``, so a hook cannot
change predictions there. This one listens to the model's own forward pass.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn as nn
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement, PixelData

from ..refiners import Refiner
from ..registry import HOOKS, REFINERS
from ..structures.coarse import COARSE_INSTANCES, COARSE_SEM_SEG


@HOOKS.register_module()
class RefinementHook(Hook):
    """Refines what the model predicts while testing and validating.

    Everything after the model sees refined masks: metrics, visualisation, saved
    predictions. The coarse ones stay in ``coarse_sem_seg`` or
    ``coarse_instances`` of each data sample. Use it in the config of any
    project::

        custom_hooks = [
            dict(type='mmrefine.RefinementHook', refiner=dict(type='mmrefine.SegFixRefiner'))
        ]

    Images are read again from ``img_path``: the model's own input is resized
    and normalised.

    Args:
        refiner: Config of a refiner, or a refiner; several in a sequence are
            applied one after the other.
        val: Refine during validation, too.

    Raises:
        TypeError: if ``refiner`` is something else.
        ValueError: at the start of testing, for a model with test-time
            augmentation, whose predictions are merged after this hook; and while
            testing, for samples without ``img_path`` or without masks.
    """

    # Before hooks that look at the outputs (visualisation is VERY_LOW; all run after the model).
    priority = 'NORMAL'

    def __init__(
        self, refiner: Refiner | Mapping | Sequence[Refiner | Mapping], val: bool = True
    ) -> None:
        parts = refiner if isinstance(refiner, list | tuple) else [refiner]
        for part in parts:
            if not isinstance(part, Refiner | Mapping):
                raise TypeError(
                    'refiner: expected a refiner config such as '
                    f"dict(type='mmrefine.SegFixRefiner'), got {part!r}"
                )
        if not parts:
            raise ValueError('refiner: expected at least one refiner, got an empty sequence')
        self._parts = list(parts)
        self.val = val
        self._handle: torch.utils.hooks.RemovableHandle | None = None
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
        if isinstance(model, BaseTTAModel):
            raise ValueError(
                'mmrefine.RefinementHook does not work with test-time augmentation, whose '
                'predictions are merged after the model: run without --tta, save the label maps '
                'and refine them with tools/refine.py'
            )
        self._build(next(model.parameters()).device)
        self._reset_statistics()
        if self._handle is not None:  # left over from a run that was interrupted
            self._handle.remove()
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
                ``DetDataSample`` with ``pred_instances.masks``, and ``img_path``.
        """
        image = sample.metainfo.get('img_path')
        if image is None:
            raise ValueError(
                'mmrefine.RefinementHook needs img_path in every data sample: the pipeline must '
                "load images from files and keep 'img_path' in the meta_keys of its packing step"
            )
        start = time.perf_counter()
        if 'pred_sem_seg' in sample:
            coarse = sample.pred_sem_seg.data
            refined = self._refine(image, coarse[0])
            sample.set_field(sample.pred_sem_seg, COARSE_SEM_SEG, PixelData)
            sample.pred_sem_seg = PixelData(data=refined[None])
        elif 'pred_instances' in sample and 'masks' in sample.pred_instances:
            instances = sample.pred_instances
            sample.set_field(instances.new(), COARSE_INSTANCES, type(instances))
            if len(instances):
                instances.masks = self._refine(image, instances.masks)
        else:
            raise ValueError(
                'mmrefine.RefinementHook found neither pred_sem_seg nor pred_instances.masks '
                f'in the predictions for {image}: the model must predict label maps or masks'
            )
        self._images += 1
        self._seconds += time.perf_counter() - start

    def _refine(self, image: str, masks: torch.Tensor | np.ndarray) -> torch.Tensor | np.ndarray:
        """Masks through all refiners, as the type, dtype and device that they came in."""
        as_tensor = isinstance(masks, torch.Tensor)
        coarse = masks.cpu().numpy() if as_tensor else masks
        if coarse.dtype.kind == 'f':  # label maps of mmseg's models with a single output channel
            coarse = coarse.astype(np.int64)
        refined = coarse
        for refiner in self._parts:
            refined = refiner.refine(image, refined)  # type: ignore[union-attr]
        self._pixels += coarse.size
        self._changed += int(np.count_nonzero(refined != coarse))
        return torch.from_numpy(refined).to(masks) if as_tensor else refined
