"""Instances of any format as COCO annotations and results, to be judged.

What images, classes and scores are is seen from each format: classes by number (YOLO, mmdet) are
the categories of the annotations in their order, classes by name (LabelMe) those of that name.
Segment Anything's masks have none: everything is of one class then.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ..ops.run_lengths import encode_mask
from .coco_annotations import name_for_people, read_annotation_file
from .coco_masks import CocoResults
from .find import FoundFile, find_files
from .image_ids import ImageIds
from .json_files import read_json
from .kinds import INSTANCE_SUFFIXES
from .mask_files import MaskFile
from .open_mask_file import SUFFIXES, open_mask_file
from .panoptic import PanopticFiles, names_segments
from .sam_masks import is_sam_list

SizeOf = Callable[[str], tuple[int, int]]
ONE_CLASS = [dict(id=1, name='object')]


def open_all(path: str | os.PathLike) -> Iterator[tuple[str, MaskFile]]:
    """The files of instances in a folder, or one; with their names below it, without suffix."""
    if not Path(path).is_dir():
        yield Path(path).stem, open_mask_file(path)
        return
    for file in find_files(path, SUFFIXES):
        if file.path.name != 'classes.txt':  # of YOLO's tools, the names of classes
            yield file.name, open_mask_file(file.path)


def truth_of(path: str | os.PathLike, size_of: SizeOf | None = None) -> dict[str, Any]:
    """True instances as COCO annotations.

    Args:
        path: COCO or LVIS annotations; COCO's panoptic annotations; a file of LabelMe or Segment
            Anything, or YOLO's labels; or a folder of them.
        size_of: (H, W) of an image by its name, which YOLO's labels do not have.

    Returns:
        COCO annotations. Those without a mask are there as well.

    Raises:
        ValueError: if a file is broken, holds something else, or sizes are missing. The text names
            it.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() in INSTANCE_SUFFIXES:
        return _gathered(path, size_of)
    if names_segments(path):
        return PanopticFiles(path).as_instances()
    content = read_json(path)
    of_one_image = isinstance(content, dict) and ('shapes' in content or 'image' in content)
    if of_one_image or (content and is_sam_list(content)):
        return _gathered(path, size_of)
    return read_annotation_file(path, with_masks=False)


def _gathered(path: Path, size_of: SizeOf | None) -> dict[str, Any]:
    """COCO annotations of files without ids: images are known by their names."""
    images: dict[str, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    names: dict[Any, int] = {}
    for name, file in open_all(path):
        for of_image in file.images():
            called = name if of_image.image_id == file.path.stem else str(of_image.image_id)
            size = file.size_hw or (size_of(called) if size_of else None)
            if size is None:
                raise ValueError(
                    f'{file.path}: does not say how large its image is; name the images (--images)'
                )
            height, width = size
            images[called] = dict(id=called, file_name=called, height=height, width=width)
            for place, mask in of_image.masks.items():
                label = file.described(place)[0] if file.classes else 'object'
                try:
                    coded = encode_mask(file.decode(mask, size))
                except ValueError as error:
                    raise ValueError(f'{file.path}: {file.words[0]} {place}: {error}') from error
                number = int(label) + 1 if file.classes == 'numbers' else len(names) + 1
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        image_id=called,
                        category_id=names.setdefault(label, number),
                        segmentation=coded,
                        iscrowd=0,
                    )
                )
    categories = [dict(id=number, name=str(label)) for label, number in names.items()]
    return dict(images=list(images.values()), annotations=annotations, categories=categories)


def results_of(path: str | os.PathLike, truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Predicted instances as COCO results.

    Args:
        path: COCO results; or anything else that ``mmrefine refine`` takes.
        truth: COCO annotations, whose images and categories are meant.

    Raises:
        ValueError: if a file is broken, or has images or classes that the annotations do not have.
            The text names it.
    """
    if names_segments(path):
        found = PanopticFiles(path).as_instances()['annotations']
        return [{**entry, 'score': 1.0} for entry in found]
    sizes = {image['id']: (image['height'], image['width']) for image in truth['images']}
    ids = _ids_by_name(truth['images'])
    results: list[dict[str, Any]] = []
    for name, file in open_all(path):
        if isinstance(file, CocoResults):
            return file.entries
        category_of = _categories(file, truth['categories'])
        for of_image in file.images():
            called = name if of_image.image_id == file.path.stem else of_image.image_id
            image_id = called
            if file.names is None or called not in sizes:
                image_id = ids(file, file.names[called] if file.names else called)
            for place, mask in of_image.masks.items():
                try:
                    coded = encode_mask(file.decode(mask, sizes[image_id]))
                    label, score = file.described(place)
                    category = category_of(label)
                except ValueError as error:
                    raise ValueError(f'{file.path}: {file.words[0]} {place}: {error}') from error
                results.append(
                    dict(image_id=image_id, category_id=category, score=score, segmentation=coded)
                )
    return results


def has_classes(path: str | os.PathLike) -> bool:
    """Whether masks in it have classes, as all but Segment Anything's have."""
    if names_segments(path):
        return True
    return next((file.classes is not None for _, file in open_all(path)), True)


def of_one_class(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Annotations or results, all of the category of ``ONE_CLASS``."""
    return [{**entry, 'category_id': ONE_CLASS[0]['id']} for entry in entries]


def _ids_by_name(images: Iterable[Mapping[str, Any]]) -> Callable[[MaskFile, Any], Any]:
    """What finds the id of the image that a file means."""
    ids: dict[Path, Any] = {}
    found = []
    for image in images:
        name = name_for_people(image).replace('\\', '/')
        ids[Path(name)] = image['id']
        found.append(FoundFile(Path(name), name, str(PurePosixPath(name).with_suffix(''))))
    by_name = ImageIds(found, None)

    def find(file: MaskFile, name: Any) -> Any:
        try:
            return ids[by_name.find(name).path]
        except LookupError as error:
            raise ValueError(f'{file.path}: its image {name!r} {error}') from error

    return find


def _categories(file: MaskFile, categories: list[dict[str, Any]]) -> Callable[[Any], Any]:
    """What finds the category id of a class as the file calls it."""
    if file.classes is None:
        return lambda _: ONE_CLASS[0]['id']
    known: Mapping[Any, Any] = {c['id']: c['id'] for c in categories}
    if file.classes == 'names':
        known = {c['name']: c['id'] for c in categories}
    elif file.classes == 'numbers':
        known = {number: c['id'] for number, c in enumerate(categories)}
        if categories and all(str(c['name']).isdecimal() for c in categories):
            known = {int(c['name']): c['id'] for c in categories}  # of YOLO's own numbers

    def find(label: Any) -> Any:
        if label not in known:
            raise ValueError(
                f'class {label!r} is not in the annotations, which have '
                f'{", ".join(map(repr, list(known)[:10]))}'
            )
        return known[label]

    return find
