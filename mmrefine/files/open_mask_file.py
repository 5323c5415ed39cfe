"""Which format a file of instance masks has, seen from its content."""

import os
from pathlib import Path
from typing import Any

from .coco_masks import CocoAnnotations, CocoResults
from .det_results import DetResults
from .json_files import read_json
from .labelme import LabelMe, is_labelme
from .mask_files import MaskFile
from .sam_masks import SamMasks, is_sam_list
from .yolo import YoloLabels

FORMATS = ('coco', 'sam', 'labelme', 'yolo', 'mmdet')
SUFFIXES = ('.json', '.txt', '.pkl', '.pickle')


def open_mask_file(path: str | os.PathLike, format: str | None = None, **options: Any) -> MaskFile:
    """Read a file of instance masks.

    Args:
        path: The file.
        format: One of ``FORMATS``, which it must be of; by default it is seen from what the
            file holds.
        **options: As for ``mmrefine.files.mask_files.MaskFile``.

    Raises:
        ValueError: if the file is broken, or of no known format; the text says what is taken.
    """
    if format is not None and format not in FORMATS:
        raise ValueError(f'format: expected one of {", ".join(FORMATS)}, got {format!r}')
    suffix = Path(path).suffix.lower()
    if format == 'mmdet' or (format is None and suffix in ('.pkl', '.pickle')):
        return DetResults(path, **options)
    if format == 'yolo' or (format is None and suffix == '.txt'):
        return YoloLabels(path, **options)
    return _json_file(path, format)(path, **options)


def _json_file(path: str | os.PathLike, format: str | None) -> Any:
    content = read_json(path)

    def make(path: str | os.PathLike, **options: Any) -> MaskFile:
        return kind(path, content=content, **options)

    kind: Any
    if format == 'labelme' or (format is None and is_labelme(content)):
        kind = LabelMe
    elif format == 'sam' or (format is None and _is_sam(content)):
        kind = SamMasks
    elif isinstance(content, list):
        kind = CocoResults
    elif isinstance(content, dict) and {'images', 'annotations'} <= set(content):
        kind = CocoAnnotations
    else:
        held = type(content).__name__
        if isinstance(content, dict):
            held = f'an object with {", ".join(list(content)[:5]) or "nothing"}'
        raise ValueError(
            f'{path}: expected COCO results (a list of detections) or annotations (an object with '
            'images and annotations), masks of Segment Anything, or shapes of LabelMe, got '
            f'{held}'
        )
    return make


def _is_sam(content: Any) -> bool:
    if isinstance(content, dict):
        return isinstance(content.get('image'), dict) and 'annotations' in content
    return bool(content) and is_sam_list(content)
