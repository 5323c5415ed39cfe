"""Sizes of images and masks, read from the heads of files; what is said where they differ."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

MOST_PIXELS = 2**30  # of an image or a label map: as many as OpenCV reads
ORIENTATION = 0x0112  # EXIF's tag
QUARTER_TURNS = (5, 6, 7, 8)  # its values that swap height and width
EXIF_HINT = (
    '; height and width are swapped: images are turned by their EXIF orientation, were the masks '
    'made without?'
)
RESIZE_HINT = '; --resize-masks brings it to that'


def sizes_of_image(path: str | os.PathLike) -> set[tuple[int, int]]:
    """(H, W) that an image may have once it is read: two where EXIF turns it by 90 degrees.

    Returns:
        Nothing where the head is of no kind that is known here.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION) in QUARTER_TURNS
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return set()
    return {(height, width), (width, height)} if turned else {(height, width)}


def size_of_label_map(path: str | os.PathLike) -> tuple[int, int] | None:
    """(H, W) of a label map; None where its head is of no kind that is known here."""
    if Path(path).suffix.lower() == '.npy':
        try:
            shape = np.load(path, mmap_mode='r', allow_pickle=False).shape
        except (OSError, ValueError, EOFError):
            return None
        return (shape[0], shape[1]) if len(shape) == 2 else None
    return next(iter(sizes_of_image(path)), None)


def other_size_text(
    mask: str | os.PathLike,
    shape: tuple[int, ...],
    image: str | os.PathLike,
    size_hw: tuple[int, int],
) -> str:
    """What is said of a label map that is not as large as its image."""
    hint = EXIF_HINT if shape == size_hw[::-1] else RESIZE_HINT
    return (
        f'{mask}: expected the size of {image}, {size_hw[0]}x{size_hw[1]} (height x width), got '
        f'{shape[0]}x{shape[1]}{hint}'
    )
