"""A folder of label maps: one file in, one file out."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..files.find import IMAGE_SUFFIXES, FileIndex, FoundFile, check_out_folder, find_files
from ..files.label_ids import (
    IGNORED,
    LabelRules,
    check_class_range,
    ignored_pixels,
)
from ..files.label_maps import LABEL_SUFFIXES, read_label_map, write_label_map
from ..refiners.base import is_binary_mask
from .source import OpenedImage, Source
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
        offset_names: What its offset file may be called, without suffix.
        source: What refines.
        rules: What the labels mean.
    """

    image: Path
    mask: Path
    out: Path
    offset_names: Sequence[str]
    source: Source
    rules: LabelRules = field(default_factory=LabelRules)

    @property
    def name(self) -> str:
        """The label map, for messages."""
        return str(self.mask)

    def is_done(self) -> bool:
        """Whether the refined label map is there, and complete."""
        if not self.out.is_file() or not self.source.is_done(self.offset_names):
            return False
        try:
            read_label_map(self.out)
        except ValueError:
            return False
        return True

    def run(self) -> Change:
        """Refine the label map and write it."""
        form = read_label_map(self.mask)
        labels = form.labels
        ignored = ignored_pixels(labels, self.rules.ignore_index, self.rules.label_ids)
        if self.rules.num_classes is not None:
            _check_range(self.mask, labels, ignored, self.rules.num_classes)
        opened = self.source.open(self.image, self.offset_names)
        _check_size(self.mask, labels.shape, opened)
        refined = opened.refine(np.where(ignored, IGNORED, labels.astype(np.int64)))
        refined = np.where(ignored, labels, refined).astype(labels.dtype)
        write_label_map(self.out, refined, form)
        note = BINARY_NOTE if ignored.any() and is_binary_mask(labels) else None
        return Change(int(np.count_nonzero(refined != labels)), labels.size, note)


def label_map_tasks(
    images: str | os.PathLike,
    masks: str | os.PathLike,
    out: str | os.PathLike,
    source: Source,
    rules: LabelRules | None = None,
    image_suffix: str = '',
    mask_suffix: str = '',
) -> tuple[list[LabelMapTask], list[str]]:
    """Bring images and label maps together by name.

    Args:
        images: Folder, file or pattern of images.
        masks: Folder or file of label maps.
        out: Folder for the refined ones, which keep their names and subfolders; a file where
            ``masks`` is one.
        source: What refines.
        rules: What the labels mean.
        image_suffix: How the stems of images end after the name they share with their label
            maps, for example ``_leftImg8bit``.
        mask_suffix: The same for label maps, for example ``_gtFine_labelIds``.

    Returns:
        The tasks, and a line for each image without a label map, and each label map without an
        image if ``images`` is a folder.

    Raises:
        ValueError: if nothing is found, no two names are equal, or an output would overwrite
            an input.
    """
    rules = rules or LabelRules()
    found_images = find_files(images, IMAGE_SUFFIXES, image_suffix)
    found_masks = find_files(masks, LABEL_SUFFIXES, mask_suffix)
    if Path(masks).is_file():
        tasks = [_single_task(images, found_images, found_masks[0], Path(out), source, rules)]
        missing: list[str] = []
    else:
        check_out_folder(Path(out), [Path(images), Path(masks)])
        pairs, missing = _pairs(found_images, found_masks)
        if not Path(images).is_dir():
            missing = []  # who names some images wants only those
        tasks = [_task(i, m, Path(out) / m.relative, source, rules) for i, m in pairs]
        used = {image.path for image, _ in pairs}
        if found_masks and not pairs:
            raise ValueError(_no_pair(found_images[0], found_masks[0]))
        missing += [
            f'{image.path}: no label map for it, expected {image.name}{mask_suffix}.png in {masks}'
            for image in found_images
            if image.path not in used
        ]
    inputs = {file.path.resolve() for file in [*found_images, *found_masks]}
    for task in tasks:
        if task.out.resolve() in inputs:
            raise ValueError(f'{task.out}: is an input, which would be overwritten')
    return tasks, missing


def _pairs(
    images: Sequence[FoundFile], masks: Sequence[FoundFile]
) -> tuple[list[tuple[FoundFile, FoundFile]], list[str]]:
    """Image and label map of each name, and a line for each label map without an image."""
    index = FileIndex([(image.name, image) for image in images])
    pairs, missing = [], []
    for mask in masks:
        try:
            pairs.append((index.find(mask.name), mask))
        except LookupError as error:
            missing.append(f'{mask.path}: {error}')
    return pairs, missing


def _no_pair(image: FoundFile, mask: FoundFile) -> str:
    return (
        f'{mask.path}: no label map has the name of an image, one image is {image.path}; where '
        'names end differently, --image-suffix and --mask-suffix say how, for example '
        '--image-suffix _leftImg8bit'
    )


def _task(
    image: FoundFile, mask: FoundFile, out: Path, source: Source, rules: LabelRules
) -> LabelMapTask:
    names = [image.full_name, image.name, mask.full_name]
    return LabelMapTask(image.path, mask.path, out, names, source, rules)


def _single_task(
    where: str | os.PathLike,
    images: Sequence[FoundFile],
    mask: FoundFile,
    out: Path,
    source: Source,
    rules: LabelRules,
) -> LabelMapTask:
    if len(images) != 1:
        raise ValueError(f'{where}: expected one image, as {mask.path} is one label map')
    if out.is_dir() or out.suffix.lower() != mask.path.suffix.lower():
        raise ValueError(f'{out}: expected a file {mask.path.suffix}, as {mask.path} is one')
    return _task(images[0], mask, out, source, rules)


def _check_range(path: Path, labels: np.ndarray, ignored: np.ndarray, num_classes: int) -> None:
    try:
        check_class_range(labels, ignored, num_classes)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from error


def _check_size(path: Path, shape: tuple[int, ...], opened: OpenedImage) -> None:
    if shape != opened.size_hw:
        raise ValueError(
            f'{path}: expected the size of {opened.origin}, '
            f'{opened.size_hw[0]}x{opened.size_hw[1]} (height x width), got {shape[0]}x{shape[1]}'
        )
