"""Predictions of any kind in, the same kind out, with refined masks."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.structures import BaseDataElement

from ..files.label_maps import read_label_map
from ..refiners import Image, Refiner, refine_through
from ..structures.predicted_masks import (
    as_given,
    predicted_fields,
    predicted_masks,
    put_refined_masks,
    to_array,
)

Predictions = TypeVar('Predictions')


@dataclass(frozen=True)
class OpenedPredictions:
    """Predictions of one image, opened.

    Attributes:
        masks: Label map (H, W) or stack (N, H, W).
        with_masks: The predictions with other masks: a copy, the given ones stay as they are.
    """

    masks: np.ndarray
    with_masks: Callable[[np.ndarray], Any]


def refine(refiner: Refiner, image: Image, predictions: Predictions) -> Predictions:
    """Refine what a model predicted, whatever it came in.

    Example:
        >>> from mmrefine.apis import build_refiner, refine
        >>> refiner = build_refiner('segfix', device='cpu')
        >>> refined = refine(refiner, image, detections)
        >>> type(refined).__name__, len(refined) == len(detections)
        ('Detections', True)

    Args:
        refiner: Any refiner.
        image: Path, or BGR uint8 array (H, W, 3).
        predictions: One of

            - a numpy array or torch tensor: label map (H, W) of any integer dtype, or stack of
              masks (N, H, W), bool or uint8;
            - the path of a label map, ``.png`` or ``.npy``, which comes back as an array;
            - ``supervision.Detections`` with masks;
            - ``DetDataSample`` of mmdet with ``pred_instances.masks`` or ``pred_panoptic_seg`` or
              both, or ``SegDataSample`` of mmseg with ``pred_sem_seg``.

    Returns:
        The same kind of object, a copy with refined masks. Scores, classes, boxes and everything
        else stay as they are: a box is the detector's own prediction, and metrics judge it on its
        own. Where boxes shall follow the masks, make them from the masks
        (``supervision.mask_to_xyxy``). Data samples keep their coarse masks too, in
        ``coarse_instances``, ``coarse_panoptic_seg`` or ``coarse_sem_seg``.

    Raises:
        TypeError: if the predictions are of another kind.
        ValueError: if they have no masks, or masks and image differ in size.
    """
    refine_masks = refine_through([refiner], image)
    if isinstance(predictions, BaseDataElement):
        for field in predicted_fields(predictions):
            opened = _open_sample(predictions, field)
            predictions = opened.with_masks(refine_masks(opened.masks))
        return predictions
    opened = open_predictions(predictions)
    return opened.with_masks(refine_masks(opened.masks))


def open_predictions(predictions: Any) -> OpenedPredictions:
    """Get at the masks of predictions.

    Args:
        predictions: As for :func:`refine`.

    Raises:
        TypeError: if they are of another kind.
        ValueError: if they have no masks, or panoptic and instance masks at once, or a label map
            cannot be read.
    """
    if isinstance(predictions, np.ndarray | torch.Tensor):
        array = to_array(predictions)
        return OpenedPredictions(array, lambda refined: as_given(refined, predictions))
    if isinstance(predictions, str | os.PathLike):
        return OpenedPredictions(read_label_map(predictions).labels, lambda refined: refined)
    if isinstance(predictions, BaseDataElement):
        field, *others = predicted_fields(predictions)
        if others:
            raise ValueError(
                f'predictions: expected one kind of masks, got {field} and {", ".join(others)}; '
                'mmrefine.apis.refine refines both'
            )
        return _open_sample(predictions, field)
    # Not imported: who has detections has supervision, others need none.
    if type(predictions).__module__.split('.')[0] == 'supervision' and hasattr(predictions, 'mask'):
        return _open_detections(predictions)
    raise TypeError(
        'predictions: expected an array, a tensor, the path of a label map, '
        f'supervision.Detections or a data sample, got {type(predictions).__name__}'
    )


def _open_sample(sample: BaseDataElement, field: str) -> OpenedPredictions:
    masks = predicted_masks(sample, field)

    def with_masks(refined: np.ndarray) -> BaseDataElement:
        result = sample.clone()
        put_refined_masks(result, field, as_given(refined, masks))
        return result

    return OpenedPredictions(to_array(masks), with_masks)


def _open_detections(detections: Any) -> OpenedPredictions:
    if detections.mask is None and len(detections):
        raise ValueError(
            f'predictions: {len(detections)} detections without masks; use a model that segments'
        )
    masks = np.zeros((0, 0, 0), bool) if detections.mask is None else np.asarray(detections.mask)

    def with_masks(refined: np.ndarray) -> Any:
        result = copy.deepcopy(detections)
        if len(detections):
            result.mask = refined
        return result

    return OpenedPredictions(masks, with_masks)
