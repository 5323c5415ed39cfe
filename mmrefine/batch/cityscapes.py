"""A Cityscapes result folder: ``*_pred.txt`` and a PNG an instance in, the same out.

Names, subfolders, labels, scores and their order stay as they are. A list is copied byte for byte
when all masks of its image are written, so an interrupted run goes on where it stopped.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..files.find import FileIndex, check_out_folder, files_below, find_images
from ..files.instances import parse_prediction
from ..files.kinds import LIST_END
from ..files.label_maps import LabelMap, read_label_map, write_label_map
from ..files.whole_files import write_whole_file
from .source import ImageFile, OpenedImage, Source
from .summary import Report, places_text
from .tasks import Change

# A list may be named after the image file or after the frame.
IMAGE_END = '_leftImg8bit'
# Masks read at a time, so that hundreds of them on a large image fit in memory.
CHUNK = 32


@dataclass(frozen=True)
class CityscapesTask:
    """The instances of one image.

    Attributes:
        predictions: The list, ``*_pred.txt``.
        image: The image, or why there is none.
        folder: The result folder.
        out: Folder of the refined result.
    """

    predictions: Path
    image: ImageFile | str
    folder: Path
    out: Path

    @property
    def name(self) -> str:
        """The list, for messages."""
        return str(self.predictions)

    @property
    def _list(self) -> Path:
        return self._target(self.predictions)

    @property
    def _failed(self) -> Path:
        """A file that says that something failed."""
        return self._list.with_name(f'.{self._list.name}.failed')

    def _target(self, path: Path) -> Path:
        return self.out / os.path.relpath(path, self.folder)

    def is_done(self, source: Source) -> bool:
        """Whether the list is there, the last thing written, and nothing of it failed."""
        if not self._list.is_file() or self._failed.exists() or isinstance(self.image, str):
            return False
        return source.is_done(self.image)

    def run(self, source: Source) -> Change:
        """Refine the masks and write them and the list.

        Masks that are broken are copied as they are and told in the outcome. Where all are, nothing
        is written.

        Raises:
            ValueError: if there is no image.
        """
        content = self.predictions.read_bytes()
        failed: list[str] = []
        try:
            if isinstance(self.image, str):
                raise ValueError(self.image)
            pngs, broken = self._pngs(content, failed)
            with source.open(self.image) as opened:
                change = self._refine(pngs, opened, failed, broken)
        except (ValueError, RuntimeError, MemoryError, cv2.error):
            self._list.unlink(missing_ok=True)  # of an earlier run
            raise
        if failed and not change.pixels:
            self._list.unlink(missing_ok=True)
        else:
            self._finish(content, broken, complete=not failed)
        return change

    def keep(self) -> None:
        """Copy masks and list as they are, where they were not refined."""
        if self._list.is_file():
            return
        content = self.predictions.read_bytes()
        pngs, broken = self._pngs(content, [])
        self._finish(content, [*pngs.values(), *broken], complete=False)

    def is_refined(self) -> bool:
        """Whether the list that is there is of masks that were refined."""
        return self._list.is_file()

    def _pngs(self, content: bytes, failed: list[str]) -> tuple[dict[int, Path], list[Path]]:
        """Masks by the number of their line, and those of broken lines."""
        pngs, broken = {}, []
        for number, line in enumerate(content.decode(errors='replace').splitlines(), 1):
            if not line.strip():
                continue
            name = line.split()[0]
            png = self.predictions.parent / name
            if Path(name).is_absolute() or os.path.relpath(png, self.folder).startswith('..'):
                failed.append(
                    f'{self.predictions}: line {number}: expected a path relative to the list '
                    f'and inside of {self.folder}, got {name}'
                )
                continue
            try:
                parse_prediction(self.predictions, number, line)
            except ValueError as error:
                failed.append(str(error))
                broken.append(png)
                continue
            pngs[number] = png
        return pngs, broken

    def _refine(
        self,
        pngs: Mapping[int, Path],
        opened: OpenedImage,
        failed: list[str],
        broken: list[Path],
    ) -> Change:
        """Refine and write masks; those that cannot be read are added to ``broken``."""
        changed = area = 0
        empty: list[int] = []
        numbers = list(pngs)
        for start in range(0, len(numbers), CHUNK):
            found: dict[int, LabelMap] = {}
            for number in numbers[start : start + CHUNK]:
                try:
                    found[number] = _read_mask(pngs[number], opened)
                except ValueError as error:
                    failed.append(f'{self.predictions}: line {number}: {error}')
                    broken.append(pngs[number])
            if not found:
                continue
            coarse = np.stack([form.labels for form in found.values()])
            refined = opened.refine(coarse)
            for (number, form), mask in zip(found.items(), refined, strict=True):
                write_label_map(self._target(pngs[number]), mask.astype(form.labels.dtype), form)
                if not form.labels.any():
                    empty.append(number)
            changed += int(np.count_nonzero(coarse != refined))
            area += int(np.count_nonzero(coarse))
        return Change(changed, area, self._note(pngs, empty), tuple(failed))

    def _note(self, pngs: Mapping[int, Path], empty: list[int]) -> str | None:
        if not self.predictions.stat().st_size:
            return f'{self.predictions}: the list is empty, nothing to refine'
        if empty:
            where = places_text(empty, 'line', 'lines')
            return f'{self.predictions}: {where}: the mask is all zero and stays so'
        return None

    def _finish(self, content: bytes, broken: Sequence[Path], complete: bool) -> None:
        """Copy masks that were not refined, and write the list."""
        for png in (path for path in broken if path.is_file()):
            target = self._target(png)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(png, target)
        if complete:
            self._failed.unlink(missing_ok=True)
        else:
            write_whole_file(self._failed, b'')
        write_whole_file(self._list, content)


class CityscapesFolder:
    """A result folder: lists and images are brought together by name.

    ``X_pred.txt`` belongs to ``X.png``; ``_leftImg8bit`` at the end of ``X`` may be missing in
    either name.

    Args:
        images: Folder, file or pattern of images.
        results: Folder with the lists and masks, in subfolders too.
        out: Folder for the refined ones.

    Attributes:
        tasks: One for each list, also where its image is missing.

    Raises:
        ValueError: if there are no images, or ``out`` would overwrite the input.
    """

    of_instances = True
    fps: float | None = None
    remarks: Sequence[str] = ()
    missing: Sequence[str] = ()

    def __init__(
        self, images: str | os.PathLike, results: str | os.PathLike, out: str | os.PathLike
    ) -> None:
        folder, target = Path(results), Path(out)
        check_out_folder(target, [Path(images), folder])
        found = find_images(images)
        index = FileIndex([(_frame(Path(image.full_name).name), image) for image in found])
        self.tasks: list[CityscapesTask] = []
        for path in (p for p in files_below(folder) if p.name.endswith(LIST_END)):
            image: ImageFile | str
            try:
                file = index.find(_frame(path.name.removesuffix(LIST_END)))
                image = ImageFile(file.path, [file.name])
            except LookupError as error:
                image = f'{path}: {error}'
            self.tasks.append(CityscapesTask(path, image, folder, target))

    def is_finished(self) -> bool:
        """Each task knows of itself."""
        return False

    def finish(self) -> Report:
        """Copy what could not be refined; where nothing could, nothing is written."""
        if not any(task.is_refined() for task in self.tasks):
            return Report(written=not self.tasks)
        for task in self.tasks:
            task.keep()
        return Report()


def _frame(stem: str) -> str:
    return stem.removesuffix(IMAGE_END)


def _read_mask(png: Path, opened: OpenedImage) -> LabelMap:
    if not png.is_file():
        raise ValueError(f'{png}: no such file')
    form = read_label_map(png)
    if form.labels.dtype != np.uint8:
        raise ValueError(f'{png}: expected a mask of at most 8 bits, got {form.labels.dtype}')
    if form.labels.shape != opened.size_hw:
        height, width = opened.size_hw
        raise ValueError(
            f'{png}: expected the size of {opened.origin}, {height}x{width} (height x width), '
            f'got {form.labels.shape[0]}x{form.labels.shape[1]}'
        )
    return form
