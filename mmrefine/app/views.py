"""What the page shows of one refined image: the image, outlines, changed pixels, confidence.

Legend: H, W = image; N = masks.
"""

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..batch.source import ImageFile, OpenedImage, RefinerSource
from ..refiners import Refiner, load_image

# BGRA of pixels that became object, that ceased to be, and that got another label.
ADDED, REMOVED, OTHER = (178, 114, 0, 255), (0, 94, 213, 255), (167, 121, 204, 255)
DOUBT = (66, 228, 240)
# Larger images are shown smaller.
MOST_PIXELS = 8_000_000


@dataclass(frozen=True)
class View:
    """One image on the page.

    Attributes:
        name: The image's file name.
        folder: Has ``image.jpg``, ``changed.png``, ``confidence.png`` and ``outlines.json``.
        changed: Pixels that changed.
        has_confidence: Whether the refiner says how sure it is.
    """

    name: str
    folder: Path
    changed: int
    has_confidence: bool


class WatchingSource:
    """A refiner as a source for files, that writes what the page shows of each image.

    Args:
        refiner: Any refiner.
        folder: Where views go.
        most: Images beyond this number are refined without a view.

    Attributes:
        views: What was written.
    """

    def __init__(self, refiner: Refiner, folder: Path, most: int = 50) -> None:
        self._source = RefinerSource(refiner)
        self._folder = folder
        self._most = most
        parameters = inspect.signature(refiner.refine).parameters
        self._confident = 'return_confidence' in parameters
        self.views: list[View] = []

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[OpenedImage]:
        """Make ready for the masks of an image, and write its view when they are refined."""
        with self._source.open(image) as opened:
            if len(self.views) >= self._most:
                yield opened
                return
            seen = _Seen(opened.size_hw)
            array = load_image(image.path)

            def refine(masks: np.ndarray) -> np.ndarray:
                if not self._confident:
                    refined = opened.refine(masks)
                    seen.add(masks, refined, None)
                    return refined
                found = self._source.refiner.refine(  # type: ignore[call-arg]
                    array, masks, return_confidence=True
                )
                if isinstance(found, np.ndarray):  # there was nothing to look at
                    seen.add(masks, found, None)
                    return found
                seen.add(masks, found.masks, found.confidence)
                return found.masks

            yield replace(opened, refine=refine, refine_parts=None)
        folder = self._folder / str(len(self.views))
        folder.mkdir(parents=True)
        self.views.append(seen.write(image.path.name, array, folder))

    def is_done(self, image: ImageFile) -> bool:
        """Nothing is there before."""
        return False


class _Seen:
    """All masks of an image, before and after, in one map each.

    A stack becomes the sum of a random number for each mask, as in ``batch.drawing``: two pixels
    are equal if they are in the same masks.
    """

    def __init__(self, size_hw: tuple[int, int]) -> None:
        self._before = np.zeros(size_hw, np.uint64)
        self._after = np.zeros(size_hw, np.uint64)
        self._doubt: np.ndarray | None = None
        self._rng = np.random.default_rng(0)

    def add(self, before: np.ndarray, after: np.ndarray, confidence: np.ndarray | None) -> None:
        """Add a label map (H, W), or a stack (N, H, W), and how sure it is, of its shape."""
        if before.ndim == 2:
            self._before, self._after = before.astype(np.int64), after.astype(np.int64)
        else:
            for mask, refined in zip(before != 0, after != 0, strict=True):
                number = self._rng.integers(1, 2**64, dtype=np.uint64)
                self._before[mask] += number
                self._after[refined] += number
        if confidence is not None and confidence.size:
            doubt = 1 - (confidence if confidence.ndim == 2 else confidence.min(0))
            self._doubt = doubt if self._doubt is None else np.maximum(self._doubt, doubt)

    def write(self, name: str, image: np.ndarray, folder: Path) -> View:
        """Write the view of an image, BGR uint8 (H, W, 3)."""
        height, width = self._before.shape
        scale = min(1, (MOST_PIXELS / (height * width)) ** 0.5)
        size_wh = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA) if scale < 1 else image
        _write(folder / 'image.jpg', small, [cv2.IMWRITE_JPEG_QUALITY, 92])
        changed = self._before != self._after
        colours = np.zeros((height, width, 4), np.uint8)
        colours[changed] = OTHER
        colours[changed & (self._before == 0)] = ADDED
        colours[changed & (self._after == 0)] = REMOVED
        _write(folder / 'changed.png', _smaller(colours, size_wh))
        if self._doubt is not None:
            cover = np.zeros((height, width, 4), np.uint8)
            cover[..., :3] = DOUBT
            cover[..., 3] = (self._doubt * 2 * 255).clip(0, 255)
            _write(folder / 'confidence.png', _smaller(cover, size_wh))
        content = dict(
            size=[width, height],
            before=outline_path(self._before),
            after=outline_path(self._after),
        )
        (folder / 'outlines.json').write_text(json.dumps(content))
        return View(name, folder, int(np.count_nonzero(changed)), self._doubt is not None)


def outline_path(labels: np.ndarray) -> str:
    """The edges between pixels of different labels, as the path of an SVG.

    Args:
        labels: (H, W), any integer dtype.

    Returns:
        Moves and straight lines along the edges of pixels; a pixel is one unit wide. The border
        of the image is no edge.
    """
    below = labels[1:] != labels[:-1]
    beside = (labels[:, 1:] != labels[:, :-1]).T
    lines = [f'M{start} {row + 1}h{length}' for row, start, length in _runs(below)]
    lines += [f'M{column + 1} {start}v{length}' for column, start, length in _runs(beside)]
    return ''.join(lines)


def _runs(edges: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Row, start and length of each run of True in a row."""
    ends = np.diff(np.pad(edges.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(ends == 1)
    _, stops = np.nonzero(ends == -1)
    yield from zip(rows.tolist(), starts.tolist(), (stops - starts).tolist(), strict=True)


def _smaller(colours: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    if colours.shape[1::-1] == size_wh:
        return colours
    return cv2.resize(colours, size_wh, interpolation=cv2.INTER_NEAREST)


def _write(path: Path, array: np.ndarray, options: list[int] | None = None) -> None:
    path.write_bytes(cv2.imencode(path.suffix, array, options or [])[1].tobytes())
