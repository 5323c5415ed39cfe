"""Large images block by block, so that no map of numbers is as large as they are.

An object that is seen whole from a block is refined as if there were no blocks. Of a larger one,
what depends on the whole of it is worked out before: its boxes, its colours, and what the network
says along its outline. So blocks give what the whole image gives.

Shapes: H, W = rows and columns of the image; h, w = of what is seen; N = boxes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..ops.colour_odds import SURROUNDINGS, UNKNOWN, surroundings
from ..ops.label_boxes import label_boxes
from ..ops.mask_moves import NEAR
from .large_object import LargeObject
from .leave_alone import LEAST_PIECE
from .tiles import Tile, Window, common, grown, inside, tiles_of

# Pixels of the largest image that is refined as a whole.
WHOLE = 2**24
# Side of a block, and what is seen around it at least, pixels.
BLOCK, CONTEXT = 2048, 512
# Side of the parts in which labels are looked for, pixels.
PART = 1024


class Block(NamedTuple):
    """A block in what is seen of an image.

    Attributes:
        core: The block, rows and columns of what is seen.
        seen: What is seen, rows and columns of the image.
        large: What is known of large objects, by their keys.
    """

    core: Window
    seen: Window
    large: Mapping[Any, LargeObject]

    def near(self, reach: int) -> Window:
        """The block and ``reach`` pixels around it, of what is seen."""
        rows, columns = self.seen
        return grown(self.core, reach, (rows.stop - rows.start, columns.stop - columns.start))

    def needs(self, boxes: np.ndarray) -> bool:
        """Whether any of some boxes (N, 4) xyxy, of what is seen, lies in the block."""
        return bool(_meet(boxes, self.core).any())

    def boxes_of(self, large: LargeObject) -> np.ndarray:
        """Boxes (N, 4) xyxy of a large object, of what is seen, that the block needs.

        They reach so far around it that specks in it are told from what goes on outside.
        """
        rows, columns = self.seen
        boxes = large.boxes - [columns.start, rows.start] * 2
        return boxes[_meet(boxes, self.near(LEAST_PIECE)) & self.needs(boxes)]

    def colours_of(self, large: LargeObject, image: np.ndarray, part: Window) -> np.ndarray:
        """Colour evidence, uint8, for a large object in a part of what is seen (h, w, 3)."""
        image = image[part]
        odds = np.full(image.shape[:2], UNKNOWN, np.uint8)
        rows, columns = self.seen
        # as seen from the first pixel of what is seen
        window = inside(large.window, (slice(rows.start, None), slice(columns.start, None)))
        known = common(window, part)
        if large.colours is not None and odds[known].size:
            odds[known] = large.colours.of(image[known])
        return odds


class Part(NamedTuple):
    """What is seen around a block.

    Attributes:
        tile: Where it is.
        block: The block in it.
        masks: Label map (h, w), or stack (1, h, w).
    """

    tile: Tile
    block: Block
    masks: np.ndarray


def is_large(image: np.ndarray) -> bool:
    """Whether an image (H, W, 3) is refined block by block."""
    return image.shape[0] * image.shape[1] > WHOLE


def seen_around(patch_size: int, padding: int) -> tuple[int, int]:
    """How much is seen around a block, and up to which side an object is seen whole, pixels."""
    context = max(CONTEXT, patch_size + padding + LEAST_PIECE)
    # as large as it may be after a move to both sides
    return context, context - patch_size - max(SURROUNDINGS, patch_size + padding) - 2 * NEAR


def planes(masks: np.ndarray) -> Sequence[np.ndarray]:
    """What is refined at a time: a label map (H, W), or stacks (1, H, W) of each mask."""
    if masks.ndim == 2 and masks.dtype != np.bool_:
        return [masks]
    return list(masks.reshape(-1, 1, *masks.shape[-2:]))


def window_of(plane: np.ndarray) -> Window | None:
    """The part of a stack (1, H, W) that is refined as a whole; None of others, or too large."""
    if plane.ndim == 2:
        return None
    window = grown(surroundings(plane[0] != 0, CONTEXT), 0, plane.shape[1:])
    return window if plane[0][window].size <= WHOLE else None


def large_objects(
    plane: np.ndarray, least: int, ignore_index: int | None
) -> Iterator[tuple[Any, Window]]:
    """Key and bounding box of the objects that may not be seen whole from a block.

    Args:
        plane: Label map (H, W), or stack (1, H, W), of which 0 is the key.
        least: Sides up to that are seen whole, pixels.
        ignore_index: Label of no object.
    """
    size_hw = plane.shape[-2:]
    if plane.ndim == 3:
        yield 0, grown(surroundings(plane[0] != 0, 0), 0, size_hw)
        return
    found: dict[Any, list[int]] = {}
    for tile in tiles_of(size_hw, 0, PART, 0):
        rows, columns = tile.core
        for label, *box in label_boxes(np.ascontiguousarray(plane[tile.core]), ignore_index):
            top, bottom, left, right = np.add(box, [rows.start] * 2 + [columns.start] * 2).tolist()
            old = found.setdefault(label, [top, bottom, left, right])
            old[::2] = min(old[0], top), min(old[2], left)
            old[1::2] = max(old[1], bottom), max(old[3], right)
    for label, (top, bottom, left, right) in found.items():
        if max(bottom - top, right - left) > least:
            yield label, (slice(top, bottom), slice(left, right))


def parts_of(plane: np.ndarray, large: Mapping[Any, LargeObject], context: int) -> Iterator[Part]:
    """Parts of a label map (H, W), or of a stack of one mask (1, H, W), that may change."""
    size_hw = plane.shape[-2:]
    for tile in tiles_of(size_hw, 0, BLOCK, context):
        part = plane[(..., *tile.seen)]
        if (part != part[..., :1, :1]).any():
            block = Block(inside(tile.core, tile.seen), tile.seen, large)
            yield Part(tile, block, np.ascontiguousarray(part))


class Averages(NamedTuple):
    """Averaged probabilities of an object's patches.

    Attributes:
        window: A part of the image.
        probabilities: float32 (h, w), 0 off the boxes.
        covered: bool (h, w), the pixels in any box.
    """

    window: Window
    probabilities: np.ndarray
    covered: np.ndarray

    def within(self, window: Window) -> 'Averages':
        """The same in another window: cut off, and no boxes where none were."""
        rows, columns = window
        shape = rows.stop - rows.start, columns.stop - columns.start
        part = Averages(window, np.zeros(shape, np.float32), np.zeros(shape, bool))
        to, of = common(self.window, window), common(window, self.window)
        part.probabilities[to] = self.probabilities[of]
        part.covered[to] = self.covered[of]
        return part


def _meet(boxes: np.ndarray, window: Window) -> np.ndarray:
    """Which boxes (N, 4) xyxy lie in a window, bool (N,)."""
    rows, columns = window
    across = (boxes[:, 0] < columns.stop) & (boxes[:, 2] > columns.start)
    return across & (boxes[:, 1] < rows.stop) & (boxes[:, 3] > rows.start)
