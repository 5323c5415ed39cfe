"""A prediction and its ground truth, checked and brought into one form.

Shape legend: H, W = image; C = number of classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

# OpenCV counts bytes many times faster than numpy, but in float32: exact up to so many pixels.
BLOCK = 2**24


@dataclass(frozen=True)
class LabelPair:
    """A checked pair of label maps.

    Attributes:
        prediction: (H, W), uint8 or int32, labels 0 ... C - 1, or C for "no class": a
            label outside the classes, the background of a binary mask, an ignored pixel.
        target: (H, W), the same dtype and meaning.
        ignored: (H, W) bool, pixels whose ground truth is ``ignore_index``; None if none.
        num_classes: C.
    """

    prediction: np.ndarray
    target: np.ndarray
    ignored: np.ndarray | None
    num_classes: int


def as_array(array: Any, name: str) -> np.ndarray:
    """``array`` as numpy (torch tensors of any device too), bool or integer."""
    if hasattr(array, 'detach'):
        array = array.detach().cpu().numpy()
    array = np.asarray(array)
    if array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f'{name}: labels must be bool or integers, got dtype {array.dtype}')
    return array


def label_pair(
    prediction: Any, target: Any, num_classes: int | None = None, ignore_index: int = 255
) -> LabelPair:
    """Check a prediction and its ground truth and bring both into one form.

    Args:
        prediction: (H, W) label map of any integer dtype, or bool mask; numpy or torch.
        target: (H, W) ground truth of the same kind.
        num_classes: C. If None, the largest label in either map (bar ``ignore_index``) + 1;
            give it whenever counts of several images are to be added. Bool masks have one
            class, the foreground.
        ignore_index: Label of ``target`` that is ignored. Has no meaning for bool masks.

    Raises:
        TypeError: An array that is neither bool nor integer, or one of each.
        ValueError: Not (H, W), shapes that differ, or a label of ``target`` that is
            neither a class nor ``ignore_index``.
    """
    prediction, target = as_array(prediction, 'prediction'), as_array(target, 'target')
    if prediction.ndim != 2 or prediction.shape != target.shape or not prediction.size:
        raise ValueError(
            'prediction and target: must both be (H, W) and of one size, '
            f'got {prediction.shape} and {target.shape}'
        )
    if (prediction.dtype == np.bool_) != (target.dtype == np.bool_):
        raise TypeError(
            'prediction and target: must both be bool masks or both label maps, '
            f'got dtypes {prediction.dtype} and {target.dtype}'
        )
    if prediction.dtype == np.bool_:
        if num_classes not in (None, 1):
            raise ValueError(f'num_classes: bool masks have 1 class, got {num_classes}')
        return LabelPair((~prediction).view(np.uint8), (~target).view(np.uint8), None, 1)
    return _label_map_pair(prediction, target, num_classes, ignore_index)


def _label_map_pair(
    prediction: np.ndarray, target: np.ndarray, num_classes: int | None, ignore_index: int
) -> LabelPair:
    ignored = target == ignore_index
    if num_classes is None:
        counted = [m[~ignored & (m != ignore_index)] for m in (prediction, target)]
        num_classes = max([int(m.max()) + 1 for m in counted if m.size] + [1])
    if num_classes < 1:
        raise ValueError(f'num_classes: must be at least 1, got {num_classes}')
    stray = ((target < 0) | (target >= num_classes)) & ~ignored
    if stray.any():
        raise ValueError(
            f'target: labels must be 0 ... {num_classes - 1} or ignore_index={ignore_index}, '
            f'got also {np.unique(target[stray])[:10].tolist()}'
        )
    dtype = np.uint8 if num_classes < 255 else np.int32
    none = (prediction < 0) | (prediction >= num_classes) | ignored
    maps = []
    for labels, hidden in ((prediction, none), (target, ignored)):
        labels = labels.astype(dtype)
        labels[hidden] = num_classes
        maps.append(labels)
    return LabelPair(maps[0], maps[1], ignored if ignored.any() else None, int(num_classes))


def class_sizes(labels: np.ndarray, where: np.ndarray, num_classes: int) -> np.ndarray:
    """Pixels of each class among those of ``where``.

    Args:
        labels: (H, W), a map of a ``LabelPair``.
        where: (H, W) bool.
        num_classes: C.

    Returns:
        (C,) int64.
    """
    if labels.dtype != np.uint8:
        return np.bincount(labels[where], minlength=num_classes + 1)[:num_classes]
    sizes = np.zeros(num_classes, np.int64)
    rows = max(1, BLOCK // labels.shape[1])
    for top in range(0, len(labels), rows):
        block, mask = labels[top : top + rows], where[top : top + rows].view(np.uint8)
        counted = cv2.calcHist([block], [0], mask, [num_classes], [0, num_classes])
        sizes += counted.ravel().astype(np.int64)
    return sizes
