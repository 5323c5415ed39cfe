"""COCO annotations and results, checked before an evaluator sees them."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..ops.run_lengths import run_lengths
from .json_files import read_json


def read_annotation_file(path: str | os.PathLike) -> dict[str, Any]:
    """Read COCO annotations.

    Raises:
        ValueError: if there is no such file or it holds something else. The text names the file.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(
            f'{path}: expected COCO annotations, an object with images, annotations and '
            f'categories, got a {type(content).__name__}; are results and annotations swapped?'
        )
    try:
        for image in content['images']:
            _ = image['id'], int(image['height']), int(image['width'])
        for annotation in content['annotations']:
            _ = annotation['image_id'], annotation['category_id'], annotation['segmentation']
        for category in content['categories']:
            _ = category['id'], category['name']
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path}: expected COCO annotations of masks, {error} missing') from error
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
