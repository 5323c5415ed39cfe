"""Counting many images in several processes, whose counts add up as they come in.

Shape legend: H, W = image; P = predictions, of which the first is the one others are compared with;
C = classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..measures import Counts, total
from ..runs.pool import in_processes


@dataclass(frozen=True)
class Scene:
    """One image as its ground truth and all predictions have it, to count and to draw.

    Attributes:
        target: (H, W), labels that ``palette`` has colours for.
        predictions: P of the same.
        wrong: (P, H, W) bool.
        judged: (H, W) bool, pixels that are not ignored.
        palette: (K, 3) uint8, RGB.
    """

    target: np.ndarray
    predictions: list[np.ndarray]
    wrong: np.ndarray
    judged: np.ndarray
    palette: np.ndarray


@dataclass(frozen=True)
class ImageScore:
    """How right the predictions of one image are.

    Attributes:
        name: The image.
        pixels: Pixels that are judged.
        wrong: (P,), wrong pixels of each prediction.
        fixed: (P,), pixels that are wrong in the first prediction and right in this one.
        broken: (P,), the other way round.
        by_class: The same by the true class of the pixels, int64 (1 + 3 · P, C): judged pixels,
            then wrong, fixed and broken ones. ``None`` where labels are no classes.
    """

    name: str
    pixels: int
    wrong: tuple[int, ...]
    fixed: tuple[int, ...]
    broken: tuple[int, ...]
    by_class: np.ndarray | None = None

    def gain(self, prediction: int) -> float:
        """Share of the pixels that are right in a prediction and were wrong in the first."""
        return (self.fixed[prediction] - self.broken[prediction]) / max(self.pixels, 1)


@dataclass(frozen=True)
class ImageCounts:
    """What a task counts.

    Attributes:
        score: For the ranking of images.
        counts: For each prediction, counts by name, the same names for all.
    """

    score: ImageScore
    counts: list[dict[str, Counts]]


class ComparedImage(Protocol):
    """One image, its ground truth and its predictions."""

    @property
    def name(self) -> str:
        """The image, for people."""

    @property
    def image_name(self) -> str:
        """What its photograph is called: path below the folder of photographs."""

    def scene(self) -> Scene:
        """Read the image."""

    def count(self) -> ImageCounts:
        """Read and count the image."""


def score_of(name: str, scene: Scene, pixels: int, num_classes: int | None = None) -> ImageScore:
    """Compare the predictions of one image pixel by pixel.

    Args:
        name: The image.
        scene: Its labels.
        pixels: Pixels that are judged.
        num_classes: C, where labels are classes.
    """
    before = scene.wrong[0]
    fixed = [before & ~wrong for wrong in scene.wrong]
    broken = [wrong & ~before for wrong in scene.wrong]
    by_class = None
    if num_classes is not None:
        rows = [scene.judged, *scene.wrong, *fixed, *broken]
        by_class = np.array([np.bincount(scene.target[r], minlength=num_classes) for r in rows])
    wrong, fixed_pixels, broken_pixels = (
        # numpy's own integers, since 2.4, are none that JSON takes.
        tuple(int(np.count_nonzero(mask)) for mask in masks)
        for masks in (scene.wrong, fixed, broken)
    )
    return ImageScore(name, pixels, wrong, fixed_pixels, broken_pixels, by_class)


@dataclass
class Sum:
    """Counts of many images, added up one after the other."""

    _sum: Counts | None = None
    _rows: list[Counts] = field(default_factory=list)

    def add(self, counts: Counts) -> None:
        """Add the counts of one image."""
        if counts.per_image_rows:
            self._rows.append(counts)  # joined once: each joining copies the rows before
        else:
            self._sum = counts if self._sum is None else self._sum + counts

    def total(self) -> Any:
        """All counts added; ValueError if there are none."""
        return total(self._rows) if self._sum is None else self._sum


def add_up(
    tasks: Sequence[ComparedImage], names: int, workers: int, progress: Callable[[], object]
) -> tuple[list[ImageScore], list[dict[str, Any]]]:
    """Count all images.

    Args:
        tasks: The images.
        names: How many predictions there are.
        workers: Most processes.
        progress: Called after each image.

    Returns:
        Scores in the order of the tasks, and counts by name for each prediction.

    Raises:
        ValueError: if an image cannot be read or counted, or a process is killed.
    """
    scores = []
    sums: list[dict[str, Sum]] = [{} for _ in range(names)]
    for found in in_processes(_count, tasks, workers):
        scores.append(found.score)
        for mine, counts in zip(sums, found.counts, strict=True):
            for key, value in counts.items():
                mine.setdefault(key, Sum()).add(value)
        progress()
    return scores, [{key: value.total() for key, value in mine.items()} for mine in sums]


def _count(task: ComparedImage) -> ImageCounts:
    return task.count()
