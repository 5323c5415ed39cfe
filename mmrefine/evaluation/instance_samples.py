"""Predicted instances of mmdet's data samples, without mmdet.

Shape legend: N = instances; H, W = image.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np


def predicted_instances(sample: dict) -> Iterator[tuple[int, float, Any]]:
    """Label, score and mask of each predicted instance.

    Args:
        sample: A data sample as evaluators see it, with ``pred_instances`` that holds
            ``labels`` (N,), ``scores`` (N,) or ``mask_scores`` (N,), and ``masks``: (N, H, W),
            a tensor or an array, or N run-length codes.

    Yields:
        Label, score, and the mask: (H, W) bool, or its run-length code as it came.

    Raises:
        ValueError: The prediction has no masks.
    """
    instances = sample['pred_instances']
    if 'masks' not in instances:
        raise ValueError(
            'pred_instances has no masks: a model with a mask head is needed, got only '
            f'{sorted(instances)} for {sample.get("img_path", "an image without img_path")}'
        )
    scores = instances['mask_scores'] if 'mask_scores' in instances else instances['scores']
    masks = instances['masks']
    if not isinstance(masks, list | tuple):
        masks = _numpy(masks).astype(bool)
    for label, score, mask in zip(_numpy(instances['labels']), _numpy(scores), masks, strict=True):
        yield int(label), float(score), mask


def _numpy(values: Any) -> np.ndarray:
    return values.detach().cpu().numpy() if hasattr(values, 'detach') else np.asarray(values)
