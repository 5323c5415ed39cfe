"""What the losses behind a frozen edge network share (SEMEDA, arXiv 1905.01892, Section 3).

Legend: N batch, C classes, H W size.
"""

import os
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from ..class_labels import check_labels
from ..edge_nets import load_edge_net
from .warm_up import warm_up


class EdgeNetLoss(nn.Module):
    """Base of losses that look at predictions through a frozen edge network.

    The network's weights are buffers that are not saved: they move with ``.to(device)``, but no
    optimizer, checkpoint or ``init_cfg`` of the model reaches them. All is computed in float32,
    under mixed precision too.

    Args:
        edge_net: Number of classes or name of a shipped network, or a published checkpoint, see
            ``mmrefine.models.edge_nets.load_edge_net``.
        loss_weight: Factor on the loss.
        warmup_iters: Over how many iterations of mmengine's runner the factor rises linearly from
            zero; it goes on where it was after resuming. Without a runner there is no warm-up.
        ignore_index: Label of ignored pixels where the caller names none.
        loss_name: Key in the log; must start with ``loss_`` to be trained on.

    Raises:
        ValueError: if an argument is out of range, or the network was never trained.
    """

    def __init__(
        self,
        edge_net: int | str | os.PathLike,
        loss_weight: float,
        warmup_iters: int,
        ignore_index: int,
        loss_name: str,
    ) -> None:
        super().__init__()
        if not loss_weight >= 0:
            raise ValueError(f'loss_weight must be >= 0, got {loss_weight}')
        if not warmup_iters >= 0:
            raise ValueError(f'warmup_iters must be >= 0, got {warmup_iters}')
        network = load_edge_net(edge_net)
        self.num_classes = network.num_classes
        self.num_layers = len(network.convs)
        convs: Any = network.convs
        for k, conv in enumerate(convs):
            for name, value in (('kernel', conv.weight), ('bias', conv.bias)):
                self.register_buffer(f'{name}{k}', value.detach().clone(), persistent=False)
        self.loss_weight = loss_weight
        self.warmup_iters = warmup_iters
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int | None = None,
    ) -> Tensor:
        """Weighted loss, called as every mmseg head calls its losses.

        Args:
            logits: (N, C, H, W), any floating dtype; (N, 1, H, W) of a binary head with a sigmoid
                counts as two classes.
            label: (N, H, W) class indices.
            weight: (N, H, W) factor on each pixel's loss, of a pixel sampler.
            ignore_index: Label of ignored pixels.

        Returns:
            Scalar. Zero (with a gradient of zero) where no pixel counts.

        Raises:
            ValueError: if the network is for another number of classes than the logits, if their
                sizes differ, or the labels are out of range.
        """
        self._check(logits, label)
        if ignore_index is None:
            ignore_index = self.ignore_index
        with torch.autocast(logits.device.type, enabled=False):
            label = label.long()
            check_labels(label, self.num_classes, ignore_index)
            loss = self.compare(logits.float(), label, weight, ignore_index)
        return self.loss_weight * warm_up(self.warmup_iters) * loss

    @abstractmethod
    def compare(
        self, logits: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int
    ) -> Tensor:
        """Scalar loss of logits (N, C, H, W), float32, and labels (N, H, W), int64, checked."""

    def layer(self, k: int) -> tuple[Tensor, Tensor]:
        """Kernel and bias of convolution ``k``, float32."""
        return getattr(self, f'kernel{k}').float(), getattr(self, f'bias{k}').float()

    def _check(self, logits: Tensor, label: Tensor) -> None:
        classes = max(2, logits.shape[1])
        if classes != self.num_classes:
            raise ValueError(
                f'edge_net: it is for {self.num_classes} classes, the logits have {classes} '
                '(num_classes of the head and the edge network must agree)'
            )
        if label.shape != (len(logits), *logits.shape[2:]):
            raise ValueError(
                f'label: expected shape {(len(logits), *logits.shape[2:])}, that of the logits, '
                f'got {tuple(label.shape)}'
            )


def class_probabilities(logits: Tensor) -> Tensor:
    """Logits (N, C, H, W), one channel for a sigmoid → probabilities of two classes or more."""
    if logits.shape[1] == 1:
        return torch.cat([-logits, logits], 1).sigmoid()
    return logits.softmax(1)
