"""Ground truth, from which pictures tell fixed from broken pixels.

Legend: H, W = image; N = masks.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np

from ..datasets.patch_cutting import match_instances
from ..files.find import FileIndex, FoundFile, find_files
from ..files.instances import Instance, read_annotations
from ..files.label_ids import LabelRules, ignored_pixels, with_ignored
from ..files.label_maps import LABEL_SUFFIXES, read_label_map
from ..ops.run_lengths import encode_mask, mask_codec

# A mask is judged by a true instance only where it overlaps it by more: more than half of what
# either covers, as BPR has it for training.
MATCH_IOU = 0.5


class TrueInstances:
    """The true instances of one image.

    Args:
        instances: They; those of crowds judge nothing.
        size_hw: Size of the image.

    Raises:
        ValueError: if a mask is broken or of another size.
    """

    def __init__(self, instances: Sequence[Instance], size_hw: tuple[int, int]) -> None:
        self._size_hw = size_hw
        # Of one category: what is drawn is where boundaries are, not what is behind them.
        self._instances = [
            Instance(0, instance.run_lengths(size_hw))
            for instance in instances
            if not instance.crowd
        ]

    def masks(self) -> Iterator[np.ndarray]:
        """Their masks, each bool (H, W)."""
        return (instance.mask(self._size_hw) for instance in self._instances)

    def counterparts(self, masks: np.ndarray) -> Iterator[np.ndarray | None]:
        """The true mask that each of a stack (N, H, W) overlaps most; None if not by half."""
        coarse = [Instance(0, encode_mask(mask)) for mask in masks]
        for place in match_instances(coarse, self._instances, self._size_hw, MATCH_IOU):
            yield None if place is None else self._instances[place].mask(self._size_hw)


class GroundTruth(Protocol):
    """The ground truth of all images."""

    def read(self, names: Sequence[str], size_hw: tuple[int, int]) -> np.ndarray | TrueInstances:
        """What an image truly shows.

        Args:
            names: Names it may have, paths without suffix; the first one that is known counts.
            size_hw: Its size.

        Returns:
            Integers (H, W) with ``mmrefine.files.label_ids.IGNORED_MARK`` where ignored; or
            instances.

        Raises:
            ValueError: if there is none for this image, or it is broken or of another size.
        """


class TrueLabelMaps:
    """Ground truth in label maps.

    Args:
        where: Folder of label maps named as the images or their label maps; a single file is
            that of every image.
        rules: What the labels mean.
        suffix: How their stems end after that name, for example ``_gtFine_labelTrainIds``.

    Raises:
        ValueError: if there is no label map.
    """

    def __init__(
        self, where: str | os.PathLike, rules: LabelRules | None = None, suffix: str = ''
    ) -> None:
        self._where = Path(where)
        self._rules = rules or LabelRules()
        files = find_files(where, LABEL_SUFFIXES, suffix)
        self._only = files[0] if self._where.is_file() else None
        self._files = FileIndex([(file.name, file) for file in files])

    def read(self, names: Sequence[str], size_hw: tuple[int, int]) -> np.ndarray:
        """See ``GroundTruth``."""
        path = (self._only or _first(self._files, names, self._where)).path
        labels = read_label_map(path, colours=True).labels
        _check_size(path, labels.shape, size_hw)
        ignored = ignored_pixels(labels, self._rules.ignore_index, self._rules.label_ids)
        return with_ignored(labels, ignored)


class TrueAnnotations:
    """Ground truth in a COCO annotation file.

    Args:
        path: The file.

    Raises:
        ValueError: if it is missing, broken, or no annotation file.
        ImportError: if neither pycocotools nor faster-coco-eval is installed.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        mask_codec()
        self._path = Path(path)
        self._entries = {entry.file_name: entry for entry in read_annotations(self._path)}
        files = [_named(name) for name in self._entries]
        self._files = FileIndex([(file.full_name, file) for file in files])

    def read(self, names: Sequence[str], size_hw: tuple[int, int]) -> TrueInstances:
        """See ``GroundTruth``."""
        entry = self._entries[_first(self._files, names, self._path).relative]
        where = f'{self._path}: {entry.file_name}'
        if entry.size_hw is not None:
            _check_size(where, entry.size_hw, size_hw)
        try:
            return TrueInstances(entry.instances, size_hw)
        except ValueError as error:
            raise ValueError(f'{where}: a true mask: {error}') from error


def _named(name: str) -> FoundFile:
    return FoundFile(Path(name), name, str(PurePosixPath(name).with_suffix('')))


def _first(index: FileIndex, names: Sequence[str], where: Path) -> FoundFile:
    """The file of the first name that has one."""
    reasons = []
    for name in names:
        try:
            return index.find(name)
        except LookupError as error:
            reasons.append(str(error))
    raise ValueError(f'its ground truth in {where}: {reasons[0]}')


def _check_size(what: str | Path, size: tuple[int, ...], size_hw: tuple[int, int]) -> None:
    if tuple(size) != size_hw:
        raise ValueError(
            f'{what}: expected the size of the image, {size_hw[0]}x{size_hw[1]} '
            f'(height x width), got {size[0]}x{size[1]}'
        )
