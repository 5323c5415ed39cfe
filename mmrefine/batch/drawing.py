"""Pictures of what is refined, whatever kind of files the masks are in.

Legend: H, W = image; N = masks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType

import cv2
import numpy as np

from ..files.label_ids import IGNORED_MARK
from ..files.pictures import PictureVideo, picture_sink
from ..pictures.changes import changes_of, draw_refinement
from ..refiners import load_image
from ..refiners.loaders import Loader
from .source import ImageFile, OpenedImage, Source
from .truth import GroundTruth, TrueInstances


class DrawingSource:
    """Another source, of whose images pictures are drawn when their masks are refined.

    To be used in a ``with`` statement, which finishes a video.

    Args:
        source: What refines.
        where: Folder for pictures, named as the images; or a video ``.mp4`` of all images in their
            order, for which none counts as done.
        fps: Frames a second of a video.
        truth: What pictures tell fixed from broken pixels by. An image without is refined, but
            gets no picture.
        load: What reads images; see ``mmrefine.refiners.loaders.image_loader``.

    Attributes:
        failed: A line for each picture that could not be drawn or written.

    Raises:
        ValueError: if it is a video of another kind, or ``fps`` is not above 0.
    """

    def __init__(
        self,
        source: Source,
        where: str | os.PathLike,
        fps: float = 25,
        truth: GroundTruth | None = None,
        load: Loader = load_image,
    ) -> None:
        self._source = source
        self._load = load
        self._sink = picture_sink(where, fps)
        self._truth = truth
        self.failed: list[str] = []

    def __enter__(self) -> DrawingSource:
        self._sink.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the video, or drop it after an error."""
        self._sink.__exit__(kind, error, traceback)

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[OpenedImage]:
        """Make ready for the masks of an image, and draw it when they are refined."""
        with self._source.open(image) as opened:
            drawn = self._start(image, opened)
            yield opened if drawn is None else drawn.watch(opened)
        if drawn is not None and drawn.any:
            self._draw(drawn)

    def is_done(self, image: ImageFile) -> bool:
        """Whether the picture is there, and all else that is to be kept."""
        if isinstance(self._sink, PictureVideo) or not self._source.is_done(image):
            return False
        return (self._sink.folder / f'{image.name}.png').is_file()

    def _start(self, image: ImageFile, opened: OpenedImage) -> _RefinedImage | None:
        """What gathers the masks of an image; None if its ground truth cannot be read."""
        try:
            truth = self._truth.read(image.names, opened.size_hw) if self._truth else None
        except (ValueError, OSError, MemoryError) as error:
            self._fail(image, error)
            return None
        return _RefinedImage(image, opened.size_hw, truth)

    def _draw(self, drawn: _RefinedImage) -> None:
        insets = 0 if isinstance(self._sink, PictureVideo) else 3
        try:
            array = self._load(drawn.image.path)
            self._sink.write(drawn.image.name, drawn.draw(array, insets))
        except (ValueError, OSError, MemoryError, cv2.error) as error:
            self._fail(drawn.image, error)

    def _fail(self, image: ImageFile, error: Exception) -> None:
        reason = (str(error).strip().splitlines() or ['no reason given'])[0]
        self.failed.append(f'picture of {image.path}: {reason}')


class _RefinedImage:
    """All masks of an image in one map of numbers: before, after, and as they should be.

    A stack becomes the sum of a random number for each mask: the numbers of two pixels are equal
    if, short of one chance in 2^64, they are in the same masks. So contours and changes are those
    of the stack, and hundreds of masks need no more memory than one.
    """

    def __init__(
        self,
        image: ImageFile,
        size_hw: tuple[int, int],
        truth: np.ndarray | TrueInstances | None,
    ) -> None:
        self.image = image
        self.any = False
        self._before = np.zeros(size_hw, np.uint64)
        self._after = np.zeros(size_hw, np.uint64)
        self._rng = np.random.default_rng(0)
        self._truth = truth
        # In how many masks more a pixel is wrong after than before.
        self._worse = np.zeros(size_hw, np.int32)

    def watch(self, opened: OpenedImage) -> OpenedImage:
        """The same image, all of whose masks are added here."""

        def refine(masks: np.ndarray) -> np.ndarray:
            refined = opened.refine(masks)
            self.add(masks, refined)
            return refined

        return replace(opened, refine=refine, refine_parts=None)

    def add(self, before: np.ndarray, after: np.ndarray) -> None:
        """Add a label map (H, W), or a stack (N, H, W)."""
        self.any = True
        if before.ndim == 2:
            self._before, self._after = before, after
            return
        for mask, refined in zip(before != 0, after != 0, strict=True):
            number = self._number()
            self._before[mask] += number
            self._after[refined] += number
        if isinstance(self._truth, TrueInstances):
            targets = self._truth.counterparts(before)
            for mask, refined, target in zip(before != 0, after != 0, targets, strict=True):
                if target is not None:
                    self._worse += (refined != target).astype(np.int32) - (mask != target)

    def draw(self, image: np.ndarray, insets: int) -> np.ndarray:
        """Draw all that was added over the image; see ``draw_refinement``."""
        truth, changes = self._truth, None
        ignore_index: int | None = IGNORED_MARK
        if isinstance(truth, TrueInstances):
            changes = changes_of(self._before != self._after, self._worse)
            numbers = np.zeros_like(self._before)
            for mask in truth.masks():
                numbers[mask] += self._number()
            truth, ignore_index = numbers, None
        return draw_refinement(
            image, self._before, self._after, truth, insets, 1000, ignore_index, changes
        )

    def _number(self) -> np.uint64:
        return self._rng.integers(1, 2**64, dtype=np.uint64)
