"""A second head for semantic edges, which SEMEDA compares itself with (arXiv 1905.01892, 2b)."""

from typing import Any

from mmseg.models.decode_heads import FCNHead
from torch import Tensor

from ...ops import semantic_edge_map
from ...registry import MODELS
from ..quiet import without_warning

# Edge and interior are two classes: the loss weights them.
OUTPUT_ADVICE = 'For binary segmentation, we suggest'


@MODELS.register_module()
class EdgeHead(FCNHead):
    """Auxiliary head that learns edges from the backbone's features, as UberNet does (Figure 2b).

    Its labels are the semantic edge map of the ground truth. It shapes the features while the
    model trains, and has no part in predicting.

    Args:
        loss_decode: As in every mmseg head; edges are rare, so by default edge and interior are
            weighted by one minus their share of the batch.
        **kwargs: Further arguments of mmseg's ``FCNHead``.
    """

    def __init__(self, loss_decode: dict | None = None, **kwargs: Any) -> None:
        loss_decode = loss_decode or dict(
            type='mmrefine.BalancedCrossEntropyLoss', loss_name='loss_edge'
        )
        with without_warning(OUTPUT_ADVICE):
            super().__init__(num_classes=2, loss_decode=loss_decode, **kwargs)

    def _stack_batch_gt(self, batch_data_samples: list) -> Tensor:
        labels = super()._stack_batch_gt(batch_data_samples)
        edges = semantic_edge_map(labels.squeeze(1), self.ignore_index).long()
        if self.ignore_index != 255:
            edges = edges.masked_fill(edges == 255, self.ignore_index)
        return edges[:, None]
