"""Mixed precision on a CPU, where mmengine's ``AmpOptimWrapper`` refuses to run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ..registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Runs the network in bfloat16 on a CPU; weights and optimizer stay float32.

    On processors that know bfloat16, and with
    ``ChannelsLastHook``, an HRNet trains in half the time. Losses need no scaling: the range of
    bfloat16 is that of float32.

    Args:
        As for ``mmengine.optim.OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Around the forward pass of a training step."""
        with super().optim_context(model), torch.autocast('cpu', torch.bfloat16):
            yield
