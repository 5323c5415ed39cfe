"""Images of any kind as BGR uint8 (H, W, 3), which is what networks here take.

======================  ===========================================================================
image                   what becomes of it
======================  ===========================================================================
8 bits, colour          as it is; EXIF orientation applied; an alpha band is left out
8 bits, grey            the same value in all three channels
16 bits                 stretched, see ``stretch``
PIL image               the same, RGB → BGR
array (H, W, 3)         BGR, as it is; (H, W) grey; (H, W, 4) BGR and alpha
float, > 4 bands, TIFF  refused, unless three bands are chosen; these are stretched
======================  ===========================================================================
"""

import io
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from .sizes import MOST_PIXELS

TIFF_MAGIC = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
PNG_MAGIC = b'\x89PNG\r\n\x1a\n'
EXTRA_SAMPLES, SAMPLES_PER_PIXEL = 338, 277  # tags of TIFF
STRAIGHT_ALPHA = 2
ALLOWED = 'expected 8 or 16 bits, and 1, 3 or 4 bands'
ADVICE = 'choose three bands (bands=(3, 2, 1), --bands 3 2 1) or give a BGR uint8 array'
AS_COLOURS = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH  # applies EXIF, leaves alpha out
# Values outside are too few to matter: hot pixels, dead pixels.
LOW, HIGH = 0.001, 0.999


def stretch(array: np.ndarray) -> np.ndarray:
    """Values of more than 8 bits → uint8, dark to 0 and bright to 255.

    Files of 16 bits often use 10 or 12 of them, or a small part of the range (thermal cameras).
    Dark is the value that one pixel in a thousand is below, bright the value that one in a
    thousand is above. Where these span half of the range of 16 bits or more, the file uses it as
    meant, and values are divided by 257. All bands are stretched alike.

    Args:
        array: Any shape; uint16, int16, or any other number. NaN and infinity become 0.
    """
    if array.dtype == np.int16:
        array = (array.astype(np.int32) + 2**15).astype(np.uint16)
    if array.dtype == np.uint16:
        return stretch_table(np.bincount(array.ravel(), minlength=2**16))[array]
    finite = array[np.isfinite(array)]
    if not finite.size:
        return np.zeros(array.shape, np.uint8)
    dark, bright = np.quantile(finite.astype(np.float64), [LOW, HIGH])
    if dark == bright:
        dark, bright = float(finite.min()), float(finite.max())
    return _scaled(np.where(np.isfinite(array), array, dark).astype(np.float64), dark, bright)


def stretch_table(counts: np.ndarray) -> np.ndarray:
    """What ``stretch`` makes of each value of 16 bits, uint8 (65536,), given how many have it."""
    low, high = _limits_of_counts(counts)
    if high - low >= 2**15:
        low, high = 0, 2**16 - 1
    return _scaled(np.arange(2**16, dtype=np.float64), low, high)


def _limits_of_counts(counts: np.ndarray) -> tuple[int, int]:
    total = np.cumsum(counts)
    low = int(np.searchsorted(total, LOW * total[-1], side='right'))
    high = int(np.searchsorted(total, HIGH * total[-1]))
    if low >= high:
        used = np.flatnonzero(counts)
        low, high = int(used[0]), int(used[-1])
    return low, high


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if low == high:  # one value everywhere: nothing to tell apart
        return np.zeros(values.shape, np.uint8)
    return np.rint((values - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)


def decode_image(content: bytes, name: str, bands: Sequence[int] | None = None) -> np.ndarray:
    """An image file's content → BGR uint8 (H, W, 3).

    Args:
        content: The file.
        name: What to call it in errors.
        bands: Numbers of the bands to take for red, green and blue, counted from 1; for TIFFs
            of any number and kind of bands. Needs tifffile or rasterio.

    Raises:
        ValueError: if it is no image, is cut off, or has bands that are not taken.
        ImportError: if bands are chosen and nothing that reads them is installed.
    """
    if bands is not None:
        return choose_bands(_all_bands(content, name), bands, name)
    tiff = content[:4] in TIFF_MAGIC
    array = _decode_tiff(content, name) if tiff else _decode(content, name)
    if array is None:
        raise ValueError(f'{name} is not an image, or is incomplete')
    if array.dtype in (np.uint16, np.int16):
        array = stretch(array)
    if array.dtype != np.uint8:
        raise ValueError(f'{name}: {array.dtype} values: {ALLOWED}; {ADVICE}')
    return np.ascontiguousarray(array)


def _decode_tiff(content: bytes, name: str) -> np.ndarray | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            tags = getattr(image, 'tag_v2', {})
            mode, samples = image.mode, tags.get(SAMPLES_PER_PIXEL, 1)
            extra = tags.get(EXTRA_SAMPLES, (0,))
            # OpenCV multiplies colours by straight alpha; Pillow does not.
            if mode in ('RGBA', 'LA') and extra[-1] == STRAIGHT_ALPHA and samples in (2, 4):
                bits = tags.get(258, (8,))
                if max(bits) == 8:
                    return from_pil(image, name)
    except (OSError, ValueError, SyntaxError, KeyError, Image.DecompressionBombError):
        mode, samples, extra = '', 0, (0,)
    if mode in ('F', 'I') or not mode or (samples == 2 and extra[-1] == 0):
        _refuse_bands(content, name, mode)
    return _decode(content, name)


def _decode(content: bytes, name: str, flags: int = AS_COLOURS) -> np.ndarray | None:
    """What OpenCV reads; None if it is no image, or incomplete."""
    if not content:
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        size = ''
        if content.startswith(PNG_MAGIC):
            width, height = (int.from_bytes(content[at : at + 4], 'big') for at in (16, 20))
            size = f', {height}x{width} (height x width)'
        raise ValueError(
            f'{name} is broken, or larger than the {MOST_PIXELS} pixels that are read{size}'
        ) from error


def _refuse_bands(content: bytes, name: str, mode: str) -> None:
    """Raise an error that says what a TIFF holds, if it holds what is not taken."""
    try:
        shape, dtype = _tiff_shape(content)
    except ImportError:
        if mode == 'F':
            raise ValueError(f'{name}: float TIFF: {ALLOWED}; {ADVICE}') from None
        return
    except Exception:  # a broken file: the reader says so
        return
    number = shape[2]
    if dtype.kind not in 'iu' or dtype.itemsize > 2 or number not in (1, 3, 4):
        bands = f'{number} band{"s" if number > 1 else ""}'
        raise ValueError(f'{name}: {dtype} TIFF, {bands}: {ALLOWED}; {ADVICE}')


def _tiff_shape(content: bytes) -> tuple[tuple[int, int, int], np.dtype]:
    """(H, W, bands) and dtype of the first page of a TIFF."""
    import tifffile  # optional

    with tifffile.TiffFile(io.BytesIO(content)) as file:
        page: Any = file.pages[0]
        return (page.imagelength, page.imagewidth, page.samplesperpixel), np.dtype(page.dtype)


def _all_bands(content: bytes, name: str) -> np.ndarray:
    """Every band of an image file, (H, W, bands), as stored."""
    if content[:4] not in TIFF_MAGIC:
        array = _decode(content, name, cv2.IMREAD_UNCHANGED)
        if array is None:
            raise ValueError(f'{name} is not an image, or is incomplete')
        array = array.reshape(*array.shape[:2], -1)
        order = [2, 1, 0, 3][: array.shape[2]] if array.shape[2] > 2 else [0, 1]
        return array[..., order[: array.shape[2]]]
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            'bands of TIFFs need tifffile; install it with "pip install tifffile imagecodecs"'
        ) from error
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            page: Any = file.pages[0]
            array = page.asarray()
            if array.ndim == 2:
                return array[..., None]
            return np.moveaxis(array, 0, 2) if page.planarconfig == 2 else array
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{name}: cannot read its bands: {error}') from error


def choose_bands(array: np.ndarray, bands: Sequence[int], name: str = 'image') -> np.ndarray:
    """Three bands of an array → BGR uint8 (H, W, 3).

    Args:
        array: (H, W, bands), any numbers.
        bands: Numbers of the bands to take for red, green and blue, counted from 1.
        name: What to call it in errors.

    Raises:
        ValueError: if there are no such bands.
    """
    number = array.shape[2]
    if len(bands) != 3 or not all(1 <= band <= number for band in bands):
        raise ValueError(
            f'bands: expected three numbers from 1 to {number}, the bands of {name}, got '
            f'{tuple(bands)}'
        )
    chosen = array[..., [band - 1 for band in reversed(bands)]]
    return np.ascontiguousarray(chosen if chosen.dtype == np.uint8 else stretch(chosen))


def from_pil(image: Image.Image, name: str = 'image') -> np.ndarray:
    """A PIL image → BGR uint8 (H, W, 3), EXIF orientation applied.

    Raises:
        ValueError: if it holds floats, or integers of more than 16 bits.
    """
    turned = ImageOps.exif_transpose(image)
    if turned.mode in ('I', 'F') or turned.mode.startswith('I;'):
        grey = np.asarray(turned)
        if grey.dtype.kind == 'f' or grey.min(initial=0) < 0 or grey.max(initial=0) >= 2**16:
            raise ValueError(f'{name}: PIL image of mode {turned.mode}: {ALLOWED}; {ADVICE}')
        return _in_three(stretch(grey.astype(np.uint16)))
    # Not convert('RGB') of what has alpha: the colours are there as they are.
    array = np.asarray(turned if turned.mode in ('RGB', 'RGBA') else turned.convert('RGB'))
    return np.ascontiguousarray(array[..., 2::-1])


def from_array(array: np.ndarray) -> np.ndarray:
    """An array → BGR uint8 (H, W, 3); contiguous, as it is where it is so already.

    Args:
        array: uint8, or uint16, which is stretched; BGR (H, W, 3), grey (H, W) or (H, W, 1), or
            BGR and alpha (H, W, 4), which is left out.

    Raises:
        TypeError: if it is of another dtype.
        ValueError: if it has another shape, or no pixel.
    """
    if array.dtype not in (np.uint8, np.uint16):
        raise TypeError(f'image: expected a uint8 array, got {array.dtype}; uint16 is taken, too')
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4) or not array.size:
        raise ValueError(
            'image: expected BGR of shape (H, W, 3), grey (H, W) or BGR and alpha (H, W, 4), got '
            f'{array.shape}'
        )
    if array.ndim == 2 or channels == 1:
        array = _in_three(array)
    array = array[..., :3]
    # A view that runs backwards over an axis of length 1 counts as contiguous, but is refused by
    # torch: a copy by values has no such strides.
    backwards = any(step < 0 for step in array.strides)
    array = array.copy() if backwards else np.ascontiguousarray(array)
    return stretch(array) if array.dtype == np.uint16 else array


def _in_three(grey: np.ndarray) -> np.ndarray:
    grey = grey.reshape(grey.shape[:2])
    return np.repeat(grey[..., None], 3, axis=2)
