"""What there is to refine, image by image: what fails is listed, the others are refined."""

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2

from .source import Source
from .summary import Report

# No other file can be written either.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Change:
    """What refining did to one image.

    Attributes:
        changed: Pixels that got another label.
        pixels: Pixels there were.
        note: Something the user should know, the same line for all images it holds for.
        failed: A line for each mask that could not be refined, where the others were.
    """

    changed: int
    pixels: int
    note: str | None = None
    failed: tuple[str, ...] = ()


class Task(Protocol):
    """One image and its masks."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def is_done(self, source: Source) -> bool:
        """Whether the refined masks are there, complete, and all that ``source`` keeps."""

    def run(self, source: Source) -> Change:
        """Refine the masks with ``source`` and write them."""


class Work(Protocol):
    """What there is to refine; one class for each kind of input.

    Attributes:
        of_instances: Whether masks are those of instances: their area is counted, and those that
            fail are written as they were.
        fps: Images a second, if they are those of a video that says so.
        remarks: What the user should know before anything is refined.
    """

    of_instances: bool
    fps: float | None
    remarks: Sequence[str]

    @property
    def tasks(self) -> Sequence[Task]:
        """One for each image."""

    @property
    def missing(self) -> Sequence[str]:
        """A line for each input that cannot be refined, as what belongs to it is missing."""

    def is_finished(self) -> bool:
        """Whether an earlier run did everything and wrote everything."""

    def finish(self) -> Report:
        """Write what is written once, when all tasks have run; say what is odd in it.

        Where nothing could be refined, nothing is written, and ``Report.written`` says so.
        """


def run_tasks(
    tasks: Sequence[Task],
    source: Source,
    overwrite: bool = False,
    progress: Callable[[], object] = lambda: None,
) -> Report:
    """Refine images that are not refined yet.

    Args:
        tasks: The images.
        source: What refines.
        overwrite: Refine those again that are done.
        progress: Called after each image.

    Returns:
        What was done. It ends early where no file can be written any more, and at a keyboard
        interrupt; the same call goes on from there.
    """
    report = Report()
    for task in tasks:
        try:
            _run_task(task, source, overwrite, report)
        except KeyboardInterrupt:
            report.stopped = 'interrupted'
            break
        except OSError as error:
            report.failed.append(f'{error.filename or task.name}: {error.strerror or error}')
            if error.errno in DISK_FULL:
                report.stopped = report.failed.pop()
                break
        except (ValueError, TypeError) as error:
            text = str(error)
            report.failed.append(text if task.name in text else f'{task.name}: {text}')
        except (RuntimeError, MemoryError, cv2.error) as error:
            # Not enough memory for one image, or something the network cannot do with it.
            reason = (str(error).strip().splitlines() or ['no reason given'])[0]
            report.failed.append(f'{task.name}: {type(error).__name__}: {reason}')
        progress()
    return report


def _run_task(task: Task, source: Source, overwrite: bool, report: Report) -> None:
    if not overwrite and task.is_done(source):
        report.skipped += 1
        return
    start = time.perf_counter()
    change = task.run(source)
    report.refined += 1
    report.failed += change.failed
    report.changed += change.changed
    report.pixels += change.pixels
    report.seconds += time.perf_counter() - start
    if change.note is not None and change.note not in report.notes:
        report.notes.append(change.note)
