"""The masks that a model predicted, in and out of the data samples of mmseg and mmdet.

Legend: H, W = image; N = instances.
"""

import numpy as np
import torch
from mmengine.structures import BaseDataElement, PixelData

from .coarse import COARSE_INSTANCES, COARSE_SEM_SEG


def predicted_masks(sample: BaseDataElement) -> np.ndarray | torch.Tensor:
    """Masks as the sample has them: label map (H, W), or stack (N, H, W).

    Args:
        sample: mmseg's ``SegDataSample`` with ``pred_sem_seg`` or mmdet's ``DetDataSample`` with
            ``pred_instances.masks``.

    Raises:
        ValueError: if it has neither.
    """
    if 'pred_sem_seg' in sample:
        return sample.pred_sem_seg.data[0]
    if 'pred_instances' in sample and 'masks' in sample.pred_instances:
        return sample.pred_instances.masks
    raise ValueError(
        'found neither pred_sem_seg nor pred_instances.masks in the predictions for '
        f'{sample.metainfo.get("img_path", "an image")}: the model must predict label maps or masks'
    )


def put_refined_masks(sample: BaseDataElement, refined: np.ndarray | torch.Tensor) -> None:
    """Put refined masks in the place of the predicted ones, which stay beside them.

    Scores, labels and boxes stay as they are. Nothing that another sample may share is changed
    in place, so a ``clone()`` of a sample can get masks of its own.

    Args:
        sample: As for :func:`predicted_masks`.
        refined: Label map (H, W) or stack (N, H, W).
    """
    if 'pred_sem_seg' in sample:
        sample.set_field(sample.pred_sem_seg, COARSE_SEM_SEG, PixelData)
        sample.pred_sem_seg = PixelData(data=refined[None])
    else:
        instances = sample.pred_instances
        sample.set_field(instances, COARSE_INSTANCES, type(instances))
        sample.pred_instances = instances.new()
        sample.pred_instances.masks = refined


def to_array(masks: np.ndarray | torch.Tensor) -> np.ndarray:
    """Masks as a numpy array; floats, as of mmseg's models with one output channel, as int64."""
    array = masks.cpu().numpy() if isinstance(masks, torch.Tensor) else masks
    return array.astype(np.int64) if array.dtype.kind == 'f' else array


def as_given(array: np.ndarray, masks: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor:
    """``array`` with the type, dtype and device of ``masks``."""
    if isinstance(masks, torch.Tensor):
        return torch.from_numpy(array).to(masks)
    return array.astype(masks.dtype, copy=False)
