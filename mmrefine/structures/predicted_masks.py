"""The masks that a model predicted, in and out of the data samples of mmseg and mmdet.

Legend: H, W = image; N = instances.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement

from ..ops.run_lengths import decode_mask, encode_mask
from .coarse import COARSE_OF

MASKS = {'pred_sem_seg': 'data', 'pred_panoptic_seg': 'sem_seg', 'pred_instances': 'masks'}
"""What the masks are called in each field of a data sample: (1, H, W), (1, H, W), (N, H, W)."""


def predicted_fields(sample: BaseDataElement) -> list[str]:
    """Fields of a data sample that hold masks: one, or those of a panoptic model.

    Args:
        sample: mmseg's ``SegDataSample`` with ``pred_sem_seg``, or mmdet's ``DetDataSample`` with
            ``pred_panoptic_seg`` or ``pred_instances.masks``, or both.

    Raises:
        ValueError: if it has none.
    """
    found = [name for name, masks in MASKS.items() if name in sample and masks in sample.get(name)]
    if not found:
        raise ValueError(
            'found no pred_sem_seg, pred_panoptic_seg or pred_instances.masks in the predictions '
            f'for {sample.metainfo.get("img_path", "an image")}: the model must predict label maps '
            'or masks'
        )
    return found


def predicted_masks(sample: BaseDataElement, field: str) -> Any:
    """Masks as the sample has them: label map (H, W), stack (N, H, W), or mmdet's containers.

    The label map of a panoptic field has a number for each segment.
    """
    masks: Any = getattr(sample.get(field), MASKS[field])
    return masks if field == 'pred_instances' else masks[0]


def put_refined_masks(sample: BaseDataElement, field: str, refined: Any) -> None:
    """Put refined masks in the place of the predicted ones, which stay beside them.

    Scores, labels and boxes stay as they are. Nothing that another sample may share is changed
    in place, so a ``clone()`` of a sample can get masks of its own.

    Args:
        sample: As for ``predicted_fields``.
        field: One of these fields.
        refined: Label map (H, W), or instance masks in the sample's own kind of container.
    """
    coarse = sample.get(field)
    sample.set_field(coarse, COARSE_OF[field], type(coarse))
    changed = coarse.new()
    setattr(changed, MASKS[field], refined if field == 'pred_instances' else refined[None])
    sample.set_field(changed, field, type(coarse))


def to_array(masks: Any) -> np.ndarray:
    """Masks as a numpy array.

    Args:
        masks: Tensor or array, or what mmdet keeps instances in: ``BitmapMasks``, ``PolygonMasks``
            or a list of COCO run lengths. Floats are taken where they are whole numbers, as of
            mmseg's models with one output channel.

    Returns:
        Integers or bool, (H, W) or (N, H, W). Floats become int64 in label maps, and bool in
        stacks.

    Raises:
        TypeError: if they are of another kind, or floats that are no whole numbers (probabilities,
            logits), or in a stack anything but 0 and 1.
        ValueError: if run lengths are broken.
    """
    if isinstance(masks, torch.Tensor):
        masks = masks.detach().cpu()
        # bfloat16 is no type of numpy's; float32 holds all its values.
        array = (masks.float() if masks.dtype == torch.bfloat16 else masks).numpy()
        kind = str(masks.dtype).removeprefix('torch.')
    elif isinstance(masks, np.ndarray):
        array, kind = masks, str(masks.dtype)
    elif _is_run_lengths(masks):
        return _decoded(masks)
    elif hasattr(masks, 'to_ndarray'):  # of mmdet, which need not be installed
        return masks.to_ndarray()
    else:
        raise TypeError(
            'masks: expected a tensor or array (H, W) or (N, H, W), BitmapMasks, PolygonMasks or '
            f'a list of run lengths, got {type(masks).__name__}'
        )
    return _whole(array, kind) if array.dtype.kind == 'f' else array


def _whole(array: np.ndarray, kind: str) -> np.ndarray:
    """Floats that are whole numbers, as integers."""
    stack = array.ndim == 3
    allowed = np.isin(array, (0, 1)) if stack else np.isfinite(array) & (np.rint(array) == array)
    if not allowed.all():
        raise TypeError(
            f'masks: expected integers or bool, got {kind} with values that are not '
            f'{"0 or 1" if stack else "whole numbers"}; masks > 0.5 makes a mask of probabilities'
        )
    return array.astype(bool if stack else np.int64)


def _is_run_lengths(masks: Any) -> bool:
    return isinstance(masks, list | tuple) and all(
        isinstance(mask, Mapping) and 'counts' in mask and 'size' in mask for mask in masks
    )


def _decoded(masks: Sequence[Mapping[str, Any]]) -> np.ndarray:
    if not masks:
        return np.zeros((0, 0, 0), bool)
    sizes = {tuple(mask['size']) for mask in masks}
    if len(sizes) > 1:
        raise ValueError(f'masks: expected run lengths of one size, got {sorted(sizes)[:3]}')
    size_hw = sizes.pop()
    stack = np.zeros((len(masks), *size_hw), bool)
    for index, mask in enumerate(masks):
        try:
            stack[index] = decode_mask(mask, size_hw)
        except ValueError as error:
            raise ValueError(f'masks: run lengths {index}: {error}') from error
    return stack


def as_given(array: np.ndarray, masks: Any) -> Any:
    """``array`` with the type, dtype and device of ``masks``; of polygons, as mmdet's bitmaps."""
    if isinstance(masks, torch.Tensor):
        return torch.from_numpy(array).to(masks)
    if isinstance(masks, np.ndarray):
        return array.astype(masks.dtype, copy=False)
    if _is_run_lengths(masks):
        return [encode_mask(mask) for mask in array]
    # BitmapMasks, which PolygonMasks can become.
    bitmaps = masks.to_bitmap() if hasattr(masks, 'to_bitmap') else masks
    return type(bitmaps)(array.astype(np.uint8), masks.height, masks.width)
