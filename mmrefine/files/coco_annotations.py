"""COCO annotations and results, checked before an evaluator sees them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..ops.run_lengths import run_lengths
from .json_files import read_json

PARTS = ('images', 'annotations', 'categories')


def read_annotation_file(
    path: str | os.PathLike, parts: Sequence[str] = PARTS, named: bool = False
) -> dict[str, Any]:
    """Read COCO annotations, or LVIS's.

    Args:
        path: The JSON file.
        parts: What it must have: ``images``, ``annotations`` with masks, ``categories``. Images
            must have a size where all three are needed.
        named: Whether images must say which file they are; see ``image_name``.

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
                _ = int(image['height']), int(image['width'])
            if named:
                image_name(image)
        for annotation in content['annotations'] if 'annotations' in parts else ():
            hash(annotation['image_id'])
            _ = annotation['category_id'], annotation['segmentation']
        for category in content['categories'] if 'categories' in parts else ():
            _ = category['id'], category['name']
    except (KeyError, TypeError, AttributeError) as error:
        what = 'of masks' if 'annotations' in parts else 'with images'
        raise ValueError(f'{path}: expected COCO annotations {what}, {error} missing') from error
    return content


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
    entries: Iterable[dict[str, Any]], annotations: dict[str, Any], path: str | os.PathLike
) -> None:
    """Refuse broken masks: the evaluator would trust them, and crash.

    Args:
        entries: Results or annotations; those of unknown images are passed over.
        annotations: COCO annotations, for the sizes of the images.
        path: Where the entries come from, for the message.

    Raises:
        ValueError: if a mask is broken or of another size than its image.
    """
    images = {image['id']: image for image in annotations['images']}
    for index, entry in enumerate(entries):
        image = images.get(entry['image_id'])
        if image is None:
            continue
        try:
            run_lengths(entry.get('segmentation'), (image['height'], image['width']))
        except ValueError as error:
            name = name_for_people(image)
            raise ValueError(f'{path}: entry {index}, a mask on {name}: {error}') from error
