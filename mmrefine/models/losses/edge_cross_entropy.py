"""Cross-entropy on predicted edges, which SEMEDA compares itself with (arXiv 1905.01892, Eq. 5)."""

import os

import torch.nn.functional as F
from torch import Tensor

from ...ops import semantic_edge_map
from ...registry import MODELS
from ..edge_nets.semantic_edge_net import continued, reached
from .balanced_cross_entropy import balanced_cross_entropy
from .edge_net_loss import EdgeNetLoss, class_probabilities


@MODELS.register_module()
class EdgeCrossEntropyLoss(EdgeNetLoss):
    """Cross-entropy of the edges that a frozen network finds in the prediction (Figure 2c).

    The truth is the semantic edge map of the labels; edge and interior are weighted by one minus
    their share of the batch, as when the network was trained. Takes the place of
    ``SEMEDALoss`` in ``loss_decode``.

    Args:
        edge_net, loss_weight, warmup_iters, ignore_index, loss_name: As of ``SEMEDALoss``.
    """

    def __init__(
        self,
        edge_net: int | str | os.PathLike,
        loss_weight: float = 1.0,
        warmup_iters: int = 0,
        ignore_index: int = 255,
        loss_name: str = 'loss_edge_ce',
    ) -> None:
        super().__init__(edge_net, loss_weight, warmup_iters, ignore_index, loss_name)

    def compare(
        self, logits: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int
    ) -> Tensor:
        """Weighted mean over the pixels whose edge the network finds without ignored pixels."""
        if weight is not None:
            raise ValueError('weight: a pixel sampler does not go with EdgeCrossEntropyLoss')
        features = continued(class_probabilities(logits), self.num_layers)
        unseen = reached(label == ignore_index, self.num_layers)
        target = semantic_edge_map(label, ignore_index).long()
        for k in range(self.num_layers):
            features = F.conv2d(features.relu() if k else features, *self.layer(k))
        return balanced_cross_entropy(features, target.masked_fill(unseen, 255))
