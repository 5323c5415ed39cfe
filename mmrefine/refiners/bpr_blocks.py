"""Large images block by block, so that no map of numbers is as large as they are.

An object that lies in a block, or reaches to it, is refined as if there were no blocks: all its
boxes, colours and outline. Of one that is larger than what is seen around a block, the boxes at
the block are looked at, and it is judged by what is seen.

Shapes: H, W = rows and columns of the image; h, w = of what is seen; N = boxes.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ..ops.colour_odds import surroundings
from .tiles import Tile, Window, grown, inside, tiles_of

# Pixels of the largest image that is refined as a whole.
WHOLE = 2**24
# Side of a block, and what is seen around it, pixels.
BLOCK, CONTEXT = 2048, 512


class Block(NamedTuple):
    """A block in what is seen of an image.

    Attributes:
        core: The block, rows and columns of what is seen.
        cut: Whether the image goes on beyond the first row, the last row, the first column and the
            last column that are seen.
    """

    core: Window
    cut: tuple[bool, bool, bool, bool]

    def near(self, reach: int, size_hw: tuple[int, int]) -> Window:
        """The block and ``reach`` pixels around it."""
        return grown(self.core, reach, size_hw)

    def boxes(self, mask: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Those boxes (N, 4) xyxy of a mask, bool (h, w), that the block needs."""
        rows, columns = self.core
        meet = (boxes[:, 0] < columns.stop) & (boxes[:, 2] > columns.start)
        meet &= (boxes[:, 1] < rows.stop) & (boxes[:, 3] > rows.start)
        edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        goes_on = any(cut and edge.any() for cut, edge in zip(self.cut, edges, strict=True))
        return boxes[meet] if goes_on or not meet.any() else boxes


class Part(NamedTuple):
    """What is seen around a block.

    Attributes:
        tile: Where it is.
        block: The block in it; None where all there is of a mask is seen.
        masks: Label map (h, w), or stack (1, h, w).
    """

    tile: Tile
    block: Block | None
    masks: np.ndarray


def is_large(image: np.ndarray) -> bool:
    """Whether an image (H, W, 3) is refined block by block."""
    return image.shape[0] * image.shape[1] > WHOLE


def refine_by_blocks(
    masks: np.ndarray, refine: Callable[[Iterator[Part]], Iterator[np.ndarray]]
) -> np.ndarray:
    """Masks of a large image, refined block by block.

    Args:
        masks: Label map (H, W), or stack (N, H, W), whose masks are refined one by one; one mask
            (H, W) bool.
        refine: Refined masks of parts, in their order; it may look at some parts ahead.

    Returns:
        Refined masks.
    """
    refined = masks.copy()
    for before, after in zip(_planes(masks), _planes(refined), strict=True):
        waiting: deque[Tile] = deque()

        def parts(plane: np.ndarray = before, asked: deque[Tile] = waiting) -> Iterator[Part]:
            for part in _parts(plane):
                asked.append(part.tile)
                yield part

        for result in refine(parts()):
            tile = waiting.popleft()
            after[(..., *tile.core)] = result[(..., *inside(tile.core, tile.seen))]
    return refined


def _planes(masks: np.ndarray) -> Sequence[np.ndarray]:
    """A label map (H, W), or stacks (1, H, W) of each mask."""
    if masks.ndim == 2 and masks.dtype != np.bool_:
        return [masks]
    return list(masks.reshape(-1, 1, *masks.shape[-2:]))


def _parts(masks: np.ndarray) -> Iterator[Part]:
    """Parts of a label map (H, W), or of a stack of one mask (1, H, W), that may change."""
    size_hw = (masks.shape[-2], masks.shape[-1])
    if masks.ndim == 3:
        window = grown(surroundings(masks[0] != 0, CONTEXT), 0, size_hw)
        if masks[0][window].size <= WHOLE:
            yield Part(Tile(window, window), None, np.ascontiguousarray(masks[(..., *window)]))
            return
    for tile in tiles_of(size_hw, WHOLE, BLOCK, CONTEXT):
        part = masks[(..., *tile.seen)]
        if (part != part[..., :1, :1]).any():
            rows, columns = tile.seen
            above, below = rows.start > 0, rows.stop < size_hw[0]
            cut = above, below, columns.start > 0, columns.stop < size_hw[1]
            block = Block(inside(tile.core, tile.seen), cut)
            yield Part(tile, block, np.ascontiguousarray(part))
