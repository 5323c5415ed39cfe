"""COCO's run lengths and polygons ↔ masks.

pycocotools or faster-coco-eval does the work; either has the same functions.
"""

import importlib
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from typing import Any

import cv2
import numpy as np

# Coordinates of polygons may be as many image sides away.
FAR = 10
MASK_MODULES = ('pycocotools.mask', 'faster_coco_eval.core.mask')


@cache
def mask_codec() -> ModuleType:
    """The module that knows COCO's run lengths.

    Raises:
        ImportError: if neither pycocotools nor faster-coco-eval is installed.
    """
    for name in MASK_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ImportError('COCO masks need pycocotools or faster-coco-eval: pip install pycocotools')


def decode_mask(segmentation: Any, size_hw: tuple[int, int]) -> np.ndarray:
    """Run lengths (compressed or not) or polygons → bool (H, W).

    Raises:
        ValueError: if they are broken, or of another size than the image.
    """
    runs = _uncompressed(run_lengths(segmentation, size_hw)['counts'])
    mask = np.zeros(size_hw, bool)
    # The codec would fill the whole image; zeros that nobody touches cost nothing.
    places, height = np.cumsum(runs), size_hw[0]
    starts, ends = places[: len(runs) // 2 * 2 : 2], places[1::2]
    if len(ends) == 0 or starts[0] == ends[-1]:
        return mask
    left, right = int(starts[0]) // height, (int(ends[-1]) - 1) // height + 1
    steps = np.zeros((right - left) * height + 1, np.int8)
    np.add.at(steps, starts - left * height, 1)
    np.add.at(steps, ends - left * height, -1)
    columns = np.cumsum(steps[:-1], dtype=np.int8).view(bool).reshape(-1, height)
    rows = np.flatnonzero(columns.any(0))
    part = slice(rows[0], rows[-1] + 1)
    mask[part, left:right] = columns[:, part].T
    return mask


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """Mask (H, W), anything but 0 is object → compressed run lengths, ready for JSON."""
    size = [int(side) for side in mask.shape]
    binary = mask if mask.dtype in (np.bool_, np.uint8) else mask != 0
    box = cv2.boundingRect(np.ascontiguousarray(binary).view(np.uint8))
    counts = _runs_of_part(binary, box)
    encoded = mask_codec().frPyObjects(dict(size=size, counts=counts), *size)['counts']
    return dict(
        size=size, counts=encoded.decode('ascii') if isinstance(encoded, bytes) else encoded
    )


def _runs_of_part(mask: np.ndarray, box_xywh: Sequence[int]) -> list[int]:
    """Runs of a mask (H, W), column by column, whose object lies in a box."""
    left, top, width, height = box_xywh
    columns = np.zeros((width, height + 2), np.int8)  # with a pixel of background at both ends
    columns[:, 1:-1] = mask[top : top + height, left : left + width].T != 0
    column, row = np.nonzero(np.diff(columns, axis=1))
    places = (left + column) * mask.shape[0] + top + row  # where objects start and end, in turns
    touches = np.flatnonzero(places[1:-1:2] == places[2::2]) * 2 + 1  # the next column goes on
    places = np.delete(places, [touches, touches + 1])
    runs = np.diff(places, prepend=0, append=mask.size).tolist()
    return runs if runs[-1] or len(runs) == 1 else runs[:-1]


def run_lengths(segmentation: Any, size_hw: tuple[int, int]) -> dict[str, Any]:
    """Any COCO segmentation → checked compressed run lengths, as the codec takes them.

    Raises:
        ValueError: if it is broken, or of another size than the image.
    """
    codec = mask_codec()
    height, width = size_hw
    if segmentation is None:
        raise ValueError('there is no segmentation')
    try:
        if isinstance(segmentation, list):
            polygons, _ = whole_polygons(segmentation, size_hw)
            return codec.merge(codec.frPyObjects(polygons, height, width))
        size, counts = tuple(segmentation['size']), segmentation['counts']
        if size != (height, width):
            raise ValueError(
                f'size {size} is not the size {(height, width)} of the image (height, width)'
            )
        if isinstance(counts, list):
            if not all(type(count) is int for count in counts):
                raise ValueError('its runs must be whole numbers')
            if sum(counts) != height * width or min(counts) < 0:
                raise ValueError(f'its runs do not add up to {height} x {width} pixels')
            return codec.frPyObjects(segmentation, height, width)
        data = counts.encode('ascii') if isinstance(counts, str) else counts
        _check_compressed(data, height * width)
        return dict(size=[height, width], counts=data)
    except (KeyError, TypeError, AttributeError, UnicodeError) as error:
        raise ValueError('expected run lengths {size, counts} or polygons') from error


def whole_polygons(polygons: list[Any], size_hw: tuple[int, int]) -> tuple[list[list[float]], int]:
    """The parts of a polygon that have an area, as COCO's lists [x1, y1, x2, y2, x3, y3, ...].

    Args:
        polygons: A list of parts. A flat list of numbers, or a list of points [x, y], is one part.
        size_hw: Size of the image; what reaches far beyond it, the decoders cannot take.

    Returns:
        The parts, and how many were left out: those of fewer than three points.

    Raises:
        ValueError: if there is no part with an area, or one is broken.
    """
    if polygons and all(isinstance(value, int | float) for value in polygons):
        polygons = [polygons]
    elif len(polygons) > 2 and all(
        isinstance(part, list | tuple) and len(part) == 2 for part in polygons
    ):
        polygons = [[value for point in polygons for value in point]]
    parts = []
    farthest = FAR * max(*size_hw, 100)
    for part in polygons:
        if len(part) % 2 or not all(isinstance(value, int | float) for value in part):
            raise ValueError('expected polygons [x1, y1, x2, y2, x3, y3, ...]')
        far = [value for value in part if not abs(value) <= farthest]  # NaN, too
        if far:
            height, width = size_hw
            raise ValueError(
                f'expected polygons in the image of {height} x {width} (height x width), one has '
                f'a coordinate of {far[0]}'
            )
        if len(part) >= 6:
            parts.append(list(part))
    if not parts:
        raise ValueError(
            'expected at least one polygon [x1, y1, x2, y2, x3, y3, ...] of three points'
        )
    return parts, len(polygons) - len(parts)


def _check_compressed(data: bytes, pixels: int) -> None:
    """Refuse compressed run lengths that do not fill the image: the decoders trust them."""
    runs = _uncompressed(data)
    if len(runs) == 0 or runs.min() < 0 or runs.sum() != pixels:
        raise ValueError(f'its compressed runs are broken or do not add up to {pixels} pixels')


def _uncompressed(data: bytes | str) -> np.ndarray:
    """Runs, int64, of COCO's compressed text; none of a text that is broken."""
    text = data.encode('ascii') if isinstance(data, str) else data
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    # The last code of a run has no bit 5; longer than 6 codes is more than any image has.
    ends = np.flatnonzero((codes & 32) == 0)
    if len(ends) == 0 or ends[-1] != len(codes) - 1 or codes.min() < 0 or codes.max() > 63:
        return np.zeros(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    shifts = 5 * (np.arange(len(codes)) - np.repeat(starts, ends - starts + 1))
    if shifts.max() > 30:
        return np.zeros(0, np.int64)
    values = np.add.reduceat((codes & 31) << shifts, starts)
    values -= np.where(codes[ends] & 16, 1 << (shifts[ends] + 5), 0)
    # From the fourth run on, the difference to the run before the last is stored.
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs
