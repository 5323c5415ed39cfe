"""mIoU of mmseg's predictions inside and outside a band around the true boundaries."""

from collections.abc import Sequence

import numpy as np

from ..measures import TrimapCounts, trimap_iou
from ..measures.regions import increasing
from ..registry import METRICS
from .label_map_metric import LabelMapMetric


@METRICS.register_module()
class TrimapIoUMetric(LabelMapMetric):
    """Overlap near the boundaries and away from them (see ``mmrefine.measures.trimap_iou``).

    Figures: ``trimap/miou_inside_3px`` and ``trimap/miou_outside_3px`` for each width.

    Args:
        width: One or more band widths in pixels, increasing.
        ignore_index, void_boundary, collect_device, prefix: See ``LabelMapMetric``.
            PASCAL VOC needs ``void_boundary=True``: its objects are surrounded by ignored
            pixels.
    """

    default_prefix = 'trimap'

    def __init__(
        self,
        width: float | Sequence[float] = (1, 3, 5, 10),
        ignore_index: int = 255,
        void_boundary: bool = False,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(ignore_index, void_boundary, collect_device, prefix)
        self.widths = increasing(width, 'width')

    def count(
        self, prediction: np.ndarray, target: np.ndarray, num_classes: int
    ) -> list[TrimapCounts]:
        """Counts for all widths at once."""
        settings = (num_classes, self.ignore_index, self.void_boundary)
        return [trimap_iou(prediction, target, self.widths, *settings)]

    def figures(self, counts: list[TrimapCounts]) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Overlap inside and outside each band."""
        found = counts[0].figures()
        figures, columns = {}, {}
        for k, width in enumerate(self.widths):
            for side in ('inside', 'outside'):
                figures[f'miou_{side}_{width:g}px'] = float(found[f'miou_{side}'][k])
                columns[f'{side}_{width:g}px'] = found[f'iou_{side}_per_class'][k]
        return figures, columns
