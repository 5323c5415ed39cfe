"""Mask AP, boundary AP and AF of mmdet's predictions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from ..files.json_files import read_json
from ..ops.run_lengths import encode_mask
from ..registry import METRICS
from .instance_samples import predicted_instances
from .label_map_metric import table


@METRICS.register_module()
class InstanceBoundaryMetric(BaseMetric):
    """Mask AP, boundary AP and AF (see ``mmrefine.measures.coco.instance_figures``).

    In a config over someone else's::

        test_evaluator = [
            _base_.test_evaluator,
            dict(type='mmrefine.InstanceBoundaryMetric', ann_file='instances_val.json'),
        ]

    Only the images that were predicted are judged.
    Figures, per cent: ``instance/ap``, ``ap50``, ``ap75``, ``ap_small``, ``ap_medium``,
    ``ap_large``, the same with ``boundary_`` in front, and ``instance/af``.

    Args:
        ann_file: Annotations in COCO's format. Labels are numbered as in mmdet's
            ``CocoDataset`` and ``CocoMetric``: those of the file's categories that are among
            the dataset's ``classes``, in the order of the file.
        measures: Which of ``'ap'``, ``'boundary_ap'``, ``'af'``.
        dilation_ratio: For boundary AP: 0.02 for COCO and LVIS, 0.005 for Cityscapes.
        tolerance: For AF: pixels if at least 1, otherwise share of the diagonal.
        max_detections: Best-scored instances counted per image and category.
        collect_device, prefix: As in every mmengine metric.

    Raises:
        ImportError: faster-coco-eval is missing.
    """

    default_prefix = 'instance'

    def __init__(
        self,
        ann_file: str,
        measures: Sequence[str] = ('ap', 'boundary_ap', 'af'),
        dilation_ratio: float = 0.02,
        tolerance: float = 1,
        max_detections: int = 100,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        from ..measures import coco  # optional; better to fail before the test than after it

        super().__init__(collect_device=collect_device, prefix=prefix)
        self._coco = coco
        self.ann_file = ann_file
        self.settings: dict[str, Any] = dict(
            measures=tuple(measures),
            dilation_ratio=dilation_ratio,
            tolerance=tolerance,
            max_detections=max_detections,
        )

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep image id and instances, masks as run-length codes; one entry for each image."""
        for sample in data_samples:
            instances = [
                (label, score, encode_mask(mask) if isinstance(mask, np.ndarray) else mask)
                for label, score, mask in predicted_instances(sample)
            ]
            self.results.append((sample['img_id'], instances))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of the images that were predicted."""
        annotations = read_json(self.ann_file)
        categories = self._categories(annotations)
        entries = [
            dict(
                image_id=image, category_id=categories[label]['id'], score=score, segmentation=mask
            )
            for image, instances in results
            for label, score, mask in instances
        ]
        images = {image for image, _ in results}
        found = self._coco.instance_figures(annotations, entries, image_ids=images, **self.settings)
        every = self._coco.category_names(annotations['categories'])
        names = [every[category['id']] for category in categories]
        columns = {
            key.removesuffix('_per_category'): np.array([v.get(n, np.nan) for n in names])
            for key, v in found.items()
            if key.endswith('_per_category')
        }
        logger = MMLogger.get_current_instance()
        logger.info(f'per class, in per cent:\n{table(names, columns)}')
        return {k: 100 * v for k, v in found.items() if isinstance(v, float)}

    def _categories(self, annotations: dict) -> list[dict]:
        """Categories by label."""
        classes = self.dataset_meta['classes']
        found = [c for c in annotations['categories'] if c['name'] in classes]
        missing = sorted(set(classes) - {c['name'] for c in found})
        if missing:
            raise ValueError(
                f'ann_file: {self.ann_file} has no category named {missing}; it has '
                f'{[c["name"] for c in annotations["categories"]]}'
            )
        return found
