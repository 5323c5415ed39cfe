"""A COCO result file: one file in, one file out, refined image by image.

Finished images are kept in a hidden folder beside the output until all are finished; so an
interrupted run goes on where it stopped, and several processes share the work.
"""

import contextlib
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..files.coco_results import Result, read_image_names, read_results, write_results
from ..files.find import IMAGE_SUFFIXES, find_files
from ..files.image_ids import ImageIds
from ..files.whole_files import write_whole_file
from ..ops.run_lengths import decode_mask, encode_mask, mask_codec
from .source import ImageFile, OpenedImage, Source
from .summary import Report, places_text
from .tasks import Change

# Masks decoded at a time, so that hundreds of them on a large image fit in memory.
CHUNK = 32


class Kept(NamedTuple):
    """What is kept of an image until all are finished.

    Attributes:
        segmentations: Those that changed, or were polygons, by their place in the result file.
        broken: A line for each mask that is broken.
        empty: Places of masks without a pixel.
    """

    segmentations: list[tuple[int, Any]]
    broken: list[str]
    empty: list[int]


@dataclass(frozen=True)
class ResultTask:
    """All detections of one image.

    Attributes:
        results_path: The result file, for messages.
        image: The image.
        entries: Its detections, by their place in the result file.
        part: Where the refined segmentations go until all images are finished.
    """

    results_path: Path
    image: ImageFile
    entries: dict[int, Result]
    part: Path

    @property
    def name(self) -> str:
        """The image, for messages."""
        return str(self.image.path)

    def is_done(self, source: Source) -> bool:
        """Whether the refined segmentations are kept, and no mask was broken."""
        kept = self.kept()
        return kept is not None and not kept.broken and source.is_done(self.image)

    def run(self, source: Source) -> Change:
        """Refine the masks and keep them in ``part``; broken ones stay as they are.

        Raises:
            ValueError: if the image cannot be read.
        """
        kept = Kept([], [], [])
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(source.open(self.image))
            except ValueError as error:
                where = places_text(list(self.entries))
                raise ValueError(f'{self.results_path}: {where}: {error}') from error
            change = self._refine(opened, kept)
        write_whole_file(self.part, json.dumps(kept).encode())
        return change

    def _refine(self, opened: OpenedImage, kept: Kept) -> Change:
        """Refine a few masks at a time and add them to ``kept``."""
        places = list(self.entries)
        changed = area = 0
        for start in range(0, len(places), CHUNK):
            coarse = self._decode(places[start : start + CHUNK], opened, kept.broken)
            kept.empty.extend(place for place, mask in coarse.items() if not mask.any())
            if not coarse:
                continue
            stack = np.stack(list(coarse.values()))
            for place, before, after in zip(coarse, stack, opened.refine(stack), strict=True):
                difference = int(np.count_nonzero(before != after))
                if difference or not _is_compressed(self.entries[place]['segmentation']):
                    kept.segmentations.append((place, encode_mask(after)))
                changed += difference
            area += int(np.count_nonzero(stack))
        return Change(changed, area)

    def kept(self) -> Kept | None:
        """What ``run`` kept, if it did."""
        if not self.part.is_file():
            return None
        return Kept(*json.loads(self.part.read_bytes()))

    def _decode(
        self, places: Sequence[int], opened: OpenedImage, broken: list[str]
    ) -> dict[int, np.ndarray]:
        masks = {}
        for place in places:
            try:
                masks[place] = decode_mask(self.entries[place].get('segmentation'), opened.size_hw)
            except ValueError as error:
                broken.append(
                    f'{self.results_path}: entry {place}, a mask on {opened.origin}: {error}'
                )
        return masks


class ResultFile:
    """A COCO result file to be refined.

    Args:
        images: Folder, file or pattern of images.
        results: The result file.
        annotations: COCO annotations, which say what image each ``image_id`` is; without, it is
            the file's name or its number (:class:`mmrefine.files.image_ids.ImageIds`).
        out: The refined result file.
        settings: What else the outcome depends on; images that an earlier run finished with other
            settings are refined again.

    Attributes:
        tasks: One for each image that has detections.
        missing: A line for each ``image_id`` that is unknown or has no image. Its masks stay as
            they are.

    Raises:
        ValueError: if a file is missing or broken, or ``out`` would overwrite an input.
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
    ) -> None:
        mask_codec()
        self.out = Path(out)
        inputs = [Path(p).resolve() for p in (results, annotations) if p is not None]
        if self.out.suffix != '.json' or self.out.is_dir() or self.out.resolve() in inputs:
            raise ValueError(f'{out}: expected a .json file other than the inputs')
        self._path = Path(results)
        self._results = read_results(results)
        names = None if annotations is None else read_image_names(annotations)
        content = self._path.read_bytes() + repr((settings, str(images), names)).encode()
        key = hashlib.sha256(content).hexdigest()[:16]
        self._parts = self.out.with_name(f'.{self.out.name}.{key}.parts')
        self.tasks: list[ResultTask] = []
        self.missing: list[str] = []
        self._make_tasks(ImageIds(find_files(images, IMAGE_SUFFIXES), names))

    def _make_tasks(self, images: ImageIds) -> None:
        by_image: dict[Any, dict[int, Result]] = {}
        for place, entry in enumerate(self._results):
            by_image.setdefault(entry['image_id'], {})[place] = entry
        for number, (image_id, entries) in enumerate(by_image.items()):
            try:
                image = images.find(image_id)
            except LookupError as error:
                where = places_text(list(entries))
                self.missing.append(f'{self._path}: {where}: image_id {image_id!r} {error}')
                continue
            part = self._parts / f'{number}.json'
            file = ImageFile(image.path, [image.name])
            self.tasks.append(ResultTask(self._path, file, entries, part))

    def is_finished(self) -> bool:
        """Whether the refined result file is there, and nothing failed in it."""
        return self.out.is_file() and not _parts_folders(self.out)

    def finish(self) -> Report:
        """Write the refined result file; masks that were not refined stay as they are.

        Finished images are kept for the next run if any is missing.

        Returns:
            A line for each mask that is broken, and notes on empty ones.
        """
        refined = [dict(entry) for entry in self._results]
        report = Report()
        empty: list[int] = []
        complete = not self.missing
        for task in self.tasks:
            kept = task.kept()
            if kept is None:
                complete = False
                continue
            report.failed += kept.broken
            empty += kept.empty
            for place, segmentation in kept.segmentations:
                refined[place]['segmentation'] = segmentation
        if empty:
            where = places_text(sorted(empty))
            report.notes.append(f'{self._path}: {where}: the mask is all zero and stays so')
        if not refined:
            report.notes.append(f'{self._path}: the list of results is empty, nothing to refine')
        write_results(self.out, refined)
        if complete and not report.failed:
            for parts in _parts_folders(self.out):
                shutil.rmtree(parts, ignore_errors=True)
        else:
            self._parts.mkdir(parents=True, exist_ok=True)  # says that the file is not finished
        return report


def _is_compressed(segmentation: Any) -> bool:
    return isinstance(segmentation, dict) and isinstance(segmentation['counts'], str)


def _parts_folders(out: Path) -> list[Path]:
    """What runs with any settings kept."""
    return list(out.parent.glob(f'.{glob.escape(out.name)}.*.parts'))
