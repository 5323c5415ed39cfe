"""Counting many images in several processes, whose counts add up as they come in.

Shape legend: H, W = image; P = predictions, of which the first is the one others are compared with;
C = classes.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np

from ..measures import Counts, total

TaskT = TypeVar('TaskT')
ResultT = TypeVar('ResultT')
DEFAULT_WORKERS = 4


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
    counts = (tuple(map(np.count_nonzero, masks)) for masks in (scene.wrong, fixed, broken))
    return ImageScore(name, pixels, *counts, by_class)


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


def in_processes(
    function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], workers: int
) -> Iterator[ResultT]:
    """Call a function for each task, in at most ``workers`` processes.

    Args:
        function: A function of a module, so that other processes find it.
        tasks: What it is called with.
        workers: Most processes; with 1, or one task, this process does all the work.

    Yields:
        The results in the order of the tasks.

    Raises:
        ValueError: if a process was killed.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    pool = ProcessPoolExecutor(workers, _context(), initializer=_start_worker)
    try:
        yield from pool.map(function, tasks)
    except BrokenProcessPool as error:
        raise ValueError(
            f'workers: one of {workers} processes was killed, most likely for want of memory; '
            'try fewer'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def default_workers() -> int:
    """As many processes as there are cores for this one, but no more than four."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return min(DEFAULT_WORKERS, allowed or 1)


def _context() -> Any:
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    # Imports once, and forks from a process without threads: workers share what is imported.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mmrefine.reports.label_maps', 'mmrefine.reports.instances'])
    return context


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    cv2.setNumThreads(1)
