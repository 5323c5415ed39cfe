"""AuxAdapt around the model of any mmseg project, while it is tested."""

import time
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from ..registry import HOOKS, MODELS


@HOOKS.register_module()
class OnlineAdaptationHook(Hook):
    """Puts ``mmrefine.AuxAdaptSegmentor`` around the model for the time of a test.

    In the config of any project, whose test data are the frames of videos in order::

        custom_hooks = [
            dict(type='mmrefine.OnlineAdaptationHook', aux=aux_model, aux_checkpoint='aux.pth')
        ]

    Afterwards the model is what it was. With several processes, each adapts to its own videos:
    use ``mmrefine.VideoSampler``. Where both are given, ``mmrefine.RefinementHook`` refines what
    comes out.

    Args:
        val: Adapt while validating, too.
        **options: Arguments of ``mmrefine.AuxAdaptSegmentor`` but ``main``; by default, a copy of
            the model is what adapts.

    Raises:
        ValueError: at the start of testing, for a model with test-time augmentation, and as
            ``mmrefine.AuxAdaptSegmentor``.
    """

    # Before the RefinementHook (NORMAL), which listens to the model it finds.
    priority = 'ABOVE_NORMAL'

    def __init__(self, val: bool = False, **options: Any) -> None:
        self.val = val
        self.options = options
        self._given: nn.Module | None = None
        self._adapting: Any = None

    def before_test(self, runner: Runner) -> None:
        """Put the adapting model in."""
        self._put_in(runner)

    def after_test(self, runner: Runner) -> None:
        """Put the model back."""
        self._put_back(runner)

    def before_val(self, runner: Runner) -> None:
        """Put the adapting model in."""
        if self.val:
            self._put_in(runner)

    def after_val(self, runner: Runner) -> None:
        """Put the model back."""
        if self.val:
            self._put_back(runner)

    def _put_in(self, runner: Runner) -> None:
        if self._given is not None and runner.model is self._adapting:
            self._put_back(runner)  # left over from a run that was interrupted
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if isinstance(model, BaseTTAModel):
            raise ValueError(
                'mmrefine.OnlineAdaptationHook does not work with test-time augmentation: run '
                'without --tta'
            )
        self._trainable = [p for p in model.parameters() if p.requires_grad]
        self._adapting = MODELS.build(
            dict(type='mmrefine.AuxAdaptSegmentor', main=model, **self.options)
        ).to(next(model.parameters()).device)
        self._given, runner.model = runner.model, self._adapting
        self._start = time.perf_counter()

    def _put_back(self, runner: Runner) -> None:
        if self._given is None:
            return
        runner.model, self._given = self._given, None
        for parameter in self._trainable:
            parameter.requires_grad_(True)
        runner.logger.info(
            f'OnlineAdaptationHook: {self._adapting.updates} updates on this process, '
            f'{time.perf_counter() - self._start:.0f} s with data and metrics'
        )
        self._adapting = None
