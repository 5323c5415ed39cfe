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
``.npy``                    as stored       any integer dtype, or bool
==========================  ==============  ===================================================
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .whole_files import write_whole_file

LABEL_SUFFIXES = ('.png', '.npy')
# The colour types of the PNG specification, by their number in the header.
GREY, PALETTE = 0, 3
COLOUR_TYPES = {GREY: 'grey', 2: 'RGB', PALETTE: 'palette', 4: 'grey + alpha', 6: 'RGB + alpha'}


@dataclass(frozen=True)
class LabelMap:
    """A label map and the form of the file it came from.

    Attributes:
        labels: (H, W), an integer dtype or bool.
        palette: The colours of a palette PNG, RGB bytes.
        transparency: What a palette PNG says of transparent indices.
        one_bit: Whether the PNG has one bit a pixel.
    """

    labels: np.ndarray
    palette: bytes | None = None
    transparency: bytes | int | None = None
    one_bit: bool = False


def read_label_map(path: str | os.PathLike) -> LabelMap:
    """Read a label map.

    Args:
        path: ``.png`` or ``.npy`` file.

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
        return _read_png(path)
    raise ValueError(f'{path}: expected a label map as .png or .npy, got {path.suffix or "none"}')


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
    content = io.BytesIO()
    if Path(path).suffix.lower() == '.npy':
        np.save(content, labels)
    else:
        image = Image.fromarray(labels.astype(bool) if form.one_bit else labels)
        options = {}
        if form.palette is not None:
            image.putpalette(form.palette)
            if form.transparency is not None:
                options['transparency'] = form.transparency
        image.save(content, format='PNG', **options)
    write_whole_file(path, content.getvalue())


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


def _read_png(path: Path) -> LabelMap:
    return decode_label_map(path.read_bytes(), path)


def decode_label_map(content: bytes, path: str | os.PathLike) -> LabelMap:
    """A label map from the bytes of a PNG.

    Args:
        content: The bytes.
        path: Where they come from, for messages.

    Raises:
        ValueError: as :func:`read_label_map`.
    """
    colour_type, depth = _png_header(content, path)
    if colour_type not in (GREY, PALETTE):
        raise ValueError(
            f'{path}: expected a label map with one number a pixel (grey or palette PNG), got '
            f'{COLOUR_TYPES.get(colour_type, "unknown")} colours; a coloured picture of labels '
            'has to be turned into label ids first'
        )
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            array = np.asarray(image)
            palette = image.getpalette() if colour_type == PALETTE else None
            transparency = image.info.get('transparency')
    except Image.DecompressionBombError as error:
        raise ValueError(f'{path}: the label map is too large: {error}') from error
    except Exception as error:  # readers fail in many ways on broken files
        raise ValueError(f'{path}: expected a PNG, the file is broken or cut off') from error
    if depth == 16:
        return LabelMap(array.astype(np.uint16))
    if colour_type == PALETTE:
        return LabelMap(array, bytes(palette or ()), transparency)
    if depth == 1:
        return LabelMap(array.astype(np.uint8), one_bit=True)
    return LabelMap(array // (255 // (2**depth - 1)))


def _png_header(content: bytes, path: str | os.PathLike) -> tuple[int, int]:
    """Colour type and bits a sample, from the first chunk."""
    header = content[:26]
    if header[:8] != b'\x89PNG\r\n\x1a\n' or len(header) < 26:
        raise ValueError(f'{path}: expected a PNG, the file is broken or of another format')
    return header[25], header[24]
