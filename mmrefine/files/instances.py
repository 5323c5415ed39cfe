"""Reading instance masks: COCO annotations and results, Cityscapes result folders.

Readers give plain records, by image; masks stay encoded until somebody wants them.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..ops.run_lengths import decode_mask, encode_mask, run_lengths
from .coco_annotations import image_name, read_annotation_file
from .json_files import read_json
from .label_maps import read_label_map


class Instance(NamedTuple):
    """One instance of one image.

    Attributes:
        category: Category id.
        segmentation: COCO run lengths or polygons, or the path of a PNG.
        crowd: A region with many objects, not an object.
    """

    category: int
    segmentation: Any
    crowd: bool = False

    def mask(self, size_hw: tuple[int, int]) -> np.ndarray:
        """The mask, bool (H, W).

        Raises:
            ValueError: if it is broken, missing, or of another size than the image.
        """
        if isinstance(self.segmentation, str):
            return read_mask(self.segmentation, size_hw)
        return decode_mask(self.segmentation, size_hw)

    def run_lengths(self, size_hw: tuple[int, int]) -> dict[str, Any]:
        """The mask as COCO's compressed run lengths.

        Raises:
            ValueError: as for ``mask``.
        """
        if isinstance(self.segmentation, str):
            return encode_mask(self.mask(size_hw))
        return run_lengths(self.segmentation, size_hw)


class ImageEntry(NamedTuple):
    """One image of a COCO annotation file, ``size_hw`` None where the file does not say."""

    image_id: Any
    file_name: str
    size_hw: tuple[int, int] | None
    instances: list[Instance]


def read_annotations(path: str | Path) -> list[ImageEntry]:
    """Images and true instances of a COCO annotation file (LVIS's, too).

    Raises:
        ValueError: if the file is missing, cut off, or no annotation file.
    """
    content = read_annotation_file(path, ('images', 'annotations'), named=True)
    by_image = defaultdict(list)
    for entry in content['annotations']:
        crowd = bool(entry.get('iscrowd', False))
        instance = Instance(entry['category_id'], entry['segmentation'], crowd)
        by_image[entry['image_id']].append(instance)
    return [
        ImageEntry(image['id'], image_name(image), _size(image), by_image[image['id']])
        for image in content['images']
    ]


def read_coarse(path: str | Path, images: Sequence[ImageEntry]) -> dict[Any, list[Instance]]:
    """Predicted instances by image id.

    Args:
        path: A COCO result file, or a Cityscapes result folder with ``*_pred.txt``.
        images: The images they belong to.

    Raises:
        ValueError: if there is nothing of the kind, it is broken, or it has images that are
            not among ``images``.
    """
    if Path(path).is_dir():
        return _read_cityscapes_folder(Path(path), images)
    content = read_json(path)
    if not isinstance(content, list):
        raise ValueError(f'{path}: expected COCO results, a list, got {type(content).__name__}')
    known = {image.image_id for image in images}
    by_image = defaultdict(list)
    for index, entry in enumerate(content):
        try:
            image_id = entry['image_id']
            instance = Instance(entry['category_id'], entry['segmentation'])
        except (KeyError, TypeError) as error:
            raise ValueError(
                f'{path}: entry {index}: expected image_id, category_id and segmentation, '
                f'missing: {error}'
            ) from error
        if image_id not in known:
            raise ValueError(
                f'{path}: entry {index}: image_id {image_id!r} is not in the annotations'
            )
        by_image[image_id].append(instance)
    return by_image


def _read_cityscapes_folder(
    folder: Path, images: Sequence[ImageEntry]
) -> dict[Any, list[Instance]]:
    ids = {_frame(Path(image.file_name).stem): image.image_id for image in images}
    lists = sorted(folder.glob('*.txt'))
    if not lists:
        raise ValueError(f'{folder}: expected Cityscapes results, *_pred.txt and PNGs, found none')
    by_image = {}
    for path in lists:
        frame = _frame(path.stem)
        if frame not in ids:
            raise ValueError(f'{path}: there is no image {frame!r} in the annotations')
        by_image[ids[frame]] = [
            Instance(label, str(png)) for png, label, _ in read_prediction_list(path)
        ]
    return by_image


def read_prediction_list(path: str | Path) -> list[tuple[Path, int, float]]:
    """Lines of a Cityscapes ``*_pred.txt``: (PNG, label id, score).

    Raises:
        ValueError: if a line is not ``PNG LABEL SCORE``.
    """
    lines = Path(path).read_text(encoding='utf-8').splitlines()
    return [
        parse_prediction(path, number, line) for number, line in enumerate(lines, 1) if line.strip()
    ]


def parse_prediction(path: str | Path, number: int, line: str) -> tuple[Path, int, float]:
    """One line of the list ``path``: PNG, label id, score.

    Raises:
        ValueError: if it is not ``PNG LABEL SCORE``.
    """
    try:
        name, label, score = line.split()
        return Path(path).parent / name, int(label), float(score)
    except ValueError as error:
        raise ValueError(
            f'{path}: line {number}: expected "PNG LABEL SCORE", got {line!r}'
        ) from error


def read_mask(path: str | Path, size_hw: tuple[int, int]) -> np.ndarray:
    """A mask from an image file, anything but 0 is object: bool (H, W).

    Raises:
        ValueError: if the file is missing, has not one number a pixel, or has another size.
    """
    mask = read_label_map(path).labels
    if mask.shape != tuple(size_hw):
        raise ValueError(f'{path}: size {mask.shape} is not the size {size_hw} of the image')
    return mask != 0


def _frame(stem: str) -> str:
    """What file names of one Cityscapes frame have in common."""
    return stem.removesuffix('_pred').removesuffix('_leftImg8bit')


def _size(image: dict) -> tuple[int, int] | None:
    return (image['height'], image['width']) if 'height' in image and 'width' in image else None
