"""Cross-entropy with class weights taken from the batch, the loss of SegFix.

SegFix (arXiv 2007.04269, Section 3.2) trains both branches with cross-entropy;
the released code weights class c by ``1 - frequency(c)``, with frequencies
counted in the batch at hand.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

from ...registry import MODELS


def balanced_cross_entropy(logits: Tensor, target: Tensor, ignore_index: int = 255) -> Tensor:
    """Mean cross-entropy, class c weighted by one minus its share of the target.

    Args:
        logits: (N, C, H, W), any floating dtype; computed in float32.
        target: (N, H, W) int64 class indices; ``ignore_index`` counts nowhere.
        ignore_index: Label of pixels without a target.

    Returns:
        Scalar: the weighted mean over labelled pixels. Zero (with a gradient of
        zero) where there are none, and where a single class is present, whose
        weight is then zero.

    Raises:
        ValueError: if the target has labels that the logits have no channel for.
    """
    num_classes = logits.shape[1]
    labelled = target != ignore_index
    counts = torch.bincount(target[labelled], minlength=num_classes).float()
    if len(counts) > num_classes:
        raise ValueError(
            f'target: expected labels below {num_classes}, the channels of logits, got '
            f'{len(counts) - 1} (for directions, num_directions of the transform and of the head '
            'must agree)'
        )
    weight = 1 - counts / counts.sum().clamp(min=1)
    losses = F.cross_entropy(
        logits.float(), target, weight=weight, ignore_index=ignore_index, reduction='sum'
    )
    total = (weight * counts).sum()
    return losses / total.clamp(min=torch.finfo(losses.dtype).eps)


@MODELS.register_module()
class BalancedCrossEntropyLoss(nn.Module):
    """``balanced_cross_entropy`` as a module.

    Args:
        loss_weight: Factor on the loss.
        loss_name: Key in the log; must start with ``loss_`` to be trained on.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_balanced_ce') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        ignore_index: int = 255,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Weighted loss; shapes as in ``balanced_cross_entropy``.

        Raises:
            ValueError: if a pixel sampler gives a ``weight``; the batch gives it here.
        """
        if weight is not None:
            raise ValueError('weight: a pixel sampler does not go with BalancedCrossEntropyLoss')
        return self.loss_weight * balanced_cross_entropy(logits, target, ignore_index)
