"""Label maps in files, read as what they mean and written back in the same form.

==========================  ==============  ===================================================
file                        labels          remarks
==========================  ==============  ===================================================
PNG with a palette          uint8 (H, W)    the indices; palette and transparency are kept
PNG, 8-bit grey             uint8 (H, W)
PNG, 16-bit grey            uint16 (H, W)   instance ids
PNG, 1-bit grey             uint8 (H, W)    0 and 1
PNG, 2- or 4-bit grey       uint8 (H, W)    the stored numbers, not the grey values that image
                                            libraries make of them; written back with 8 bits
PNG, RGB                    int32 (H, W)    a label for each colour: red + 256 · green + 65536
                                            · blue, which are the ids of COCO's panoptic PNGs;
                                            an alpha band must be opaque
TIFF, GeoTIFF               as stored       one band of integers; georeference, palette and tiles
                                            are kept; needs tifffile
``.npy``                    as stored       any integer dtype, or bool
==========================  ==============  ===================================================
"""

import io
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, PngImagePlugin

from .sizes import MOST_PIXELS
from .tiff_labels import TiffForm, read_tiff_labels, write_tiff
from .whole_files import write_whole_file

LABEL_SUFFIXES = ('.png', '.npy', '.tif', '.tiff')
# The colour types of the PNG specification, by their number in the header.
GREY, PALETTE = 0, 3
# A map of so many colours may be small; else one in 50 pixels may begin another.
MOST_COLOURS = 256
COLOUR_TYPES = {GREY: 'grey', 2: 'RGB', PALETTE: 'palette', 4: 'grey + alpha', 6: 'RGB + alpha'}


@dataclass(frozen=True)
class LabelMap:
    """A label map and the form of the file it came from.

    Attributes:
        labels: (H, W), an integer dtype or bool.
        palette: The colours of a palette PNG, RGB bytes.
        transparency: What a palette PNG says of transparent indices.
        one_bit: Whether the PNG has one bit a pixel.
        rgb: Whether labels are the colours of a PNG.
        tiff: The form of a TIFF.
    """

    labels: np.ndarray
    palette: bytes | None = None
    transparency: bytes | int | None = None
    one_bit: bool = False
    rgb: bool = False
    tiff: TiffForm | None = None


def read_label_map(path: str | os.PathLike, colours: bool = False) -> LabelMap:
    """Read a label map.

    Args:
        path: ``.png``, ``.tif`` or ``.npy`` file.
        colours: Whether colours may stand for labels. Else such a file is refused: the numbers
            that its colours get are no class ids.

    Raises:
        ValueError: if there is no such file, or it is broken or no label map. The text names the
            file, what is expected and what came.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: no such label map')
    if path.stat().st_size == 0:
        raise ValueError(f'{path}: the file is empty, expected a label map')
    if path.suffix.lower() == '.npy':
        return _read_npy(path)
    if path.suffix.lower() == '.png':
        return decode_label_map(path.read_bytes(), path, colours)
    if path.suffix.lower() in ('.tif', '.tiff'):
        labels, form = read_tiff_labels(path)
        return LabelMap(labels, tiff=form)
    raise ValueError(
        f'{path}: expected a label map as .png, .tif or .npy, got {path.suffix or "none"}'
    )


def write_label_map(path: str | os.PathLike, labels: np.ndarray, form: LabelMap) -> None:
    """Write labels in the form of another label map.

    Args:
        path: ``.png`` or ``.npy``, as the file ``form`` was read from.
        labels: (H, W), dtype of ``form.labels``.
        form: Where bit depth and palette come from.

    Raises:
        TypeError: if ``labels`` has another dtype than ``form.labels``.
        OSError: if the file cannot be written; nothing is left of it then.
    """
    if labels.dtype != form.labels.dtype:
        raise TypeError(f'labels: expected {form.labels.dtype} as in the form, got {labels.dtype}')
    suffix = Path(path).suffix.lower()
    write_whole_file(path, partial(_write, suffix=suffix, labels=labels, form=form))


def _write(file: IO[bytes], suffix: str, labels: np.ndarray, form: LabelMap) -> None:
    """Write labels into an open file."""
    if suffix == '.npy':
        np.save(file, labels)
    elif form.tiff is not None:
        write_tiff(file, labels, form.tiff)
    elif form.rgb:
        colours = labels.astype('<i4').view(np.uint8).reshape(*labels.shape, 4)[..., :3]
        Image.fromarray(np.ascontiguousarray(colours)).save(file, format='PNG')
    else:
        image = Image.fromarray(labels.astype(bool) if form.one_bit else labels)
        options = {}
        if form.palette is not None:
            image.putpalette(form.palette)
            if form.transparency is not None:
                options['transparency'] = form.transparency
        image.save(file, format='PNG', **options)


def resized_labels(labels: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Labels (h, w) in another size: each pixel takes the label nearest to it."""
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.int64)
        for new, old in zip(size_hw, labels.shape, strict=True)
    )
    return labels[rows[:, None], columns]


def _read_npy(path: Path) -> LabelMap:
    try:
        labels = np.load(path, allow_pickle=False)
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{path}: expected a numpy array, the file is broken or none') from error
    if not np.can_cast(labels.dtype, np.int64):
        raise ValueError(f'{path}: expected integers of at most 63 bits, got {labels.dtype}')
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f'{path}: expected a label map (H, W), got shape {labels.shape}')
    return LabelMap(labels)


def decode_label_map(content: bytes, path: str | os.PathLike, colours: bool = False) -> LabelMap:
    """A label map from the bytes of a PNG.

    Args:
        content: The bytes.
        path: Where they come from, for messages.
        colours: As for ``read_label_map``.

    Raises:
        ValueError: as ``read_label_map``.
    """
    colour_type, depth = _png_header(content, path)
    try:
        # Not Image.open, which takes large maps for attacks.
        with PngImagePlugin.PngImageFile(io.BytesIO(content)) as image:
            too_large = image.width * image.height > MOST_PIXELS
            array = np.asarray(image) if not too_large else np.zeros((0, 0))
            palette = image.getpalette() if colour_type == PALETTE else None
            transparency = image.info.get('transparency')
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{path}: expected a PNG, the file is broken or cut off') from error
    if too_large:
        raise ValueError(
            f'{path}: the label map is too large: {image.height}x{image.width} (height x width), '
            f'of at most {MOST_PIXELS} pixels'
        )
    if colour_type not in (GREY, PALETTE):
        if not colours:
            kind = COLOUR_TYPES.get(colour_type, 'unknown')
            raise ValueError(
                f'{path}: expected a label map with one number a pixel (grey or palette PNG), got '
                f'{kind} colours; they have to be turned into label ids first'
            )
        return _of_colours(array, colour_type, depth, path)
    if depth == 16:
        return LabelMap(array.astype(np.uint16))
    if colour_type == PALETTE:
        return LabelMap(array, bytes(palette or ()), transparency)
    if depth == 1:
        return LabelMap(array.astype(np.uint8), one_bit=True)
    return LabelMap(array // (255 // (2**depth - 1)))


def _of_colours(
    array: np.ndarray, colour_type: int, depth: int, path: str | os.PathLike
) -> LabelMap:
    """A label for each colour of a PNG.

    Raises:
        ValueError: if it has other than 8 bits, is partly transparent, or has so many colours that
            it must be a photograph.
    """
    kind = COLOUR_TYPES.get(colour_type, 'unknown')
    expected = f'{path}: expected a label map with one number or one colour for each label, got'
    if depth != 8 or array.ndim != 3:
        raise ValueError(f'{expected} {kind} of {depth} bits')
    if colour_type in (4, 6):
        if (array[..., -1] != 255).any():
            raise ValueError(f'{expected} {kind} that is partly transparent')
        array = array[..., :-1]
    if array.shape[2] == 1:
        return LabelMap(np.ascontiguousarray(array[..., 0]))
    labels = np.zeros(array.shape[:2], np.int32)
    for channel in range(3):
        labels |= array[..., channel].astype(np.int32) << 8 * channel
    seen = np.zeros(2**24, bool)
    for row in labels:
        seen[row] = True
    number = np.count_nonzero(seen)
    if number > max(MOST_COLOURS, labels.size // 50):
        raise ValueError(f'{expected} {number} colours: a photograph, or colours that are blurred')
    return LabelMap(labels, rgb=True)


def _png_header(content: bytes, path: str | os.PathLike) -> tuple[int, int]:
    """Colour type and bits a sample, from the first chunk."""
    header = content[:26]
    if header[:8] != b'\x89PNG\r\n\x1a\n' or len(header) < 26:
        raise ValueError(f'{path}: expected a PNG, the file is broken or of another format')
    return header[25], header[24]
