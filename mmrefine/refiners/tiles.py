"""Large images in overlapping tiles, so that memory does not grow with them."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

Window = tuple[slice, slice]

# Pixels of the largest image that a network sees as a whole.
WHOLE = 2**22
# What the networks' strides divide: an image whose sides it divides has cells of one size, at every
# scale, and so has a tile that begins at a multiple of it.
STRIDE = 32
# Pixels: side of what a tile gives, and what the network sees of its surroundings; multiples of
# ``STRIDE``. The shipped SegFix sees 184 pixels far. Votes count up to 86 more, but hardly any of
# those beyond the margin.
CORE, MARGIN = 1024, 256


class Tile(NamedTuple):
    """A part of an image.

    Attributes:
        core: What it gives: rows and columns. Cores cover the image once.
        seen: What the network sees: the core and its surroundings.
    """

    core: Window
    seen: Window


def tiles_of(
    size_hw: tuple[int, int],
    largest: int | None = None,
    core: int | None = None,
    margin: int | None = None,
) -> Iterator[Tile]:
    """Tiles of an image: one, as large as the image, up to a size.

    Args:
        size_hw: H and W.
        largest: Pixels of that size; ``WHOLE``.
        core: Side of a core; ``CORE``.
        margin: What is seen around it; ``MARGIN``.
    """
    height, width = size_hw
    whole = height * width <= (WHOLE if largest is None else largest)
    side = max(height, width) if whole else CORE if core is None else core
    for top in range(0, height, side):
        for left in range(0, width, side):
            part = slice(top, min(top + side, height)), slice(left, min(left + side, width))
            around = grown(part, MARGIN if margin is None else margin, size_hw)
            yield Tile(part, part if whole else around)


def padded(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3), mirrored at its ends until ``STRIDE`` divides H and W.

    Else the coarse features of a network, of sizes that are rounded up, are stretched over the
    image, the farther from its first pixel the more. Were the last row or column repeated, the
    network would see an edge there.
    """
    height, width = image.shape[:2]
    if height % STRIDE == width % STRIDE == 0:
        return image
    missing = 0, -height % STRIDE, 0, -width % STRIDE  # top, bottom, left, right
    return cv2.copyMakeBorder(image, *missing, cv2.BORDER_REFLECT_101)


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


def common(window: Window, other: Window) -> Window:
    """What a window has in common with another, as seen from the first pixel of the other."""
    rows, columns = (
        slice(max(part.start, outer.start) - outer.start, min(part.stop, outer.stop) - outer.start)
        for part, outer in zip(window, other, strict=True)
    )
    return slice(rows.start, max(rows.stop, rows.start)), slice(
        columns.start, max(columns.stop, columns.start)
    )
