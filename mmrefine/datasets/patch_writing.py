"""Writing boundary patches to disk, in the layout of the released BPR code.

``img_dir``, ``mask_dir`` and ``ann_dir`` hold a PNG a patch, named ``instance * 100000 + patch``;
``detail_dir`` a text file an instance, which says where its patches lie. It is written last: an
instance that has one is complete, so that a run that was stopped can go on. ``settings_train.json``
keeps what the patches of a split were made of and how, so that no others come among them.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..files.images import decode_image
from ..files.instances import ImageEntry, Instance, read_annotations, read_coarse
from ..files.json_files import read_json
from ..files.whole_files import write_whole_file
from ..runs.pool import in_processes
from .patch_cutting import find_patches, match_instances

FOLDERS = ('img_dir', 'mask_dir', 'ann_dir', 'detail_dir')
PATCHES_AN_INSTANCE = 100000


@dataclass(frozen=True)
class PatchSettings:
    """How patches are cut out and where they go.

    Attributes:
        images: Folder of the images.
        out: Folder of the patches.
        split: Subfolder, ``'train'`` or ``'val'``.
        patch_size: Side of a patch in pixels.
        padding: Pixels around it that are cut out as well.
        iou_threshold: NMS threshold of the boxes.
        min_iou: Instances whose best true instance of the same category is not above are left out
            (published: 0.5 for training); ``None`` takes all, with an empty true mask where there
            is none.
    """

    images: str
    out: str
    split: str = 'train'
    patch_size: int = 64
    padding: int = 0
    iou_threshold: float = 0.25
    min_iou: float | None = 0.5

    def path(self, folder: str, name: str) -> str:
        """Of a file in one of ``FOLDERS``."""
        return f'{self.out}/{folder}/{self.split}/{name}'


class ImageTask(NamedTuple):
    """An image and its coarse instances, by their number in the results."""

    image: ImageEntry
    coarse: dict[int, Instance]


class Outcome(NamedTuple):
    """What became of an image: instances seen, patches written, what went wrong."""

    instances: int
    patches: int
    problem: str | None = None


def patch_tasks(ann_file: str, coarse: str) -> list[ImageTask]:
    """Images with coarse instances.

    Raises:
        ValueError: if a file is missing or broken.
    """
    images = read_annotations(ann_file)
    by_image = read_coarse(coarse, images)
    tasks, number = [], 0
    for image in images:
        found = by_image.get(image.image_id, [])
        if found:
            tasks.append(ImageTask(image, dict(enumerate(found, number))))
        number += len(found)
    return tasks


def write_patches(
    tasks: Sequence[ImageTask], settings: PatchSettings, workers: int = 0
) -> Iterator[Outcome]:
    """Write the patches of many images, in parallel.

    Args:
        tasks: What ``patch_tasks`` gives.
        settings: How and where.
        workers: Most processes; with 1 or less, this one does all the work.

    Yields:
        One outcome an image, in order. An image that cannot be read, and a mask that is
        broken, are told there; the others go on.

    Raises:
        ValueError: before anything is written, if there are patches that were made of other
            instances, with other settings, or nobody knows how.
    """
    _keep_settings(tasks, settings)
    yield from in_processes(partial(write_image_patches, settings=settings), tasks, workers)


def _keep_settings(tasks: Sequence[ImageTask], settings: PatchSettings) -> None:
    """Make the folders, and note what comes into them; refuse to mix it with other patches."""
    for folder in FOLDERS:
        Path(settings.path(folder, '')).mkdir(parents=True, exist_ok=True)
    path = Path(settings.out) / f'settings_{settings.split}.json'
    names = ('patch_size', 'padding', 'iou_threshold', 'min_iou')
    own = {name: getattr(settings, name) for name in names} | {'instances': _digest(tasks)}
    if path.is_file():
        kept = read_json(path)
        different = [name for name, value in own.items() if kept.get(name, value) != value]
        if different:
            said = ', '.join(
                'other instances'
                if name == 'instances'
                else f'{name} {kept[name]} instead of {own[name]}'
                for name in different
            )
            raise ValueError(
                f'{settings.out}: holds {settings.split} patches made with {said}; take another '
                'folder, or remove them'
            )
        return
    if any(Path(settings.path('detail_dir', '')).iterdir()):
        raise ValueError(
            f'{settings.out}: holds {settings.split} patches, and no {path.name} that says how '
            'they were made; take another folder, or remove them'
        )
    write_whole_file(path, json.dumps(own, indent=1).encode())


def _digest(tasks: Sequence[ImageTask]) -> str:
    """What tells the instances of one run from those of another, in whichever folder they lie."""
    digest = hashlib.sha256()
    for image, coarse in tasks:
        for number, (category, mask, _) in coarse.items():
            source = Path(mask).name if isinstance(mask, str) else mask
            digest.update(repr((image.file_name, number, category, source)).encode())
        for category, mask, crowd in image.instances:
            digest.update(repr((category, mask, crowd)).encode())
    return digest.hexdigest()


def _missing(task: ImageTask, settings: PatchSettings) -> dict[int, Instance]:
    return {
        number: instance
        for number, instance in task.coarse.items()
        if not Path(settings.path('detail_dir', f'{number}.txt')).exists()
    }


def write_image_patches(task: ImageTask, settings: PatchSettings) -> Outcome:
    """Write the patches of the instances of one image that have none yet."""
    missing = _missing(task, settings)
    if not missing:
        return Outcome(len(task.coarse), 0)
    path = f'{settings.images}/{task.image.file_name}'
    try:
        image = decode_image(Path(path).read_bytes(), 'it')
        patches = _write_instances(image, task.image, missing, settings)
    except (ValueError, OSError) as error:
        return Outcome(len(task.coarse), 0, f'{path}: {error}')
    return Outcome(len(task.coarse), patches)


def _write_instances(
    image: np.ndarray, entry: ImageEntry, missing: dict[int, Instance], settings: PatchSettings
) -> int:
    size_hw = image.shape[:2]
    least = -1 if settings.min_iou is None else settings.min_iou
    matches = match_instances(list(missing.values()), entry.instances, size_hw, max(least, 0))
    written = 0
    for (number, instance), match in zip(missing.items(), matches, strict=True):
        if match is None and settings.min_iou is not None:
            continue
        truth = None if match is None else entry.instances[match].run_lengths(size_hw)
        found = find_patches(
            instance.run_lengths(size_hw),
            truth,
            settings.patch_size,
            settings.padding,
            settings.iou_threshold,
        )
        side = settings.patch_size + 2 * settings.padding
        patches = found.cut(image, slice(None), side, settings.padding)
        _write_pngs(number, patches, settings)
        _write_detail(number, entry.file_name, instance.category, found.boxes, settings)
        written += len(found.boxes)
    return written


def _write_pngs(
    number: int, patches: tuple[np.ndarray, np.ndarray, np.ndarray], settings: PatchSettings
) -> None:
    for folder, kind in zip(FOLDERS, patches, strict=False):
        for index, patch in enumerate(kind):
            name = f'{number * PATCHES_AN_INSTANCE + index}.png'
            pixels = patch if patch.ndim == 3 else patch.view(np.uint8) * 255
            if not cv2.imwrite(settings.path(folder, name), pixels):
                raise OSError(f'cannot write {settings.path(folder, name)}')


def _write_detail(
    number: int, file_name: str, category: int, boxes: np.ndarray, settings: PatchSettings
) -> None:
    """A Python dictionary, as the released code reads it."""
    sides = boxes[:, 2:] - boxes[:, :2]
    detail: dict[str, Any] = dict(
        image_name=file_name,
        category=dict(id=category),
        patches=[number * PATCHES_AN_INSTANCE + index for index in range(len(boxes))],
        hlist=list(zip(boxes[:, 1].tolist(), sides[:, 1].tolist(), strict=True)),
        wlist=list(zip(boxes[:, 0].tolist(), sides[:, 0].tolist(), strict=True)),
    )
    write_whole_file(settings.path('detail_dir', f'{number}.txt'), repr(detail).encode())
