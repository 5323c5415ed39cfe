"""Large images in overlapping tiles, so that memory does not grow with them."""

from collections.abc import Iterator
from typing import NamedTuple

Window = tuple[slice, slice]

# Pixels of the largest image that a network sees as a whole.
WHOLE = 2**22
# Pixels: side of what a tile gives, and what the network sees of its surroundings. Multiples of
# the networks' stride, so that a tile is cut into the same cells as the whole image.
CORE, MARGIN = 1024, 256


class Tile(NamedTuple):
    """A part of an image.

    Attributes:
        core: What it gives: rows and columns. Cores cover the image once.
        seen: What the network sees: the core and its surroundings.
    """

    core: Window
    seen: Window


def tiles_of(size_hw: tuple[int, int]) -> Iterator[Tile]:
    """Tiles of an image of ``size_hw``: one, as large as the image, up to ``WHOLE`` pixels."""
    height, width = size_hw
    whole = height * width <= WHOLE
    side = max(height, width) if whole else CORE
    for top in range(0, height, side):
        for left in range(0, width, side):
            core = slice(top, min(top + side, height)), slice(left, min(left + side, width))
            yield Tile(core, core if whole else grown(core, MARGIN, size_hw))


def grown(window: Window, margin: int, size_hw: tuple[int, int]) -> Window:
    """A window and ``margin`` pixels around it, inside the image."""
    rows, columns = (
        slice(max(part.start - margin, 0), min(part.stop + margin, size))
        for part, size in zip(window, size_hw, strict=True)
    )
    return rows, columns


def inside(window: Window, other: Window) -> Window:
    """A window as seen from the first pixel of another, which holds it."""
    rows, columns = (
        slice(part.start - outer.start, part.stop - outer.start)
        for part, outer in zip(window, other, strict=True)
    )
    return rows, columns
