"""A sum over the image whose terms see a few rows around them, and its gradient, in little memory.

What a network that is frozen makes of a prediction is needed only for its gradient with respect to
the prediction. So that gradient is computed at once, a strip of rows at a time, and what was
computed on the way is dropped; held are the gradient, as large as the prediction, and one strip.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

# Pixels of a strip: with 32 channels in float32, embeddings of 16 MiB.
STRIP = 2**17

# (rows of the maps, their indices, the strip itself) -> its part of the sum
PartOfSum = Callable[[Tensor, Tensor, slice], Tensor]


def sum_of_strips(function: PartOfSum, maps: Tensor, margin: int, strip: int = STRIP) -> Tensor:
    """Add up ``function`` over strips of ``maps``.

    Args:
        function: Takes the rows of a strip and ``margin`` rows above and below it, where the border
            row stands for those outside; their indices; and the strip as a slice. It gives a
            scalar.
        maps: (N, C, H, W).
        margin: How many rows away the terms of a strip see.
        strip: Pixels that a strip has at most, if that is a row or more.

    Returns:
        Scalar, with a gradient with respect to ``maps`` alone, which can be taken once.
    """
    return _SumOfStrips.apply(maps, function, margin, strip)


class _SumOfStrips(Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, function: PartOfSum, margin: int, strip: int) -> Tensor:
        wanted = maps.requires_grad
        count, _, height, width = maps.shape
        step = max(1, strip // (count * width))
        total = maps.new_zeros(())
        gradient = torch.zeros_like(maps) if wanted else None
        for start in range(0, height, step):
            end = min(start + step, height)
            rows = torch.arange(start - margin, end + margin, device=maps.device)
            rows = rows.clamp(0, height - 1)
            with torch.set_grad_enabled(wanted):
                piece = maps.detach()[:, :, rows].requires_grad_(wanted)
                part = function(piece, rows, slice(start, end))
                if gradient is not None:
                    gradient.index_add_(2, rows, torch.autograd.grad(part, piece)[0])
            total += part.detach()
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> tuple:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_output, None, None, None
