"""COCO's panoptic annotations: PNGs and the JSON file that tells of their segments."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from ..files.find import find_images
from ..files.image_ids import ImageIds
from ..files.label_ids import LabelRules
from ..files.label_maps import read_label_map
from ..files.output_lock import OutputLock
from ..files.panoptic import NO_SEGMENT, PanopticFiles, segment_facts
from ..files.whole_files import write_whole_file
from .label_maps import LabelMapTask
from .source import ImageFile, Source
from .summary import Report
from .tasks import Change


@dataclass(frozen=True)
class PanopticTask:
    """The segments of one image.

    Attributes:
        labels: What refines their PNG.
        failed: Whether it failed is said by this file.
    """

    labels: LabelMapTask
    failed: Path

    @property
    def name(self) -> str:
        """The PNG, for messages."""
        return self.labels.name

    def is_done(self, source: Source) -> bool:
        """Whether the refined PNG is there."""
        return not self.failed.exists() and self.labels.is_done(source)

    def run(self, source: Source) -> Change:
        """Refine the PNG.

        Raises:
            ValueError: if it or its image is broken.
        """
        self.failed.unlink(missing_ok=True)
        try:
            return self.labels.run(source)
        except (ValueError, RuntimeError, MemoryError, cv2.error):
            self.labels.out.unlink(missing_ok=True)  # of an earlier run
            raise

    def keep(self) -> None:
        """Copy the PNG as it is, where it was not refined, and note that it failed."""
        if self.labels.out.is_file() or not self.labels.mask.is_file():
            return
        self.labels.out.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(self.failed, b'')
        shutil.copyfile(self.labels.mask, self.labels.out)

    def is_refined(self) -> bool:
        """Whether the PNG that is there is refined, and no copy."""
        return self.labels.out.is_file() and not self.failed.exists()


class PanopticFile:
    """Panoptic annotations or predictions; segments, their areas and boxes change.

    Pixels of no segment stay as they are.

    Args:
        images: Folder, file or pattern of images.
        masks: The JSON file.
        out: The refined one; its PNGs go to the folder of its name.

    Attributes:
        tasks: One for each image.
        missing: A line for each that has no image; its segments stay as they are.

    Raises:
        ValueError: if files are missing or broken, or ``out`` would overwrite an input.
    """

    of_instances = False
    fps: float | None = None
    remarks: Sequence[str] = ()

    def __init__(
        self, images: str | os.PathLike, masks: str | os.PathLike, out: str | os.PathLike
    ) -> None:
        self.out = Path(out)
        self._files = PanopticFiles(masks)
        folder = self.out.with_suffix('')
        inputs = [self._files.path.resolve(), self._files.folder.resolve()]
        if self.out.suffix.lower() != '.json' or {self.out.resolve(), folder.resolve()} & {*inputs}:
            raise ValueError(f'{out}: expected a .json file other than the inputs')
        found = ImageIds(find_images(images), None)
        rules = LabelRules(ignore_index=NO_SEGMENT)
        self.tasks: list[PanopticTask] = []
        self.missing: list[str] = []
        self._lock = OutputLock(self.out)
        for annotation, name in zip(self._files.annotations, self._files.image_names, strict=True):
            png = Path(annotation['file_name'])
            try:
                image = found.find(name)
            except LookupError as error:
                self.missing.append(f'{masks}: {png}: its image {error}')
                continue
            file = ImageFile(image.path, [image.name])
            task = LabelMapTask(file, self._files.folder / png, folder / png, rules)
            failed = (folder / png).with_name(f'.{png.name}.failed')
            self.tasks.append(PanopticTask(task, failed))

    def is_finished(self) -> bool:
        """Each task knows of itself."""
        return False

    def finish(self) -> Report:
        """Write the JSON file, with the areas and boxes of the PNGs that are there.

        PNGs that could not be refined are copied. Where none could, nothing is written.
        """
        given = self.tasks or self.missing
        if given and not any(task.is_refined() for task in self.tasks):
            self._lock.release()
            return Report(written=False)
        for task in self.tasks:
            task.keep()
        folder = self.out.with_suffix('')
        facts, lost = {}, []
        for place, annotation in enumerate(self._files.annotations):
            png = folder / annotation['file_name']
            if not png.is_file() and (self._files.folder / annotation['file_name']).is_file():
                png.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._files.folder / annotation['file_name'], png)
            ids = [segment['id'] for segment in annotation['segments_info']]
            try:
                facts[place] = segment_facts(read_label_map(png, colours=True).labels, ids)
            except ValueError:  # a task said so
                continue
            lost += [f'{png.name}: {k}' for k in ids if k not in facts[place]]
        write_whole_file(self.out, self._files.content(facts))
        self._lock.release()
        return Report(notes=_note(self._files.path, lost))


def _note(path: Path, lost: Sequence[str]) -> list[str]:
    if not lost:
        return []
    more = f' and {len(lost) - 5} more' if len(lost) > 5 else ''
    return [f'{path}: segments without a pixel stay as they are: {", ".join(lost[:5])}{more}']
