"""Where the refined masks of an image come from: a refiner, or offset fields made before.

A source opens an image once and then refines any number of masks of it.
"""

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from ..files.image_windows import ImageWindows
from ..files.label_ids import IGNORED_MARK
from ..files.offsets import OFFSET_SUFFIXES, read_offset, write_offset
from ..refiners import OffsetRefiner, Refiner, load_image, shift_masks
from ..refiners.loaders import Loader

Window = tuple[slice, slice]


@dataclass(frozen=True)
class ImageFile:
    """An image, and what other files of it are called.

    Attributes:
        path: The image.
        names: Paths without suffix that its offset field, its picture and its ground truth may
            have below their folders, the first one preferred.
    """

    path: Path
    names: Sequence[str]

    @property
    def name(self) -> str:
        """What files of it that are written are called."""
        return self.names[0]


@dataclass(frozen=True)
class OpenedImage:
    """What refines the masks of one image.

    Attributes:
        size_hw: Size that the masks must have.
        origin: The file that says so.
        refine: Refined masks of given ones: label map (H, W), with
            ``mmrefine.files.label_ids.IGNORED_MARK`` where ignored, or stack uint8 (N, H, W).
        refine_parts: Refined masks of instances, each given with its part of the image, bool
            (h, w); None where a refiner looks at whole images only.
        reach: How far a part must reach beyond its mask, pixels.
    """

    size_hw: tuple[int, int]
    origin: Path
    refine: Callable[[np.ndarray], np.ndarray]
    refine_parts: Callable[[Iterable[tuple[Window, np.ndarray]]], Iterator[np.ndarray]] | None = (
        None
    )
    reach: int = 0


class Source(Protocol):
    """What the tasks of this package refine with."""

    def open(self, image: ImageFile) -> AbstractContextManager[OpenedImage]:
        """Make ready for the masks of an image; the image is done where ``with`` ends."""

    def is_done(self, image: ImageFile) -> bool:
        """Whether all that is to be kept of an image, besides its masks, is kept."""


class RefinerSource:
    """Refines with a copy of a refiner, whose ``ignore_index`` is ``IGNORED_MARK``.

    Args:
        refiner: Any refiner.
        save_offsets: Folder that offset fields are written to.
        load: What reads images; see ``mmrefine.refiners.loaders.image_loader``.

    Raises:
        ValueError: if offsets shall be saved and the refiner has none, or does not follow them.
    """

    def __init__(
        self,
        refiner: Refiner,
        save_offsets: str | os.PathLike | None = None,
        load: Loader = load_image,
    ) -> None:
        if save_offsets is not None:
            _check_follows_offsets(refiner)
        self.refiner = copy.copy(refiner)
        if hasattr(self.refiner, 'ignore_index'):
            self.refiner.ignore_index = IGNORED_MARK
        self.load = load
        self.save_offsets = None if save_offsets is None else Path(save_offsets)

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[OpenedImage]:
        """Read the image and predict what does not depend on the masks."""
        array = self.load(image.path)
        try:
            yield self._opened(image, array)
        finally:
            if isinstance(array, ImageWindows):
                array.close()

    def _opened(self, image: ImageFile, array: np.ndarray) -> OpenedImage:
        size_hw = (array.shape[0], array.shape[1])
        if self.save_offsets is None:
            refine = self.refiner.open(array)
            return OpenedImage(size_hw, image.path, refine, *self._in_parts(array))
        refiner = cast(OffsetRefiner, self.refiner)
        offset = refiner.predict_offset(array)
        write_offset(self._offset_file(self.save_offsets, image), offset)
        return OpenedImage(size_hw, image.path, lambda masks: refiner.shift(masks, offset))

    def _in_parts(self, array: np.ndarray) -> tuple[Any, ...]:
        """``refine_parts`` and ``reach`` of an image."""
        reach = self.refiner.reach
        if reach is None:
            return ()

        def refine_parts(parts: Iterable[tuple[Window, np.ndarray]]) -> Iterator[np.ndarray]:
            pairs = ((array[window], mask[None]) for window, mask in parts)
            return (masks[0] for masks in self.refiner.refine_each(pairs))

        return refine_parts, reach

    def is_done(self, image: ImageFile) -> bool:
        """Whether the offset file is there, where one is to be saved."""
        return self.save_offsets is None or self._offset_file(self.save_offsets, image).is_file()

    @staticmethod
    def _offset_file(folder: Path, image: ImageFile) -> Path:
        return folder / f'{image.name}.npz'


def _check_follows_offsets(refiner: Refiner) -> None:
    follows = refiner.method.follows_offsets if refiner.method else None
    if follows is None:
        raise ValueError(f'{type(refiner).__name__} has no offset fields that could be saved')
    for name, value in follows.items():
        if getattr(refiner, name) != value:
            raise ValueError(
                f'save_offsets: the refiner does more than follow its offset field; build it with '
                f'{name}={value}'
            )


class OffsetFolderSource:
    """Refines with offset fields from files; neither images nor a network are read.

    Args:
        folder: Where the ``.npz`` or ``.mat`` files are.
        scale, steps: As for ``shift_masks``.

    Raises:
        ValueError: if there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike, scale: int = 2, steps: int = 1) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ValueError(f'{folder}: expected a folder of offset files, there is none')
        self.scale = scale
        self.steps = steps

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[OpenedImage]:
        """Read the offset field: in the image's folder below ours, else right in ours."""
        candidates = [
            self.folder / f'{name}{suffix}'
            for places in (image.names, [Path(name).name for name in image.names])
            for name in places
            for suffix in OFFSET_SUFFIXES
        ]
        path = next((path for path in candidates if path.is_file()), None)
        if path is None:
            raise ValueError(f'{image.path}: no offset file, expected {candidates[0]} or .mat')
        offset = read_offset(path)
        size_hw = (offset.shape[1], offset.shape[2])

        def shift(masks: np.ndarray) -> np.ndarray:
            return shift_masks(masks, offset, self.scale, self.steps, IGNORED_MARK)

        yield OpenedImage(size_hw, path, shift)

    def is_done(self, image: ImageFile) -> bool:
        """Nothing else is kept."""
        return True
