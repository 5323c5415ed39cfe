"""A head on an intermediate layer that tells clusters of classes apart (HS3, arXiv 2111.02333).

How the head looks is not public: it is that of plain deep supervision in HRNet and OCR, a 1×1
convolution, norm, ReLU and a 1×1 convolution.
"""

import os
from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads import FCNHead
from torch import Tensor

from ...registry import MODELS
from .cluster_labels import ClusterLabels

LOSS = dict(type='mmseg.CrossEntropyLoss', loss_weight=0.4, avg_non_ignore=True)


@MODELS.register_module()
class ClusterAuxHead(FCNHead):
    """Auxiliary head whose task is a clustering of the classes; it has no part in predicting.

    Args:
        label_map: For each class its cluster, 0, 1, ... without a gap, or the JSON file that
            ``tools/derive_clusters.py`` wrote.
        num_classes: K, the number of classes of the data; the head itself has as many outputs as
            there are clusters.
        layer: Which layer of the file, counted from 0.
        num_convs, kernel_size, concat_input, dropout_ratio: As in mmseg's ``FCNHead``.
        loss_decode: Cross-entropy with a weight of 0.4 by default.
        **kwargs: Further arguments of ``FCNHead``.

    Raises:
        ValueError: for a label map of another length, with more clusters than classes or with gaps.
    """

    def __init__(
        self,
        label_map: Sequence[int] | str | os.PathLike,
        num_classes: int,
        layer: int = 0,
        num_convs: int = 1,
        kernel_size: int = 1,
        concat_input: bool = False,
        dropout_ratio: float = 0,
        loss_decode: dict | Sequence[dict] | None = None,
        **kwargs: Any,
    ) -> None:
        clusters = ClusterLabels(label_map, num_classes, layer)
        super().__init__(
            num_classes=clusters.num_clusters,
            num_convs=num_convs,
            kernel_size=kernel_size,
            concat_input=concat_input,
            dropout_ratio=dropout_ratio,
            loss_decode=loss_decode or LOSS,
            **kwargs,
        )
        self.clusters = clusters

    def _stack_batch_gt(self, batch_data_samples: list) -> Tensor:
        labels = super()._stack_batch_gt(batch_data_samples)
        return self.clusters(labels, self.ignore_index)
