"""Label maps in TIFF and GeoTIFF files; where they lie on the earth is kept. Needs tifffile."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

# Pixel scale, tie points, transformation, the three of geo keys; GDAL's metadata and "no data".
KEPT_TAGS = (33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)
DEFLATE = 8


@dataclass(frozen=True)
class TiffForm:
    """How a label map was stored.

    Attributes:
        tags: Code, type, count and value of what is kept.
        colormap: uint16 (3, 256) of a palette.
        tile: Rows and columns of its tiles.
        compressed: Whether it was compressed; it is written with Deflate then.
        big: Whether it was a BigTIFF.
    """

    tags: list[tuple[int, int, int, Any]] = field(default_factory=list)
    colormap: np.ndarray | None = None
    tile: tuple[int, int] | None = None
    compressed: bool = False
    big: bool = False


def read_tiff_labels(path: Path) -> tuple[np.ndarray, TiffForm]:
    """Labels (H, W) of a TIFF, and its form.

    Raises:
        ValueError: if it is broken, has several bands, images or floats. The text names it.
        ImportError: if tifffile is not installed.
    """
    tifffile = _tifffile()
    try:
        with tifffile.TiffFile(path) as file:
            page: Any = file.pages[0]
            others = [other for other in file.pages[1:] if not other.is_reduced]
            shape, dtype = page.shape, np.dtype(page.dtype or 'V1')
            fits = len(shape) == 2 and dtype.kind in 'iub' and not others
            labels = page.asarray() if fits else None
            form = _form(file, page)
    except Exception as error:  # readers fail in many ways on broken files
        hint = ' (pip install imagecodecs reads more)' if 'imagecodecs' in str(error) else ''
        raise ValueError(f'{path}: expected a TIFF: {str(error)[:200]}{hint}') from error
    if labels is None:
        raise ValueError(
            f'{path}: expected a label map, a TIFF of one image with one band of integers, got '
            f'{len(others) + 1} of shape {shape}, {dtype}'
        )
    return labels.astype(dtype.newbyteorder('=')), form


def _form(file: Any, page: Any) -> TiffForm:
    tags = [page.tags[code] for code in KEPT_TAGS if code in page.tags]
    return TiffForm(
        [(tag.code, int(tag.dtype), tag.count, _raw(tag)) for tag in tags],
        page.colormap,
        (page.tilelength, page.tilewidth) if page.is_tiled else None,
        int(page.compression) != 1,
        file.is_bigtiff,
    )


def _raw(tag: Any) -> Any:
    """The value as it is written: GDAL's texts are read as texts."""
    return tag.value


def write_tiff(file: IO[bytes], labels: np.ndarray, form: TiffForm) -> None:
    """Write labels (H, W) into an open file, tile by tile, in the form of another TIFF."""
    photometric = 'minisblack' if form.colormap is None else 'palette'
    _tifffile().imwrite(
        file,
        labels,
        bigtiff=form.big,
        photometric=photometric,
        colormap=form.colormap,
        tile=form.tile,
        compression=DEFLATE if form.compressed else None,
        extratags=[(*tag, True) for tag in form.tags],
        metadata=None,
    )


def _tifffile() -> Any:
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            'label maps in TIFF files need tifffile; install it with "pip install tifffile"'
        ) from error
    return tifffile
