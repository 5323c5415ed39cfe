"""Instance masks in COCO result files: a JSON list of detections with ``segmentation``.

Masks may be run lengths, compressed or not, or polygons; they are written as compressed run
lengths, which is all that COCO's evaluation takes in results. The order and everything but
``segmentation`` stays as it is, boxes and scores included, and so does the ``segmentation`` of a
mask that refining leaves alone.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

from .coco_annotations import image_name, read_annotation_file
from .json_files import read_json
from .whole_files import write_whole_file

Result = dict[str, Any]


def read_results(path: str | os.PathLike) -> list[Result]:
    """Read a COCO result file with masks; single entries may lack theirs.

    Raises:
        ValueError: if there is no such file, or it is broken or no list of detections with masks.
            The text names the file and what is expected.
    """
    return check_results(path, read_json(path))


def check_results(path: str | os.PathLike, content: Any) -> list[Result]:
    """What a file holds, if it is COCO results with masks.

    Raises:
        ValueError: as ``read_results``.
    """
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected COCO results, a list of detections, got {type(content).__name__}'
        )
    for index, entry in enumerate(content):
        if not isinstance(entry, dict) or 'image_id' not in entry:
            raise ValueError(
                f'{path}: entry {index}: expected COCO results, with image_id and segmentation'
            )
        if not _is_id(entry['image_id']):
            raise ValueError(f'{path}: entry {index}: image_id must be a number or a text')
    if content and not any('segmentation' in entry for entry in content):
        raise ValueError(
            f'{path}: no entry has a segmentation; expected a result file of masks, not of boxes'
        )
    return content


def _is_id(value: Any) -> bool:
    """Whether it is a number, as pandas writes it too (139.0), or a text."""
    whole = isinstance(value, float) and value.is_integer()
    return whole or (isinstance(value, int | str) and not isinstance(value, bool))


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
    content = read_annotation_file(path, ('images',), named=True)
    return {image['id']: image_name(image) for image in content['images']}
