"""Large images in TIFF and GeoTIFF files, read window by window. Needs tifffile."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .images import stretch_table

# Pixels of the largest image that is read as a whole.
WHOLE = 2**24
# Pixels of the parts in which the brightness of an image of 16 bits is looked at.
PART = 2**22
GREY, RGB, YCBCR = 1, 2, 6  # kinds of pixels, in the numbers of the TIFF specification
STRAIGHT_OR_NO_ALPHA = (0, 2)
ORIENTATION, JPEG = 274, (6, 7)

Window = tuple[slice, slice]


class ImageWindows:
    """A large image: where it is looked at, it is an array, BGR uint8.

    The same values as ``mmrefine.files.images.decode_image`` gives. Indexed by two slices of whole
    numbers, rows and columns.

    Attributes:
        shape: H, W, 3.
    """

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(self, page: Any, bands: Sequence[int]) -> None:
        self._page = page
        self._bands = list(bands)
        self.shape = (int(page.imagelength), int(page.imagewidth), 3)
        self._table = self._stretch() if page.dtype == np.uint16 else None

    def __getitem__(self, window: Window) -> np.ndarray:
        rows, columns = (
            slice(*part.indices(side)) for part, side in zip(window, self.shape, strict=False)
        )
        values = self._read(rows, columns)
        return values if self._table is None else self._table[values]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:, :].astype(dtype or np.uint8, copy=False)

    def close(self) -> None:
        """Close the file; nothing can be looked at any more."""
        self._page.parent.close()

    def _stretch(self) -> np.ndarray:
        """What becomes of each brightness, uint8 (65536,)."""
        counts = np.zeros(2**16, np.int64)
        rows = max(PART // self.shape[1], 1)
        for top in range(0, self.shape[0], rows):
            part = self._read(slice(top, min(top + rows, self.shape[0])), slice(0, self.shape[1]))
            counts += np.bincount(part.ravel(), minlength=2**16)
        return stretch_table(counts)

    def _read(self, rows: slice, columns: slice) -> np.ndarray:
        """The bands of a window as they are stored, (h, w, 3)."""
        page = self._page
        height = page.tilelength if page.is_tiled else page.rowsperstrip
        width = page.tilewidth if page.is_tiled else page.imagewidth
        height, width = min(height, self.shape[0]), min(width, self.shape[1])
        shape = rows.stop - rows.start, columns.stop - columns.start, 3
        found = np.zeros(shape, page.dtype)
        for y in range(rows.start // height, -(-rows.stop // height)):
            for x in range(columns.start // width, -(-columns.stop // width)):
                top, left = y * height - rows.start, x * width - columns.start
                part = self._segment(y, x, height, width)
                if part is not None:
                    part = part[max(-top, 0) :, max(-left, 0) :]
                    place = found[max(top, 0) :, max(left, 0) :]
                    place = place[: part.shape[0], : part.shape[1]]
                    place[...] = part[: place.shape[0], : place.shape[1]]
        return found

    def _segment(self, y: int, x: int, height: int, width: int) -> np.ndarray | None:
        """The bands of a tile or strip, (h, w, 3); None where the file has left it out."""
        across = -(-self.shape[1] // width)
        index = y * across + x
        if self._page.planarconfig == 1:
            segment = self._decoded(index)
            return None if segment is None else segment[..., self._bands]
        number = across * -(-self.shape[0] // height)
        parts = {band: self._decoded(band * number + index) for band in set(self._bands)}
        if any(part is None for part in parts.values()):
            return None
        return np.concatenate([parts[band] for band in self._bands], axis=2)

    def _decoded(self, index: int) -> np.ndarray | None:
        """A tile or strip, (h, w, bands); none beyond the image."""
        page, file = self._page, self._page.parent.filehandle
        options = {}
        if page.compression in JPEG:
            options = dict(jpegtables=page.jpegtables, jpegheader=page.jpegheader)
        size = page.databytecounts[index]
        if not size:
            return None
        decode = page.decode  # which may read in the file
        file.seek(page.dataoffsets[index])
        segment = decode(file.read(size), index, **options)[0]
        return None if segment is None else segment[0]


def open_windows(
    path: str | os.PathLike, bands: Sequence[int] | None = None
) -> ImageWindows | None:
    """A large TIFF, to be read window by window.

    Args:
        path: The file.
        bands: As for ``mmrefine.files.images.decode_image``.

    Returns:
        None for what is small, no TIFF, broken, or of a kind that is read as a whole; and where
        tifffile is missing.
    """
    if Path(path).suffix.lower() not in ('.tif', '.tiff'):
        return None
    try:
        import tifffile
    except ImportError:
        return None
    windows = None
    with contextlib.ExitStack() as opened:
        try:
            file = opened.enter_context(tifffile.TiffFile(path))
            page: Any = file.pages[0]
            chosen = _bands(page, bands)
            if chosen is not None and page.imagelength * page.imagewidth > WHOLE:
                windows = ImageWindows(page, chosen)
                windows[0:1, 0:1]  # whether it can be decoded
                opened.pop_all()  # which leaves the file open
        except Exception:  # readers fail in many ways on broken files; who reads the whole says how
            return None
    return windows


def _bands(page: Any, bands: Sequence[int] | None) -> list[int] | None:
    """Bands for blue, green and red, counted from 0; None if the file is read as a whole."""
    number, orientation = page.samplesperpixel, page.tags.get(ORIENTATION)
    if page.dtype not in (np.uint8, np.uint16) or (orientation and orientation.value != 1):
        return None
    if bands is not None:
        fits = len(bands) == 3 and all(1 <= band <= number for band in bands)
        return [band - 1 for band in reversed(bands)] if fits else None
    if page.photometric == GREY and number == 1:
        return [0, 0, 0]
    opaque = number == 3 or (
        number == 4 and page.dtype == np.uint8 and page.extrasamples[-1] in STRAIGHT_OR_NO_ALPHA
    )
    return [2, 1, 0] if page.photometric in (RGB, YCBCR) and opaque else None
