"""Data samples as mmseg's and mmdet's models give them, drawn from a seed."""

import numpy as np
import torch
from mmengine.structures import BaseDataElement, InstanceData, PixelData

from mmrefine.structures.coarse import COARSE_INSTANCES, COARSE_SEM_SEG

CLASSES = ('road', 'car', 'tree')
SIZE_HW = (31, 46)
VOID = 255


def label_maps(seed, num_classes=3, size_hw=SIZE_HW):
    """Coarse prediction, refined prediction and ground truth with ignored pixels, (H, W) uint8."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, num_classes, (5, 7)).astype(np.uint8)
    target = np.kron(cells, np.ones((8, 8), np.uint8))[: size_hw[0], : size_hw[1]]
    coarse = np.roll(target, (2, 1), (0, 1))
    refined = np.roll(target, 1, 1)
    target = target.copy()
    target[-3:] = VOID
    return coarse, refined, target


def seg_sample(seed, dtype=torch.int64, **settings):
    """A data sample as mmseg's model gives it behind the RefinementHook."""
    coarse, refined, target = (
        PixelData(data=torch.from_numpy(m.astype(np.int64))[None].to(dtype))
        for m in label_maps(seed, **settings)
    )
    target.data = target.data.long()
    sample = BaseDataElement(metainfo=dict(img_path=f'{seed}.png'))
    sample.set_data(dict(pred_sem_seg=refined, gt_sem_seg=target))
    sample.set_field(coarse, COARSE_SEM_SEG)
    return sample


def boxes(seed, number=4, size_hw=SIZE_HW):
    """(N, H, W) bool, rectangles that may touch the border."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((number, *size_hw), bool)
    for mask in masks:
        top, left = rng.integers(0, size_hw[0] - 9), rng.integers(0, size_hw[1] - 9)
        height, width = rng.integers(8, 20, 2)
        mask[top : top + height, left : left + width] = True
    return masks


def det_sample(seed, number=4):
    """A data sample as mmdet's model gives it behind the RefinementHook, and its truth.

    Returns:
        The sample; true masks (N, H, W); true labels (N,).
    """
    rng = np.random.default_rng(seed + 100)
    masks, labels = boxes(seed, number), rng.integers(0, len(CLASSES), number)
    instances = []
    for shift in (2, 1):
        predicted = np.roll(masks, shift, 2)
        predicted[..., :shift] = False
        instances.append(
            InstanceData(
                masks=torch.from_numpy(predicted),
                labels=torch.from_numpy(labels),
                scores=torch.from_numpy(rng.permutation(number) / number + 0.1),
                bboxes=torch.zeros(number, 4),
            )
        )
    instances[0].scores = instances[1].scores
    sample = BaseDataElement(
        metainfo=dict(
            img_id=seed,
            img_path=f'leftImg8bit/x/{seed}_leftImg8bit.png',
            ori_shape=SIZE_HW,
        )
    )
    sample.set_data({COARSE_INSTANCES: instances[0], 'pred_instances': instances[1]})
    return sample, masks, labels
