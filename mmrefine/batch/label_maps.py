"""Label maps: one file in, one file out; of the images in a folder, or of a video's frames."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..files.find import FoundFile
from ..files.label_ids import (
    IGNORED_MARK,
    LabelRules,
    check_class_range,
    ignored_pixels,
    with_ignored,
)
from ..files.label_map_pairs import pair_label_maps
from ..files.label_maps import (
    LabelMap,
    read_label_map,
    resized_labels,
    write_label_map,
)
from ..files.sizes import other_size_text
from ..files.video_frames import unpack_frames
from ..refiners.base import is_binary_mask
from .source import ImageFile, OpenedImage, Source
from .summary import Report
from .tasks import Change

BINARY_NOTE = (
    'some label maps hold only 0 and 255, and 255 counts as ignored: nothing is changed there; '
    'if they are binary masks, use --ignore-index none'
)


@dataclass(frozen=True)
class LabelMapTask:
    """One label map.

    Attributes:
        image: The image.
        mask: The label map.
        out: Where the refined one goes.
        rules: What the labels mean.
        resize: Whether a label map of another size than the image is brought to it.
    """

    image: ImageFile
    mask: Path
    out: Path
    rules: LabelRules = field(default_factory=LabelRules)
    resize: bool = False

    @property
    def name(self) -> str:
        """The label map, for messages."""
        return str(self.mask)

    def is_done(self, source: Source) -> bool:
        """Whether the refined label map is there, and complete."""
        if not self.out.is_file() or not source.is_done(self.image):
            return False
        try:
            read_label_map(self.out, colours=True)
        except ValueError:
            return False
        return True

    def read(self, size_hw: tuple[int, int]) -> tuple[LabelMap, np.ndarray]:
        """The label map of an image of this size, and its pixels that are ignored, (H, W) bool."""
        form = read_label_map(self.mask, colours=True)
        if self.resize:
            form = replace(form, labels=resized_labels(form.labels, size_hw))
        ignored = ignored_pixels(form.labels, self.rules.ignore_index, self.rules.label_ids)
        if self.rules.num_classes is not None:
            _check_range(self.mask, form.labels, ignored, self.rules.num_classes)
        return form, ignored

    def run(self, source: Source) -> Change:
        """Refine the label map and write it."""
        with source.open(self.image) as opened:
            form, ignored = self.read(opened.size_hw)
            labels = form.labels
            _check_size(self.mask, labels.shape, opened)
            any_ignored = bool(ignored.any())
            marked = with_ignored(labels, ignored)
            del ignored  # of a large map, much memory
            refined = opened.refine(marked)
        refined = refined.astype(labels.dtype, copy=False)
        if any_ignored:
            ignored = marked == IGNORED_MARK
            refined[ignored] = labels[ignored]
        del marked
        write_label_map(self.out, refined, form)
        note = BINARY_NOTE if any_ignored and is_binary_mask(labels) else None
        return Change(int(np.count_nonzero(refined != labels)), labels.size, note)


class LabelMaps:
    """The label maps of images of the same names.

    Args:
        images: Folder, file or pattern of images.
        masks: Folder or file of label maps.
        out: Folder for the refined ones, which keep their names and subfolders; a file where
            ``masks`` is one.
        rules: What the labels mean.
        image_suffix: How the stems of images end after the name they share with their label
            maps, for example ``_leftImg8bit``.
        mask_suffix: The same for label maps, for example ``_gtFine_labelIds``.
        resize: Whether label maps of another size than their image are brought to it.

    Attributes:
        tasks: One for each label map that has an image.
        missing: As of ``LabelMapPairs``.

    Raises:
        ValueError: if nothing is found, no two names are equal, or an output would overwrite
            an input.
    """

    of_instances = False
    fps: float | None = None
    remarks: Sequence[str] = ()

    def __init__(
        self,
        images: str | os.PathLike,
        masks: str | os.PathLike,
        out: str | os.PathLike,
        rules: LabelRules | None = None,
        image_suffix: str = '',
        mask_suffix: str = '',
        resize: bool = False,
    ) -> None:
        rules = rules or LabelRules()
        found = pair_label_maps(images, masks, out, image_suffix, mask_suffix)
        self.missing = list(found.missing)
        self.tasks = [
            LabelMapTask(_image_file(image, mask), mask.path, target, rules, resize)
            for (image, mask), target in zip(found.pairs, found.targets, strict=True)
        ]

    def is_finished(self) -> bool:
        """Each task knows of itself."""
        return False

    def finish(self) -> Report:
        """Nothing is left to write."""
        return Report(written=any(task.out.is_file() for task in self.tasks))


class VideoLabelMaps(LabelMaps):
    """The label maps of a video's frames, one for each in the order of their names.

    Frames are kept in a temporary folder, as images with the names of their label maps.

    Args:
        video: The video file.
        masks: Folder of label maps.
        out: Folder for the refined ones.
        rules: What the labels mean.
        mask_suffix: How the stems of label maps end after the name that the frame gets.

    Raises:
        ValueError: as for ``LabelMaps``; if ``masks`` is no folder; if the video cannot be
            read, or has more or fewer frames.
    """

    def __init__(
        self,
        video: str | os.PathLike,
        masks: str | os.PathLike,
        out: str | os.PathLike,
        rules: LabelRules | None = None,
        mask_suffix: str = '',
    ) -> None:
        if not Path(masks).is_dir():
            raise ValueError(
                f'{masks}: expected a folder of label maps, one for each frame of {video}; '
                'for instances, give a folder of its frames'
            )
        self._frames = tempfile.TemporaryDirectory()
        self.fps = unpack_frames(video, masks, self._frames.name, mask_suffix)
        super().__init__(self._frames.name, masks, out, rules, mask_suffix=mask_suffix)

    def finish(self) -> Report:
        """Remove the frames."""
        self._frames.cleanup()
        return super().finish()


def _image_file(image: FoundFile, mask: FoundFile) -> ImageFile:
    return ImageFile(image.path, [image.full_name, image.name, mask.full_name])


def _check_range(path: Path, labels: np.ndarray, ignored: np.ndarray, num_classes: int) -> None:
    try:
        check_class_range(labels, ignored, num_classes)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _check_size(path: Path, shape: tuple[int, ...], opened: OpenedImage) -> None:
    if shape != opened.size_hw:
        raise ValueError(other_size_text(path, shape, opened.origin, opened.size_hw))
