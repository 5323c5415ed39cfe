"""True instances, read from files of any format that is refined."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ..files.as_coco import ONE_CLASS, has_classes, of_one_class, truth_of
from ..files.coco_annotations import check_segmentations
from ..files.find import IMAGE_SUFFIXES, FileIndex, find_files
from ..refiners import load_image


@dataclass(frozen=True)
class Truth:
    """True instances.

    Attributes:
        content: COCO annotations, of what is judged alone.
        given: The same with the categories that the file has.
        one_class: Whether all are judged as one class, as something that is judged has none.
        remarks: Sentences on what is not judged.
    """

    content: dict[str, Any]
    given: dict[str, Any]
    one_class: bool = False
    remarks: tuple[str, ...] = ()


def read_truth(
    path: str | os.PathLike,
    predictions: Iterable[str | os.PathLike] = (),
    images: str | os.PathLike | None = None,
) -> Truth:
    """True instances of a file or folder of any format that ``mmrefine refine`` takes.

    Args:
        path: The file or folder.
        predictions: What is judged by it.
        images: Folder of images, which say how large they are where ``path`` does not.

    Raises:
        ValueError: if something is broken; the text names it.
    """
    given = truth_of(path, None if images is None else _sizes(images))
    remarks = []
    known = {image['id'] for image in given['images']}
    categories = {category['id'] for category in given['categories']}
    kept, lacking = [], dict.fromkeys(('without a mask', 'of unknown images', 'of no category'), 0)
    for annotation in given['annotations']:
        reason = None if annotation.get('segmentation') else 'without a mask'
        if annotation['image_id'] not in known:
            reason = 'of unknown images'
        elif annotation['category_id'] not in categories:
            reason = 'of no category'
        if reason:
            lacking[reason] += 1
        else:
            kept.append(annotation)
    for reason, number in lacking.items():
        if number:
            remarks.append(f'{path}: {number} annotations {reason} are passed over.')
    given = {**given, 'annotations': kept}
    check_segmentations(kept, given, path)
    if all(map(has_classes, (path, *predictions))):
        return Truth(given, given, remarks=tuple(remarks))
    remarks.append('Masks of Segment Anything have no classes: all are judged as one class.')
    content = {**given, 'annotations': of_one_class(kept), 'categories': ONE_CLASS}
    return Truth(content, given, True, tuple(remarks))


def _sizes(images: str | os.PathLike) -> Callable[[str], tuple[int, int]]:
    """What tells the size of an image by its name."""
    files = find_files(images, IMAGE_SUFFIXES)
    index = FileIndex([(key, file) for file in files for key in (file.name, file.relative)])

    def size_of(name: str) -> tuple[int, int]:
        try:
            shape = load_image(index.find(name).path).shape
        except LookupError as error:
            raise ValueError(f'{name}: its image in {images}: {error}') from error
        return shape[0], shape[1]

    return size_of
