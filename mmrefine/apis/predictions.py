"""Predictions of any kind in, the same kind out, with refined masks."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.structures import BaseDataElement

from ..files.label_maps import read_label_map, resized_labels
from ..files.mask_files import box_xywh, resized
from ..files.sam_masks import is_sam_list
from ..refiners import Image, Refiner, load_image, refine_through
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


def refine(
    refiner: Refiner, image: Image, predictions: Predictions, resize_masks: bool = False
) -> Predictions:
    """Refine what a model predicted, whatever it came in.

    Examples:
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
            - the path of a label map, ``.png``, ``.tif`` or ``.npy``, which comes back as an array;
            - the list of dictionaries of Segment Anything's mask generators;
            - ``supervision.Detections`` with masks;
            - ``DetDataSample`` of mmdet with ``pred_instances.masks`` or ``pred_panoptic_seg`` or
              both, or ``SegDataSample`` of mmseg with ``pred_sem_seg``.
        resize_masks: Bring masks of another size, as those at a network's resolution, to the
            image's: stacks are interpolated and cut at 0.5, and may be soft (0 to 1); label maps
            take the nearest label.

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
    size_hw = None
    if resize_masks:
        image = load_image(image)
        size_hw = (image.shape[0], image.shape[1])
    refine_masks = refine_through([refiner], image)
    if isinstance(predictions, BaseDataElement):
        for field in predicted_fields(predictions):
            opened = _of_size(_open_sample(predictions, field), size_hw)
            predictions = opened.with_masks(refine_masks(opened.masks))
        return predictions
    if size_hw and isinstance(predictions, np.ndarray | torch.Tensor):
        predictions = _resized_stack(predictions, size_hw)  # soft ones before they are cut
    opened = _of_size(open_predictions(predictions), size_hw)
    return opened.with_masks(refine_masks(opened.masks))


def open_predictions(predictions: Any) -> OpenedPredictions:
    """Get at the masks of predictions.

    Args:
        predictions: As for ``refine``.

    Raises:
        TypeError: if they are of another kind.
        ValueError: if they have no masks, or panoptic and instance masks at once, or a label map
            cannot be read.
    """
    if isinstance(predictions, np.ndarray | torch.Tensor):
        array = to_array(predictions)
        return OpenedPredictions(array, lambda refined: as_given(refined, predictions))
    if isinstance(predictions, str | os.PathLike):
        return OpenedPredictions(
            read_label_map(predictions, colours=True).labels, lambda refined: refined
        )
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
    if isinstance(predictions, list) and is_sam_list(predictions):
        return _open_sam(predictions)
    raise TypeError(
        'predictions: expected an array, a tensor, the path of a label map, masks of Segment '
        f'Anything, supervision.Detections or a data sample, got {type(predictions).__name__}'
    )


def _of_size(opened: OpenedPredictions, size_hw: tuple[int, int] | None) -> OpenedPredictions:
    """Predictions with masks of a size."""
    masks = opened.masks
    if size_hw is None or not masks.size or masks.shape[-2:] == size_hw:
        return opened
    if masks.ndim == 2 and masks.dtype != np.bool_:
        return replace(opened, masks=resized_labels(masks, size_hw))
    stack = masks.reshape(-1, *masks.shape[-2:]) != 0
    found = np.stack([resized(mask, size_hw) for mask in stack]) * masks.max()
    return replace(opened, masks=found.astype(masks.dtype).reshape(*masks.shape[:-2], *size_hw))


def _resized_stack(masks: Any, size_hw: tuple[int, int]) -> Any:
    """A stack of soft masks, 0 to 1, as one of 0 and 1 of a size; anything else as it is."""
    if masks.ndim != 3 or not len(masks) or tuple(masks.shape[1:]) == size_hw:
        return masks
    soft = masks.detach().cpu().float().numpy() if isinstance(masks, torch.Tensor) else masks
    if soft.dtype.kind != 'f' or not ((soft >= 0) & (soft <= 1)).all():
        return masks
    cut = np.stack([resized(mask, size_hw) for mask in soft])
    return as_given(cut, masks)


def _open_sam(entries: list[dict[str, Any]]) -> OpenedPredictions:
    """The list of Segment Anything: masks as arrays or run lengths; boxes and areas follow."""
    given = [entry['segmentation'] for entry in entries]
    arrays = [m for m in given if isinstance(m, np.ndarray)]
    masks = to_array([m for m in given if isinstance(m, dict)])
    if arrays and len(arrays) == len(given):
        masks = np.stack([m != 0 for m in arrays])
    elif arrays or not all(isinstance(m, dict) for m in given):
        raise TypeError('predictions: expected each segmentation as an array or as run lengths')

    def with_masks(refined: np.ndarray) -> list[dict[str, Any]]:
        forms = list(refined != 0) if arrays else as_given(refined, given)
        return [
            {**entry, 'segmentation': form, 'area': int(mask.sum()), 'bbox': box_xywh(mask)}
            for entry, form, mask in zip(entries, forms, refined != 0, strict=True)
        ]

    return OpenedPredictions(masks, with_masks)


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


def refine_dataset(refiner: Refiner, dataset: Any) -> Any:
    """Refine a ``supervision.DetectionDataset``: the annotations of many images.

    ::

        dataset = sv.DetectionDataset.from_yolo('images', 'labels', 'data.yaml', force_masks=True)
        refine_dataset(refiner, dataset).as_coco(annotations_path='refined.json')

    Args:
        refiner: Any refiner.
        dataset: The data set; images are read when it is their turn.

    Returns:
        A data set of the same images with refined masks; annotations without masks stay.

    Raises:
        ValueError, TypeError: as ``refine``; the text names the image.
    """
    annotations = {}
    for path, image, detections in dataset:
        if detections.mask is None:
            annotations[path] = detections
            continue
        try:
            annotations[path] = refine(refiner, image, detections)
        except (ValueError, TypeError) as error:
            raise type(error)(f'{path}: {error}') from error
    return type(dataset)(dataset.classes, list(annotations), annotations)
