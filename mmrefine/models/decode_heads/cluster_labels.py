"""Labels of classes → labels of clusters of classes, for heads that learn these (HS3)."""

import os
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...files.label_clusters import check_label_map, read_label_map


class ClusterLabels(nn.Module):
    """Takes the labels of classes to those of clusters; ignored pixels stay ignored.

    Args:
        label_map: For each class its cluster, or the file of ``tools/derive_clusters.py``.
        num_classes: K, the number of classes.
        layer: Layer of the file.

    Raises:
        ValueError: if the label map is not one of K classes; see ``check_label_map``.
    """

    table: Tensor

    def __init__(
        self, label_map: Sequence[int] | str | os.PathLike, num_classes: int, layer: int = 0
    ) -> None:
        super().__init__()
        if isinstance(label_map, str | os.PathLike):
            label_map = read_label_map(label_map, layer)
        self.num_classes = num_classes
        self.num_clusters = check_label_map(label_map, num_classes)
        # In no checkpoint: it comes from the config.
        self.register_buffer('table', torch.tensor(list(label_map)), persistent=False)

    def forward(self, labels: Tensor, ignore_index: int) -> Tensor:
        """Integer labels of any shape → int64 of the same shape.

        Raises:
            ValueError: for a label that is neither a class nor ignored.
        """
        labels = labels.long()
        ignored = labels == ignore_index
        classes = labels.masked_fill(ignored, 0)
        if ((classes < 0) | (classes >= self.num_classes)).any():
            raise ValueError(
                f'labels: expected 0 to {self.num_classes - 1} or {ignore_index}, '
                f'got {int(classes.min())} to {int(classes.max())}'
            )
        return self.table[classes].masked_fill(ignored, ignore_index)
