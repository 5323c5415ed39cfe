"""A Cityscapes result folder: ``*_pred.txt`` and a PNG an instance in, the same out.

Names, labels, scores and their order stay as they are. A list is copied byte for byte when all
masks of its image are written, so an interrupted run goes on where it stopped.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..datasets.instance_files import read_prediction_list
from .image_files import IMAGE_SUFFIXES, FileIndex, FoundFile, find_files
from .label_files import LabelMap, read_label_map, write_label_map
from .refine_source import OpenedImage, Source
from .refine_tasks import Change
from .whole_files import write_whole_file

LIST_END = '_pred.txt'
# Masks read at a time, so that hundreds of them on a large image fit in memory.
CHUNK = 32


@dataclass(frozen=True)
class CityscapesTask:
    """The instances of one image.

    Attributes:
        predictions: The list, ``*_pred.txt``.
        image: The image, or why there is none.
        out: Folder of the refined result.
        source: What refines.
    """

    predictions: Path
    image: FoundFile | str
    out: Path
    source: Source

    @property
    def name(self) -> str:
        """The list, for messages."""
        return str(self.predictions)

    def is_done(self) -> bool:
        """Whether the list is there, the last thing written, and nothing of it failed."""
        return (self.out / self.predictions.name).is_file() and not self._failed.exists()

    @property
    def _failed(self) -> Path:
        """A file that says so."""
        return self.out / f'.{self.predictions.name}.failed'

    def run(self) -> Change:
        """Refine the masks and write them and the list.

        Masks that are broken are copied as they are and told in the outcome.

        Raises:
            ValueError: if there is no image or the list is broken; coarse masks are copied then.
        """
        pngs = [png for png, _, _ in read_prediction_list(self.predictions)]
        broken: list[str] = []
        try:
            if isinstance(self.image, str):
                raise ValueError(self.image)
            change = self._refine(
                pngs, self.source.open(self.image.path, [self.image.name]), broken
            )
        except (ValueError, RuntimeError, MemoryError, cv2.error):
            self._copy(pngs)
            self._finish(complete=False)
            raise
        self._finish(complete=not broken)
        return change

    def _refine(self, pngs: Sequence[Path], opened: OpenedImage, broken: list[str]) -> Change:
        changed = area = 0
        for start in range(0, len(pngs), CHUNK):
            found: dict[Path, LabelMap] = {}
            for png in pngs[start : start + CHUNK]:
                try:
                    if not _is_inside(self._target(png), self.out):
                        raise ValueError(f'{png} lies outside of {self.predictions.parent}')
                    found[png] = _read_mask(png, opened)
                except ValueError as error:
                    broken.append(f'{self.predictions.name}: {error}')
                    self._copy([png])
            if not found:
                continue
            coarse = np.stack([form.labels for form in found.values()])
            refined = opened.refine(coarse)
            for (png, form), mask in zip(found.items(), refined, strict=True):
                write_label_map(self._target(png), mask.astype(form.labels.dtype), form)
            changed += int(np.count_nonzero(coarse != refined))
            area += int(np.count_nonzero(coarse))
        return Change(changed, area, failed=tuple(broken))

    def _target(self, png: Path) -> Path:
        return self.out / os.path.relpath(png, self.predictions.parent)

    def _copy(self, pngs: Sequence[Path]) -> None:
        for png in pngs:
            target = self._target(png)
            if png.is_file() and _is_inside(target, self.out):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(png, target)

    def _finish(self, complete: bool) -> None:
        if complete:
            self._failed.unlink(missing_ok=True)
        else:
            write_whole_file(self._failed, b'')
        write_whole_file(self.out / self.predictions.name, self.predictions.read_bytes())


def cityscapes_tasks(
    images: str | os.PathLike,
    results: str | os.PathLike,
    out: str | os.PathLike,
    source: Source,
) -> list[CityscapesTask]:
    """Bring lists and images together by name: ``X_pred.txt`` belongs to ``X.png``.

    Args:
        images: Folder, file or pattern of images.
        results: Folder with the lists and masks.
        out: Folder for the refined ones.
        source: What refines.

    Raises:
        ValueError: if there are no images, or ``out`` would overwrite the input.
    """
    folder, target = Path(results), Path(out)
    if target.exists() and not target.is_dir():
        raise ValueError(f'{out}: expected a folder, it is a file')
    if _is_inside(target, folder):
        raise ValueError(f'{out}: expected a folder outside of {results}, which holds inputs')
    found = find_files(images, IMAGE_SUFFIXES)
    index = FileIndex([(Path(image.full_name).name, image) for image in found])
    tasks = []
    for path in sorted(folder.glob(f'*{LIST_END}')):
        image: FoundFile | str
        try:
            image = index.find(path.name.removesuffix(LIST_END))
        except LookupError as error:
            image = f'{path}: {error}'
        tasks.append(CityscapesTask(path, image, target, source))
    return tasks


def is_cityscapes_folder(path: str | os.PathLike) -> bool:
    """Whether a folder has lists of instances."""
    return Path(path).is_dir() and any(Path(path).glob(f'*{LIST_END}'))


def _read_mask(png: Path, opened: OpenedImage) -> LabelMap:
    form = read_label_map(png)
    if form.labels.dtype not in (np.uint8, np.bool_):
        raise ValueError(f'{png}: expected an 8-bit mask, got {form.labels.dtype}')
    if form.labels.shape != opened.size_hw:
        height, width = opened.size_hw
        raise ValueError(
            f'{png}: expected the size of {opened.origin}, {height}x{width} (height x width), '
            f'got {form.labels.shape[0]}x{form.labels.shape[1]}'
        )
    return form


def _is_inside(path: Path, folder: Path) -> bool:
    return folder.resolve() in [path.resolve(), *path.resolve().parents]
