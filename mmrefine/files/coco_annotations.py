"""COCO annotations and results, checked before an evaluator sees them."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops.run_lengths import run_lengths
from .json_files import read_json

PARTS = ('images', 'annotations', 'categories')


def read_annotation_file(
    path: str | os.PathLike,
    parts: Sequence[str] = PARTS,
    named: bool = False,
    with_masks: bool = True,
) -> dict[str, Any]:
    """Read COCO annotations, or LVIS's.

    Args:
        path: The JSON file.
        parts: What it must have: ``images``, ``annotations`` with masks, ``categories``. Images
            must have a size where all three are needed.
        named: Whether images must say which file they are; see ``image_name``.
        with_masks: Whether each annotation must have one.

    Raises:
        ValueError: if there is no such file or it holds something else. The text names the file.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(
            f'{path}: expected COCO annotations, an object with {", ".join(parts)}, got a '
            f'{type(content).__name__}; are results and annotations swapped?'
        )
    try:
        for image in content['images']:
            hash(image['id'])
            if 'categories' in parts:
                _check_image(path, image)
            if named:
                image_name(image)
        for annotation in content['annotations'] if 'annotations' in parts else ():
            hash(annotation['image_id'])
            hash(annotation['category_id'])
            _check_numbers(path, annotation)
            _ = annotation['segmentation'] if with_masks else None
        for category in content['categories'] if 'categories' in parts else ():
            hash(category['id'])
            _ = category['name']
    except (KeyError, TypeError, AttributeError) as error:
        what = 'of masks' if 'annotations' in parts else 'with images'
        raise ValueError(f'{path}: expected COCO annotations {what}, {error} missing') from error
    return content


def _check_image(path: str | os.PathLike, image: Mapping[str, Any]) -> None:
    name = image.get('file_name', '')
    if not isinstance(name, str):
        raise ValueError(
            f'{path}: image {image["id"]!r}: expected a text as file_name, got {name!r:.60}'
        )
    for side in ('height', 'width'):
        value = image[side]
        whole = isinstance(value, int | float) and float(value).is_integer()
        if isinstance(value, bool) or not whole or value < 1:
            raise ValueError(
                f'{path}: image {image["id"]!r}: expected a whole number as {side}, got {value!r}'
            )


def _check_numbers(path: str | os.PathLike, annotation: Mapping[str, Any]) -> None:
    of = f'annotation {annotation.get("id", "without id")!r}'
    crowd, area = annotation.get('iscrowd'), annotation.get('area')
    if not (crowd is None or isinstance(crowd, int)):
        raise ValueError(f'{path}: {of}: expected 0 or 1 as iscrowd, got {crowd!r:.60}')
    is_number = isinstance(area, int | float) and not isinstance(area, bool)
    if area is not None and not (is_number and 0 <= area < math.inf):
        raise ValueError(f'{path}: {of}: expected a number of pixels as area, got {area!r:.60}')


def image_name(image: Mapping[str, Any]) -> str:
    """File name of an image of COCO annotations.

    LVIS gives an address instead: the last two parts of it, ``train2017/000000000001.jpg``.

    Raises:
        KeyError: if it has neither.
    """
    if 'file_name' in image:
        return image['file_name']
    return '/'.join(image['coco_url'].split('/')[-2:])


def name_for_people(image: Mapping[str, Any]) -> str:
    """File name of an image, or its number where the annotations name no file."""
    has_name = 'file_name' in image or 'coco_url' in image
    return image_name(image) if has_name else str(image['id'])


def check_segmentations(
    entries: Iterable[dict[str, Any]],
    annotations: dict[str, Any],
    path: str | os.PathLike,
    required: bool = True,
) -> None:
    """Refuse broken masks: the evaluator would trust them, and crash.

    Args:
        entries: Results or annotations; those of unknown images are passed over.
        annotations: COCO annotations, for the sizes of the images.
        path: Where the entries come from, for the message.
        required: Whether each must have a mask.

    Raises:
        ValueError: if a mask is broken or of another size than its image.
    """
    images = {image['id']: image for image in annotations['images']}
    for index, entry in enumerate(entries):
        image = images.get(entry['image_id'])
        if image is None or not (required or entry.get('segmentation')):
            continue
        try:
            run_lengths(entry.get('segmentation'), (image['height'], image['width']))
        except ValueError as error:
            name = name_for_people(image)
            raise ValueError(f'{path}: entry {index}, a mask on {name}: {error}') from error
