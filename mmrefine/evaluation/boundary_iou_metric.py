"""Boundary IoU of mmseg's predictions."""

import numpy as np

from ..measures import BoundaryIoUCounts, boundary_iou
from ..registry import METRICS
from .label_map_metric import LabelMapMetric


@METRICS.register_module()
class BoundaryIoUMetric(LabelMapMetric):
    """Boundary IoU of label maps (see ``mmrefine.measures.boundary_iou``).

    Figure: ``boundary/iou``. For instances see ``InstanceBoundaryMetric``.

    Args:
        dilation_ratio: Band width as a share of the image diagonal: 0.02 for COCO and LVIS,
            0.005 for Cityscapes.
        ignore_index, void_boundary, collect_device, prefix: See ``LabelMapMetric``.
    """

    default_prefix = 'boundary'

    def __init__(
        self,
        dilation_ratio: float = 0.02,
        ignore_index: int = 255,
        void_boundary: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(ignore_index, void_boundary, collect_device, prefix)
        self.dilation_ratio = dilation_ratio

    def count(
        self, prediction: np.ndarray, target: np.ndarray, num_classes: int
    ) -> list[BoundaryIoUCounts]:
        """Counts of one image."""
        settings = (num_classes, self.ignore_index, self.void_boundary)
        return [boundary_iou(prediction, target, self.dilation_ratio, *settings)]

    def figures(
        self, counts: list[BoundaryIoUCounts]
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Boundary IoU, mean and by class."""
        found = counts[0].figures()
        return {'iou': found['boundary_iou']}, {'boundary IoU': found['boundary_iou_per_class']}
