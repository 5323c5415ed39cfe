"""Distance to the label boundary, and the boundary itself.

Shapes: H, W = rows and columns of the label map. Coordinates are (row, column).
"""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
import torch

from .ignored import IGNORED_BYTE
from .label_boxes import LabelBox, label_boxes

Array = TypeVar('Array', np.ndarray, torch.Tensor)


def distance_map(label_map: Array, ignore_index: int = 255) -> Array:
    """Distance of every pixel to the nearest pixel that does not carry its label.

    The image border is not a boundary. Ignored pixels are "another label" for their neighbours.

    ::

        label_map      distance_map
        0 0 0 1        3    2    1    1
        0 0 0 1        3    2    1    1
        0 0 0 0        3.16 2.24 1.41 1

    Args:
        label_map: (H, W), bool or any integer dtype, any ids.
        ignore_index: the id of ignored pixels.

    Returns:
        float32 (H, W), Euclidean distance in pixels, correctly rounded up to 4096: 0 where ignored,
        ``inf`` where one label fills the image and there is no other pixel.

    Raises:
        TypeError: ``label_map`` is not an integer array.
        ValueError: ``label_map`` is not two-dimensional.
    """
    labels = label_array(label_map)
    boxes = label_boxes(labels, ignore_index)
    return like(distance_in_boxes(labels, boxes, labels == ignore_index), label_map)


def boundary_map(label_map: Array, width: float = 5, ignore_index: int = 255) -> Array:
    """Mark the pixels within ``width`` of another label (SegFix, section 3.2).

    Args:
        label_map: (H, W), bool or any integer dtype, any ids.
        width: the paper's gamma, pixels; ``math.inf`` marks every pixel.
        ignore_index: the id of ignored pixels.

    Returns:
        uint8 (H, W): 1 where the distance is at most ``width``, else 0; 255 where ignored.

    Raises:
        TypeError: ``label_map`` is not an integer array.
        ValueError: ``label_map`` is not two-dimensional, or ``width`` is not positive.
    """
    check_width(width)
    labels = label_array(label_map)
    ignored = labels == ignore_index
    distance = distance_in_boxes(labels, label_boxes(labels, ignore_index), ignored)
    return like(boundary_from_distance(distance, ignored, width), label_map)


def boundary_from_distance(distance: np.ndarray, ignored: np.ndarray, width: float) -> np.ndarray:
    """``boundary_map`` for those who have the distances (H, W) and the ignored pixels already."""
    boundary = (distance <= width).astype(np.uint8)
    boundary[ignored] = IGNORED_BYTE
    return boundary


def check_width(width: float) -> None:
    """Raise a ValueError if ``width`` is not a positive number."""
    if not width > 0:
        raise ValueError(f'width must be > 0 (pixels, or math.inf), got {width}')


def label_array(label_map: np.ndarray | torch.Tensor) -> np.ndarray:
    """The label map as a checked (H, W) numpy integer array (bool becomes uint8)."""
    labels = label_map.cpu().numpy() if isinstance(label_map, torch.Tensor) else label_map
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in 'biu':
        found = getattr(label_map, 'dtype', type(label_map).__name__)
        raise TypeError(f'label_map must be an array or tensor of an integer dtype, got {found}')
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f'label_map must have shape (H, W), H and W > 0, got {labels.shape}')
    return labels.view(np.uint8) if labels.dtype.kind == 'b' else labels


def like(result: np.ndarray, reference: Array) -> Array:
    """``result`` as the kind of array that ``reference`` is, on its device."""
    if isinstance(reference, torch.Tensor):
        return torch.from_numpy(result).to(reference.device)
    return result


def distance_in_boxes(labels: np.ndarray, boxes: list[LabelBox], ignored: np.ndarray) -> np.ndarray:
    """``distance_map`` for those who have the boxes of the labels and the ignored pixels (H, W).

    Inside a box a label is measured against everything else in the box and one pixel around it.
    That is exact for the pieces the box was made for: the nearest foreign pixel lies no farther
    out than that. It is too far for parts of other pieces that reach into the box; these have
    boxes of their own, and the smaller distance is kept.
    """
    distance = np.full(labels.shape, np.inf, np.float32)
    distance[ignored] = 0
    for box in boxes:
        outer, inner = box.grown(1)
        inside = labels[outer] == box.label
        if inside.all():  # no foreign pixel even around the box: the label fills the image
            break
        nearest = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        target = distance[box.window()]
        np.copyto(target, np.minimum(target, nearest[inner]), where=inside[inner])
    # OpenCV's roots vary in the last digit; 3-4-5 must be 5 to count as within width 5
    squared = np.rint(np.square(distance, out=distance), out=distance)
    return np.sqrt(squared, out=distance)
