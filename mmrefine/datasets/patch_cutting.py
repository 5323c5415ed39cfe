"""Patches of one instance, worked out in the part of the image around it.

A box never reaches further from the mask than its own size, so nothing outside that window is
decoded into full-size arrays: on a street scene, that is most of the work of finding patches.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..files.instances import Instance
from ..ops import crop_patches, propose_boxes
from ..ops.run_lengths import mask_codec

Window = tuple[slice, slice]


class InstancePatches(NamedTuple):
    """Where the patches of an instance lie, and its masks there.

    Attributes:
        boxes: int64 (n, 4) xyxy in the image.
        window: Part of the image that holds all boxes.
        coarse: bool (h, w), the coarse mask in ``window``.
        truth: bool (h, w), the true mask in ``window``.
    """

    boxes: np.ndarray
    window: Window
    coarse: np.ndarray
    truth: np.ndarray

    def cut(
        self, image: np.ndarray, chosen: Sequence[int] | slice, size: int, padding: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Patches of the image (n, S, S, 3), of the coarse and of the true mask (n, S, S)."""
        rows, columns = self.window
        boxes = self.boxes[chosen] - [columns.start, rows.start] * 2
        sources = image[self.window], self.coarse, self.truth
        cut = [crop_patches(source, boxes, size, padding) for source in sources]
        return cut[0], cut[1], cut[2]


def find_patches(
    coarse: dict[str, Any],
    truth: dict[str, Any] | None,
    patch_size: int,
    padding: int,
    iou_threshold: float,
) -> InstancePatches:
    """Boxes along the boundary of a coarse mask.

    Args:
        coarse: Compressed run lengths of the coarse mask.
        truth: Those of the true one; None for an empty mask.
        patch_size: Side of a patch.
        padding: Pixels around it that are cut out as well.
        iou_threshold: NMS threshold of the boxes.
    """
    window = _window(coarse, patch_size + padding + 1)
    mask = decode_window(coarse, window)
    offset = [window[1].start, window[0].start] * 2
    boxes = propose_boxes(mask, patch_size, iou_threshold) + offset
    true = np.zeros_like(mask) if truth is None else decode_window(truth, window)
    return InstancePatches(boxes, window, mask, true)


def patches_of_masks(
    coarse: np.ndarray, truth: np.ndarray, patch_size: int, iou_threshold: float
) -> InstancePatches:
    """The same for masks (H, W) that are decoded already."""
    everything = slice(0, coarse.shape[0]), slice(0, coarse.shape[1])
    boxes = propose_boxes(coarse, patch_size, iou_threshold)
    return InstancePatches(boxes, everything, coarse, truth)


def decode_window(run_lengths: dict[str, Any], window: Window) -> np.ndarray:
    """Part of a mask, bool (h, w). The whole is in column order: only the part is turned."""
    return np.ascontiguousarray(mask_codec().decode(run_lengths)[window]).view(bool)


def _window(run_lengths: dict[str, Any], margin: int) -> Window:
    left, top, width, height = (int(v) for v in mask_codec().toBbox(run_lengths))
    rows, columns = run_lengths['size']
    return (
        slice(max(top - margin, 0), min(top + height + margin, rows)),
        slice(max(left - margin, 0), min(left + width + margin, columns)),
    )


def match_instances(
    coarse: Sequence[Instance],
    truth: Sequence[Instance],
    size_hw: tuple[int, int],
    min_iou: float = 0.0,
) -> list[int | None]:
    """Which true instance of its category each coarse one overlaps most; None if not enough.

    Args:
        coarse: Predicted instances of an image.
        truth: True instances of it; crowd regions are no match.
        size_hw: Size of the image.
        min_iou: IoU that a match must exceed.

    Raises:
        ValueError: if a mask is broken or of another size.
    """
    predicted = [instance.run_lengths(size_hw) for instance in coarse]
    actual = [instance.run_lengths(size_hw) for instance in truth]
    if not predicted or not actual:
        return [None] * len(coarse)
    overlaps = np.array(mask_codec().iou(predicted, actual, [0] * len(actual)))
    of_another = [[c.category != t.category or t.crowd for t in truth] for c in coarse]
    overlaps[np.array(of_another)] = 0
    best = overlaps.argmax(axis=1)
    return [int(t) if overlaps[c, t] > min_iou else None for c, t in enumerate(best)]
