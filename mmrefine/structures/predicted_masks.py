"""The masks that a model predicted, in and out of the data samples of mmseg and mmdet.

Legend: H, W = image; N = instances.
"""

from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement

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


def predicted_masks(sample: BaseDataElement, field: str) -> np.ndarray | torch.Tensor:
    """Masks as the sample has them: label map (H, W), or stack (N, H, W).

    The label map of a panoptic field has a number for each segment.
    """
    masks: Any = getattr(sample.get(field), MASKS[field])
    return masks if field == 'pred_instances' else masks[0]


def put_refined_masks(
    sample: BaseDataElement, field: str, refined: np.ndarray | torch.Tensor
) -> None:
    """Put refined masks in the place of the predicted ones, which stay beside them.

    Scores, labels and boxes stay as they are. Nothing that another sample may share is changed
    in place, so a ``clone()`` of a sample can get masks of its own.

    Args:
        sample: As for :func:`predicted_fields`.
        field: One of these fields.
        refined: Label map (H, W) or stack (N, H, W).
    """
    coarse = sample.get(field)
    sample.set_field(coarse, COARSE_OF[field], type(coarse))
    changed = coarse.new()
    setattr(changed, MASKS[field], refined if field == 'pred_instances' else refined[None])
    sample.set_field(changed, field, type(coarse))


def to_array(masks: np.ndarray | torch.Tensor) -> np.ndarray:
    """Masks as a numpy array; floats, as of mmseg's models with one output channel, as int64."""
    array = masks.cpu().numpy() if isinstance(masks, torch.Tensor) else masks
    return array.astype(np.int64) if array.dtype.kind == 'f' else array


def as_given(array: np.ndarray, masks: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor:
    """``array`` with the type, dtype and device of ``masks``."""
    if isinstance(masks, torch.Tensor):
        return torch.from_numpy(array).to(masks)
    return array.astype(masks.dtype, copy=False)
