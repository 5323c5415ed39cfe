"""Pictures of what is refined, whatever kind of files the masks are in.

Legend: H, W = image; N = masks.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..files.label_ids import IGNORED
from ..files.pictures import PictureVideo, picture_sink
from ..pictures.changes import changes_of, draw_refinement
from ..refiners import load_image
from .source import OpenedImage, Source
from .truth import GroundTruth, TrueInstances


class DrawingSource:
    """Another source, of whose images pictures are drawn.

    An image may be refined in several parts, so it is drawn when the next one is opened; the last
    one in :meth:`finish`.

    Args:
        source: What refines.
        where: Folder for pictures, named as the images; or a video ``.mp4`` of all images in their
            order, for which none counts as done.
        fps: Frames a second of a video.
        truth: What pictures tell fixed from broken pixels by. An image without is refined, but
            gets no picture.

    Raises:
        ValueError: if it is a video of another kind, or ``fps`` is not above 0.
    """

    def __init__(
        self,
        source: Source,
        where: str | os.PathLike,
        fps: float = 25,
        truth: GroundTruth | None = None,
    ) -> None:
        self._source = source
        self._sink = picture_sink(where, fps)
        self._truth = truth
        self._failed: list[str] = []
        self._drawn: _RefinedImage | None = None

    def open(self, image: Path, names: Sequence[str]) -> OpenedImage:
        """Make ready for the masks of an image; see :class:`Source`."""
        self._draw()
        opened = self._source.open(image, names)
        try:
            truth = self._truth.read(names, opened.size_hw) if self._truth else None
        except (ValueError, OSError, MemoryError) as error:
            self._fail(image, error)
            return opened
        refined_image = _RefinedImage(image, names[0], opened.size_hw, truth)
        self._drawn = refined_image

        def refine(masks: np.ndarray) -> np.ndarray:
            refined = opened.refine(masks)
            refined_image.add(masks, refined)
            return refined

        return OpenedImage(opened.size_hw, opened.origin, refine)

    def is_done(self, names: Sequence[str]) -> bool:
        """Whether the picture is there, and all else that is to be kept."""
        if isinstance(self._sink, PictureVideo) or not self._source.is_done(names):
            return False
        return (self._sink.folder / f'{names[0]}.png').is_file()

    def finish(self) -> list[str]:
        """Draw the last image, and finish the video.

        Returns:
            A line for each picture that could not be drawn or written.
        """
        with self._sink:
            self._draw()
        return self._failed

    def _draw(self) -> None:
        image, self._drawn = self._drawn, None
        if image is None or not image.any:
            return
        insets = 0 if isinstance(self._sink, PictureVideo) else 3
        try:
            self._sink.write(image.name, image.draw(insets))
        except (ValueError, OSError, MemoryError, cv2.error) as error:
            self._fail(image.path, error)

    def _fail(self, image: Path, error: Exception) -> None:
        reason = (str(error).strip().splitlines() or ['no reason given'])[0]
        self._failed.append(f'picture of {image}: {reason}')


class _RefinedImage:
    """All masks of an image in one map of numbers: before, after, and as they should be.

    A stack becomes the sum of a random number for each mask: the numbers of two pixels are equal
    if, short of one chance in 2^64, they are in the same masks. So contours and changes are those
    of the stack, and hundreds of masks need no more memory than one.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        size_hw: tuple[int, int],
        truth: np.ndarray | TrueInstances | None,
    ) -> None:
        self.path = path
        self.name = name
        self.any = False
        self._before = np.zeros(size_hw, np.uint64)
        self._after = np.zeros(size_hw, np.uint64)
        self._rng = np.random.default_rng(0)
        self._truth = truth
        # In how many masks more a pixel is wrong after than before.
        self._worse = np.zeros(size_hw, np.int32)

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

    def draw(self, insets: int) -> np.ndarray:
        """Draw all that was added; see :func:`draw_refinement`."""
        truth, changes = self._truth, None
        ignore_index: int | None = IGNORED
        if isinstance(truth, TrueInstances):
            changes = changes_of(self._before != self._after, self._worse)
            numbers = np.zeros_like(self._before)
            for mask in truth.masks():
                numbers[mask] += self._number()
            truth, ignore_index = numbers, None
        image = load_image(self.path)
        return draw_refinement(
            image, self._before, self._after, truth, insets, 1000, ignore_index, changes
        )

    def _number(self) -> np.uint64:
        return self._rng.integers(1, 2**64, dtype=np.uint64)
