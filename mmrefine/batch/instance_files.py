"""A file of instance masks, of any format: one file in, one file out.

Finished images are kept in a hidden folder beside the output until all are
finished; so an interrupted run goes on where it stopped, and several processes share the work.
"""

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process

from ..files.coco_results import read_image_names
from ..files.find import FoundFile, find_images
from ..files.image_ids import ImageIds
from ..files.mask_files import MaskFile, Replacement
from ..files.open_mask_file import open_mask_file
from ..files.output_lock import OutputLock
from ..files.whole_files import write_whole_file
from ..ops.run_lengths import mask_codec
from .masks_of_image import Kept, MasksToRefine
from .source import ImageFile, Source
from .summary import Report, places_text
from .tasks import Change


@dataclass(frozen=True)
class MaskRules:
    """How masks are read and written.

    Attributes:
        format: Which format files must have; by default what they look like.
        polygons: Whether polygons are written; by default where polygons came in.
        tolerance: Of polygons, pixels.
        resize: Whether masks of another size than their image are brought to it.
    """

    format: str | None = None
    polygons: bool | None = None
    tolerance: float = 0.5
    resize: bool = False

    def open(self, path: str | os.PathLike) -> MaskFile:
        """Read a file; see ``open_mask_file``."""
        options = dict(polygons=self.polygons, tolerance=self.tolerance)
        return open_mask_file(path, self.format, **options)


@dataclass(frozen=True)
class ResultTask:
    """All masks of one image in a file.

    Attributes:
        masks: They.
        part: Where what is refined goes until all images are finished.
    """

    masks: MasksToRefine
    part: Path

    @property
    def name(self) -> str:
        """The image, for messages."""
        return str(self.masks.image.path)

    def is_done(self, source: Source) -> bool:
        """Whether the refined masks are kept, and none was broken."""
        kept = self.kept()
        return kept is not None and not kept.broken and source.is_done(self.masks.image)

    def run(self, source: Source) -> Change:
        """Refine the masks and keep them in ``part``; broken ones stay as they are.

        Raises:
            ValueError: if the image cannot be read.
        """
        change, kept = self.masks.refine(source)
        write_whole_file(self.part, json.dumps(kept).encode())
        return change

    def kept(self) -> Kept | None:
        """What ``run`` kept, if it did."""
        if not self.part.is_file():
            return None
        return Kept(*json.loads(self.part.read_bytes()))


class ResultFile:
    """A file of instance masks to be refined.

    Args:
        images: Folder, file or pattern of images.
        results: The file; see ``mmrefine.files.open_mask_file.open_mask_file``.
        annotations: COCO annotations, which say what image each ``image_id`` of results is;
            without, it is the file's name or its number
            (``mmrefine.files.image_ids.ImageIds``).
        out: The refined file, of the same suffix.
        settings: What else the outcome depends on; images that an earlier run finished with other
            settings are refined again.
        rules: How masks are read and written.

    Attributes:
        tasks: One for each image that has masks.
        missing: A line for each ``image_id`` that is unknown or has no image. Its masks stay as
            they are.
        remarks: Which image ids were taken for, where only numbers in names say it.

    Raises:
        ValueError: if a file is missing or broken, ``out`` would overwrite an input, another run
            is writing it, or ids are numbers that do not all fit the names of images.
        ImportError: if neither pycocotools nor faster-coco-eval is installed.
    """

    of_instances = True
    fps: float | None = None

    def __init__(
        self,
        images: str | os.PathLike,
        results: str | os.PathLike,
        annotations: str | os.PathLike | None,
        out: str | os.PathLike,
        settings: str = '',
        rules: MaskRules | None = None,
    ) -> None:
        mask_codec()
        rules = rules or MaskRules()
        self.out = Path(out)
        suffix = Path(results).suffix.lower()
        inputs = [Path(p).resolve() for p in (results, annotations) if p is not None]
        if self.out.suffix.lower() != suffix or self.out.is_dir() or self.out.resolve() in inputs:
            raise ValueError(f'{out}: expected a {suffix} file other than the inputs')
        self._file = rules.open(results)
        names = self._file.names
        if annotations is not None:
            names = read_image_names(annotations)
        content = self._file.path.read_bytes()
        content += repr((settings, str(images), names, rules)).encode()
        key = hashlib.sha256(content).hexdigest()[:16]
        self._parts = self.out.with_name(f'.{self.out.name}.{key}.parts')
        self.tasks: list[ResultTask] = []
        self.missing: list[str] = []
        self.remarks: Sequence[str] = ()
        # The first of several processes of one run holds it for all.
        self._lock = OutputLock(self.out) if is_main_process() else None
        self._make_tasks(ImageIds(find_images(images), names), rules)

    def _make_tasks(self, images: ImageIds, rules: MaskRules) -> None:
        file = self._file
        of_images = file.images()
        try:
            guesses = images.guesses(masks.image_id for masks in of_images)
        except ValueError as error:
            raise ValueError(f'{file.path}: {error}') from error
        if guesses:
            self.remarks = [_pairing_text(guesses)]
        for number, masks in enumerate(of_images):
            try:
                image = images.find(masks.image_id)
            except LookupError as error:
                where = places_text(list(masks.masks), *file.words)
                self.missing.append(f'{file.path}: {where}: image_id {masks.image_id!r} {error}')
                continue
            part = self._parts / f'{number}.json'
            of_image = MasksToRefine(file, masks, ImageFile(image.path, [image.name]), rules.resize)
            self.tasks.append(ResultTask(of_image, part))

    def is_finished(self) -> bool:
        """Whether the refined file is there, and nothing failed in it."""
        return self.out.is_file() and not _parts_folders(self.out)

    def finish(self) -> Report:
        """Write the refined file; masks that were not refined stay as they are.

        Where none could be refined, no file is written. Finished images are kept for the next run
        if any is missing.

        Returns:
            A line for each mask that is broken, and notes on empty ones.
        """
        replacements: dict[int, Replacement] = {}
        report = Report()
        empty: list[int] = []
        cut: list[int] = []
        complete, nothing = not self.missing, bool(self.tasks or self.missing)
        for task in self.tasks:
            kept = task.kept()
            if kept is None:
                complete = False
                continue
            report.failed += kept.broken
            nothing = nothing and len(kept.broken) == len(task.masks.masks.masks)
            empty += kept.empty
            cut += kept.cut
            replacements.update(kept.replacements)
        report.notes += notes_on(self._file, empty, cut)
        if not self.tasks and not self.missing:
            report.notes.append(f'{self._file.path}: there are no masks in it, nothing to refine')
        report.written = not nothing
        if report.written:
            write_whole_file(self.out, self._file.content(replacements))
        if complete and not report.failed:
            for parts in _parts_folders(self.out):
                shutil.rmtree(parts, ignore_errors=True)
        else:
            self._parts.mkdir(parents=True, exist_ok=True)  # says that the file is not finished
        if self._lock:
            self._lock.release()
        return report


def _pairing_text(guesses: Mapping[Any, FoundFile], most: int = 4) -> str:
    pairs = [f'{image_id} is {file.path}' for image_id, file in list(guesses.items())[:most]]
    more = f', and {len(guesses) - most} more' if len(guesses) > most else ''
    return (
        f'image ids are taken from the numbers in file names: {", ".join(pairs)}{more}; '
        'with --annotations they are looked up'
    )


def notes_on(file: MaskFile, empty: Sequence[int], cut: Sequence[int]) -> list[str]:
    """What is odd in a file."""
    notes = []
    if empty:
        where = places_text(sorted(empty), *file.words)
        notes.append(f'{file.path}: {where}: the mask is all zero and stays so')
    if cut:
        where = places_text(sorted(cut), *file.words)
        notes.append(f'{file.path}: {where}: parts of fewer than three points are left out')
    if file.left_alone:
        what = ', '.join(f'{number} {kind}' for kind, number in file.left_alone.items())
        notes.append(f'{file.path}: left as they are: {what}')
    return notes


def _parts_folders(out: Path) -> list[Path]:
    """What runs with any settings kept."""
    return list(out.parent.glob(f'.{glob.escape(out.name)}.*.parts'))
