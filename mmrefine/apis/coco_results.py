"""Instance masks in COCO result files: a JSON list of detections with ``segmentation``.

Masks may be run lengths, compressed or not, or polygons; refined ones are written as compressed
run lengths. The order and everything but ``segmentation`` stays as it is, boxes and scores
included, and so does the ``segmentation`` of a mask that refining leaves alone.
"""

import importlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .whole_files import write_whole_file

Result = dict[str, Any]
# Either has the same functions.
MASK_MODULES = ('pycocotools.mask', 'faster_coco_eval.core.mask')


def mask_codec() -> ModuleType:
    """Return the module that knows COCO's run lengths.

    Raises:
        ValueError: if neither pycocotools nor faster-coco-eval is installed.
    """
    for name in MASK_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise ValueError(
        'COCO result files need pycocotools or faster-coco-eval: pip install pycocotools'
    )


def read_results(path: str | os.PathLike) -> list[Result]:
    """Read a COCO result file with masks.

    Raises:
        ValueError: if there is no such file, or it is broken or no list of detections with masks.
            The text names the file and what is expected.
    """
    content = _read_json(path)
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected COCO results, a list of detections, got {type(content).__name__}'
        )
    for index, entry in enumerate(content):
        if not isinstance(entry, dict) or not {'image_id', 'segmentation'} <= entry.keys():
            raise ValueError(
                f'{path}: entry {index}: expected COCO results with image_id and segmentation '
                '(a result file of masks, not of boxes)'
            )
        if not isinstance(entry['image_id'], int | str):
            raise ValueError(f'{path}: entry {index}: image_id must be a number or a text')
    return content


def write_results(path: str | os.PathLike, results: Sequence[Result]) -> None:
    """Write a COCO result file.

    Raises:
        OSError: if the file cannot be written; nothing is left of it then.
    """
    write_whole_file(path, json.dumps(results).encode())


def read_image_names(path: str | os.PathLike) -> dict[Any, str]:
    """Read which file each image id stands for.

    Args:
        path: A COCO annotation file; only ``images`` is needed.

    Returns:
        File name by image id.

    Raises:
        ValueError: if there is no such file, or it is broken or has no list of images.
    """
    content = _read_json(path)
    try:
        names = {image['id']: image['file_name'] for image in content['images']}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'{path}: expected COCO annotations with images, each with id and file_name'
        ) from error
    return names


def decode_masks(segmentations: Sequence[Any], size_hw: tuple[int, int]) -> np.ndarray:
    """Turn segmentations into masks.

    Args:
        segmentations: N run lengths (compressed or not) or polygons.
        size_hw: Size of the image.

    Returns:
        uint8 (N, H, W), 0 or 1.

    Raises:
        ValueError: if one is broken or of another size than the image.
    """
    codec = mask_codec()
    masks = np.zeros((len(segmentations), *size_hw), np.uint8)
    for mask, segmentation in zip(masks, segmentations, strict=True):
        mask[:] = codec.decode(_run_lengths(codec, segmentation, size_hw))
    return masks


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """Turn a mask uint8 (H, W) into compressed run lengths, ready for JSON."""
    encoded = mask_codec().encode(np.asfortranarray(mask))
    counts = encoded['counts']
    text = counts.decode('ascii') if isinstance(counts, bytes) else counts
    return dict(size=[int(side) for side in mask.shape], counts=text)


def _run_lengths(codec: ModuleType, segmentation: Any, size_hw: tuple[int, int]) -> Any:
    height, width = size_hw
    try:
        if isinstance(segmentation, list):
            _check_polygons(segmentation)
            return codec.merge(codec.frPyObjects(segmentation, height, width))
        size, counts = tuple(segmentation['size']), segmentation['counts']
        if size != size_hw:
            raise ValueError(f'size {size} is not the size {size_hw} of the image (height, width)')
        if isinstance(counts, list):
            if sum(counts) != height * width or min(counts) < 0:
                raise ValueError(f'its runs do not add up to {height} x {width} pixels')
            return codec.frPyObjects(segmentation, height, width)
        data = counts.encode('ascii') if isinstance(counts, str) else counts
        _check_compressed(data, height * width)
        return dict(size=list(size_hw), counts=data)
    except (KeyError, TypeError, AttributeError, UnicodeError) as error:
        raise ValueError('expected run lengths {size, counts} or polygons') from error


def _check_polygons(polygons: list[Any]) -> None:
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2 or not all(np.isfinite(p) for p in polygon):
            raise ValueError('expected polygons [x1, y1, x2, y2, x3, y3, ...]')
    if not polygons:
        raise ValueError('expected at least one polygon')


def _check_compressed(data: bytes, pixels: int) -> None:
    """Refuse compressed run lengths that do not fill the image: the decoders trust them."""
    runs: list[int] = []
    value = shift = 0
    for byte in data:
        code = byte - 48
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        # From the fourth run on, the difference to the run before the last is stored.
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    if shift or sum(runs) != pixels or min(runs) < 0:
        raise ValueError(f'its compressed runs are broken or do not add up to {pixels} pixels')


def _read_json(path: str | os.PathLike) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f'{path}: cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise ValueError(
            f'{path}: expected JSON, the file is broken or cut off: {error}'
        ) from error
