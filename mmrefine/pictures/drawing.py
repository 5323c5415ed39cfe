"""What pictures are made of: contours along pixel edges, filled pixels, boxes and text.

Legend: H, W = part of an image; h, w = the picture it is shown on, of any size; N = masks.
Pictures are BGR uint8 and are drawn upon in place.
"""

import functools
import math
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]


def bgr(hexadecimal: str) -> Colour:
    """BGR of a colour like ``'#E69F00'``."""
    red, green, blue = bytes.fromhex(hexadecimal.removeprefix('#'))
    return blue, green, red


# After Okabe and Ito (2008): told apart by the colour-blind. Orange and sky blue are light, to be
# lines with a dark casing on photographs; blue and vermilion are dark, to be areas on pale grey.
COARSE, REFINED = bgr('#E69F00'), bgr('#56B4E9')
FIXED, BROKEN, OTHER = bgr('#0072B2'), bgr('#D55E00'), bgr('#CC79A7')
INK, PAPER, WHITE = (30, 30, 30), (255, 255, 255), (255, 255, 255)
# Contours are drawn so many times finer, which makes their steps smooth.
FINENESS = 2


def resized(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """An image (H, W, ...) at another size, smooth both larger and smaller."""
    larger = size_hw[0] > image.shape[0]
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(np.ascontiguousarray(image), size_hw[::-1], interpolation=how))


def draw_contours(
    picture: np.ndarray,
    masks: np.ndarray,
    colour: Colour,
    thickness: float = 1.6,
    casing: float = 1.0,
    ignore_index: int | None = None,
) -> None:
    """Draw where labels meet, as a line along the edges of pixels, dark on both sides.

    The border of the image is no contour.

    Args:
        picture: (h, w, 3).
        masks: Label map (H, W), or stack (N, H, W) of which each mask has its contour.
        colour: Of the line.
        thickness: Of the line, in pixels of the picture.
        casing: Of its dark sides, in pixels of the picture.
        ignore_index: Label of a label map without contours.
    """
    edges = _edges(masks, ignore_index)
    if casing:
        cased = _cover(*edges, picture.shape[:2], thickness + 2 * casing)
        _blend(picture, 0.75 * cased, INK)
    _blend(picture, _cover(*edges, picture.shape[:2], thickness), colour)


def fill(picture: np.ndarray, where: np.ndarray, colour: Colour, opacity: float = 1.0) -> None:
    """Fill the pixels ``where``, bool (H, W), of the image that the picture shows."""
    cover = _resized_mask(where.astype(np.uint8), picture.shape[:2])
    _blend(picture, opacity * cover, colour)


def draw_box(picture: np.ndarray, box_xyxy: tuple[float, float, float, float]) -> None:
    """Draw a white frame with dark sides, in pixels of the picture."""
    x0, y0, x1, y1 = (round(value) for value in box_xyxy)
    for colour, thickness in ((INK, 3), (WHITE, 1)):
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thickness, cv2.LINE_8)


def write(
    picture: np.ndarray,
    text: str,
    place_xy: tuple[float, float],
    size: int = 15,
    colour: Colour = INK,
    ground: Colour | None = None,
) -> int:
    """Write a line of text.

    Args:
        picture: (h, w, 3).
        text: One line.
        place_xy: Left end of the text, and the middle of its height.
        size: In pixels.
        colour: Of the letters.
        ground: Colour of a box behind the text, which then begins at ``place_xy``.

    Returns:
        Where the text, or its box, ends: x.
    """
    font = _font(size)
    pad = round(0.3 * size) if ground is not None else 0
    x, y = round(place_xy[0]), round(place_xy[1])
    end = x + math.ceil(font.getlength(text)) + 2 * pad
    top, bottom = max(y - size, 0), min(y + size, picture.shape[0])
    left, right = max(x, 0), min(end, picture.shape[1])
    if top >= bottom or left >= right:
        return end
    if ground is not None:
        half = round(0.65 * size)
        cv2.rectangle(picture, (x, y - half), (end - 1, y + half), ground, cv2.FILLED)
    cut = PillowImage.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    ImageDraw.Draw(cut).text((x + pad - left, y - top), text, colour, font, anchor='lm')
    picture[top:bottom, left:right] = np.asarray(cut)
    return end


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that matplotlib brings along: no system has to have one."""
    path = Path(mpl.get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf'
    return ImageFont.truetype(str(path), size)


def _edges(masks: np.ndarray, ignore_index: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Edges between pixels across which a label changes: bool (H, W - 1) and (H - 1, W)."""
    stack = masks if masks.ndim == 3 else masks[None]
    height, width = stack.shape[1:]
    upright = np.zeros((height, width - 1), bool)
    level = np.zeros((height - 1, width), bool)
    for labels in stack:
        upright |= labels[:, 1:] != labels[:, :-1]
        level |= labels[1:] != labels[:-1]
    if ignore_index is not None and masks.ndim == 2:
        known = masks != ignore_index
        upright &= known[:, 1:] & known[:, :-1]
        level &= known[1:] & known[:-1]
    return upright, level


def _cover(
    upright: np.ndarray, level: np.ndarray, size_hw: tuple[int, ...], thickness: float
) -> np.ndarray:
    """How much of each pixel of a picture is line: float32 (h, w), 0 to 1."""
    height, width = upright.shape[0], level.shape[1]
    times = FINENESS * max(1, math.ceil(size_hw[1] / width))
    lines = np.zeros((height * times + 1, width * times + 1), np.uint8)  # corners of fine pixels
    for shift in range(times + 1):
        lines[shift : shift + height * times : times, times:-1:times] |= upright
        lines[times:-1:times, shift : shift + width * times : times] |= level
    side = max(2, 2 * round(thickness * width * times / size_hw[1] / 2))
    # Dilated by an even side, corner i covers i - side / 2 + 1 to i + side / 2: the fine pixels on
    # both sides of it, counted from 1.
    thick = cv2.dilate(lines, np.ones((side, side), np.uint8))[1:, 1:]
    return _shrunk(thick, size_hw)


def _resized_mask(mask: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    """Share of each pixel of a picture that is in a mask, float32; sharp where enlarged."""
    times = max(1, math.ceil(size_hw[1] / mask.shape[1]))
    return _shrunk(mask.repeat(times, 0).repeat(times, 1), size_hw)


def _shrunk(fine: np.ndarray, size_hw: tuple[int, ...]) -> np.ndarray:
    size = (size_hw[1], size_hw[0])
    return np.asarray(cv2.resize(fine.astype(np.float32), size, interpolation=cv2.INTER_AREA))


def _blend(picture: np.ndarray, cover: np.ndarray, colour: Colour) -> None:
    rows, columns = cover.nonzero()
    share = cover[rows, columns, None]
    mixed = (1 - share) * picture[rows, columns] + share * np.array(colour, np.float32)
    picture[rows, columns] = np.round(mixed).astype(np.uint8)
