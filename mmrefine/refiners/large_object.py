"""What depends on the whole of an object that is seen whole from no block of a large image.

Shapes: H, W = rows and columns of the image; N = boxes.
"""

from typing import Any, NamedTuple

import numpy as np

from ..ops.boxes import box_centres, boxes_around
from ..ops.colour_odds import SURROUNDINGS, ColourModel, colour_model
from .tiles import Window, grown


class LargeObject(NamedTuple):
    """What is known of an object that is seen whole from no block.

    Attributes:
        boxes: int64 (N, 4) xyxy, in the image.
        window: The object and its surroundings, whose colours are known.
        colours: They; None where nothing is known.
        off: Mean log-odds that its mask is off, over its outline.
    """

    boxes: np.ndarray
    window: Window
    colours: ColourModel | None
    off: float = 0.0


def large_object(
    image: np.ndarray,
    plane: np.ndarray,
    key: Any,
    box: Window,
    patch_size: int,
    iou_threshold: float,
    with_odds: bool,
) -> LargeObject:
    """Boxes and colours of a large object.

    Args:
        image: BGR uint8 (H, W, 3).
        plane: Label map (H, W), or stack (1, H, W) of one mask.
        key: Its label; of a stack, anything.
        box: Its bounding box.
        patch_size: Side of a patch, pixels.
        iou_threshold: NMS threshold of the boxes.
        with_odds: Whether the network sees colour evidence.
    """
    size_hw = plane.shape[-2], plane.shape[-1]
    window = grown(box, SURROUNDINGS, size_hw)
    part = plane[(..., *window)]
    mask = part == key if plane.ndim == 2 else part[0] != 0
    centres = box_centres(mask.view(np.uint8), patch_size, iou_threshold)
    centres += [side.start for side in window]
    boxes = boxes_around(centres, patch_size, size_hw)
    colours = colour_model(image, mask, window) if with_odds else None
    return LargeObject(boxes, window, colours)
