"""A COCO result file: one file in, one file out, refined image by image.

Finished images are kept in a hidden folder beside the output until all are finished; so an
interrupted run goes on where it stopped, and several processes share the work.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..structures.run_lengths import decode_mask, encode_mask, mask_codec
from .coco_results import Result, read_image_names, read_results, write_results
from .image_files import IMAGE_SUFFIXES, FileIndex, FoundFile, find_files
from .refine_source import OpenedImage, Source
from .refine_tasks import Change
from .whole_files import write_whole_file

# Masks decoded at a time, so that hundreds of them on a large image fit in memory.
CHUNK = 32


@dataclass(frozen=True)
class ResultTask:
    """All detections of one image.

    Attributes:
        results_path: The result file, for messages.
        image: The image.
        entries: Its detections, by their place in the result file.
        part: Where the refined segmentations go until all images are finished.
        source: What refines.
    """

    results_path: Path
    image: FoundFile
    entries: dict[int, Result]
    part: Path
    source: Source

    @property
    def name(self) -> str:
        """The image, for messages."""
        return str(self.image.path)

    def is_done(self) -> bool:
        """Whether the refined segmentations are kept."""
        return self.part.is_file() and self.source.is_done([self.image.name])

    def run(self) -> Change:
        """Refine the masks and keep them in ``part``."""
        opened = self.source.open(self.image.path, [self.image.name])
        places = list(self.entries)
        segmentations: list[Any] = []
        changed = area = 0
        for start in range(0, len(places), CHUNK):
            chunk = places[start : start + CHUNK]
            coarse = self._decode(chunk, opened)
            refined = opened.refine(coarse)
            for place, before, after in zip(chunk, coarse, refined, strict=True):
                difference = int(np.count_nonzero(before != after))
                original = self.entries[place]['segmentation']
                segmentations.append(encode_mask(after) if difference else original)
                changed += difference
            area += int(np.count_nonzero(coarse))
        write_whole_file(self.part, json.dumps(segmentations).encode())
        return Change(changed, area)

    def refined_segmentations(self) -> dict[int, Any]:
        """What ``run`` kept, by place in the result file."""
        segmentations = json.loads(self.part.read_bytes())
        return dict(zip(self.entries, segmentations, strict=True))

    def _decode(self, places: Sequence[int], opened: OpenedImage) -> np.ndarray:
        masks = []
        for place in places:
            try:
                masks.append(decode_mask(self.entries[place]['segmentation'], opened.size_hw))
            except ValueError as error:
                raise ValueError(
                    f'{self.results_path}: entry {place}, a mask on {opened.origin}: {error}'
                ) from error
        return np.stack(masks)


class ResultFile:
    """A COCO result file to be refined.

    Args:
        images: Folder, file or pattern of images.
        results: The result file.
        annotations: COCO annotations, which say what image each ``image_id`` is.
        out: The refined result file.
        source: What refines.
        settings: What else the outcome depends on; images that an earlier run finished with other
            settings are refined again.

    Attributes:
        tasks: One for each image that has detections.
        missing: A line for each ``image_id`` that is unknown or has no image.

    Raises:
        ValueError: if a file is missing or broken, or ``out`` would overwrite an input.
        ImportError: if neither pycocotools nor faster-coco-eval is installed.
    """

    def __init__(
        self,
        images: str | os.PathLike,
        results: str | os.PathLike,
        annotations: str | os.PathLike,
        out: str | os.PathLike,
        source: Source,
        settings: str = '',
    ) -> None:
        mask_codec()
        self.out = Path(out)
        inputs = [Path(results).resolve(), Path(annotations).resolve()]
        if self.out.suffix != '.json' or self.out.is_dir() or self.out.resolve() in inputs:
            raise ValueError(f'{out}: expected a .json file other than the inputs')
        self._path = Path(results)
        self._results = read_results(results)
        content = self._path.read_bytes() + settings.encode()
        key = hashlib.sha256(content).hexdigest()[:16]
        self._parts = self.out.with_name(f'.{self.out.name}.{key}.parts')
        self.tasks: list[ResultTask] = []
        self.missing: list[str] = []
        self._make_tasks(find_files(images, IMAGE_SUFFIXES), read_image_names(annotations), source)

    def _make_tasks(
        self, images: Sequence[FoundFile], names: dict[Any, str], source: Source
    ) -> None:
        index = FileIndex([(image.relative, image) for image in images])
        by_image: dict[Any, dict[int, Result]] = {}
        for place, entry in enumerate(self._results):
            by_image.setdefault(entry['image_id'], {})[place] = entry
        for number, (image_id, entries) in enumerate(by_image.items()):
            if image_id not in names:
                self.missing.append(
                    f'{self._path}: image_id {image_id!r} ({len(entries)} detections) is not in '
                    'the annotations'
                )
                continue
            try:
                image = index.find(names[image_id])
            except LookupError as error:
                self.missing.append(
                    f'{self._path}: image_id {image_id!r} is {names[image_id]}: {error}'
                )
                continue
            part = self._parts / f'{number}.json'
            self.tasks.append(ResultTask(self._path, image, entries, part, source))

    def is_done(self) -> bool:
        """Whether the refined result file is there."""
        return self.out.is_file()

    def finish(self) -> None:
        """Write the refined result file from the finished images, all of them."""
        refined = [dict(entry) for entry in self._results]
        for task in self.tasks:
            for place, segmentation in task.refined_segmentations().items():
                refined[place]['segmentation'] = segmentation
        write_results(self.out, refined)
        shutil.rmtree(self._parts, ignore_errors=True)
