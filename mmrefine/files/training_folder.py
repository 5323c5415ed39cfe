"""A folder with one's own images to learn from: what lies where in it."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .find import IMAGE_SUFFIXES, FoundFile, find_files
from .label_maps import read_label_map

LAYOUT = """{folder}: expected
  images/ and labels/ with a PNG of the same name for each image, one number a pixel; or
  images/ and annotations.json, in COCO's format;
with train/ and val/ in each (annotations/train.json and annotations/val.json), if the images that
are trained on shall not be those that are tested on"""


@dataclass(frozen=True)
class TrainingFolder:
    """Images and their masks.

    Attributes:
        root: The folder, absolute.
        images: Folders of images below it, to train on and to validate on; the same twice, where
            they are not apart.
        labels: The same for label maps; None where there are annotations.
        annotations: The same for COCO files; None where there are label maps.
        suffix: How names of images end.
        number: Images to train on.
        size_wh: Median width and height of the first images.
        classes: Labels from 0 to below this number, 255 left out; 0 where there are annotations.
    """

    root: str
    images: tuple[str, str]
    labels: tuple[str, str] | None
    annotations: tuple[str, str] | None
    suffix: str
    number: int
    size_wh: tuple[int, int]
    classes: int

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, where nobody gave others: their numbers."""
        return [str(number) for number in range(self.classes)]


def look_into(folder: str | os.PathLike) -> TrainingFolder:
    """See what a folder holds.

    Raises:
        ValueError: if it is laid out otherwise, images are of several kinds, one has no label map,
            or label maps hold 255 for the object.
    """
    root = Path(folder)
    has_labels = (root / 'labels').is_dir()
    annotations = _annotations(root)
    if not (root / 'images').is_dir() or not (has_labels or annotations):
        raise ValueError(LAYOUT.format(folder=folder))
    parts = ('train', 'val') if (root / 'images' / 'train').is_dir() else ('', '')
    if parts[1] and not (root / 'images' / 'val').is_dir():
        parts = ('train', 'train')
    images = _below('images', parts)
    found = find_files(root / images[0], IMAGE_SUFFIXES)
    suffixes = Counter(file.path.suffix for file in found)
    if len(suffixes) > 1:
        raise ValueError(
            f'{root / images[0]}: expected images of one kind, got {", ".join(sorted(suffixes))}'
        )
    labels = _below('labels', parts) if has_labels and not annotations else None
    return TrainingFolder(
        str(root.resolve()),
        images,
        labels,
        annotations,
        next(iter(suffixes)),
        len(found),
        _size(found),
        _classes(root / labels[0], found) if labels else 0,
    )


def _below(name: str, parts: tuple[str, str]) -> tuple[str, str]:
    first, second = (f'{name}/{part}'.rstrip('/') for part in parts)
    return first, second


def _annotations(root: Path) -> tuple[str, str] | None:
    train, val = 'annotations/train.json', 'annotations/val.json'
    if (root / train).is_file():
        return train, val if (root / val).is_file() else train
    alone = 'annotations.json'
    return (alone, alone) if (root / alone).is_file() else None


def _size(images: list[FoundFile], most: int = 50) -> tuple[int, int]:
    sizes = []
    for file in images[:most]:
        try:
            with Image.open(file.path) as image:
                sizes.append(image.size)
        except OSError as error:
            raise ValueError(f'{file.path}: is not an image, or is incomplete') from error
    width, height = np.median(sizes, axis=0).astype(int).tolist()
    return width, height


def _classes(folder: Path, images: list[FoundFile]) -> int:
    found: set[int] = set()
    for image in images:
        path = folder / f'{image.full_name}.png'
        if not path.is_file():
            raise ValueError(f'{image.path}: expected its label map at {path}, there is none')
        found.update(np.unique(read_label_map(path).labels).tolist())
    if found <= {0, 255} and 255 in found:
        raise ValueError(
            f'{folder}: masks of 0 and 255; 255 means ignored where one trains: write 1 in its '
            'place, for example with numpy: (mask > 0).astype(numpy.uint8)'
        )
    return max(found - {255}, default=0) + 1
