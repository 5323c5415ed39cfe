"""Refining many images one after the other: what fails is listed, the others are refined."""

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2

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

    name: str

    def is_done(self) -> bool:
        """Whether the refined masks are there, and complete."""

    def run(self) -> Change:
        """Refine the masks and write them."""


def run_tasks(
    tasks: Sequence[Task],
    overwrite: bool = False,
    progress: Callable[[], object] = lambda: None,
) -> Report:
    """Refine images that are not refined yet.

    Args:
        tasks: The images.
        overwrite: Refine those again that are done.
        progress: Called after each image.

    Returns:
        What was done. It ends early where no file can be written any more, and at a keyboard
        interrupt; the same call goes on from there.
    """
    report = Report()
    for task in tasks:
        try:
            _run_task(task, overwrite, report)
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


def _run_task(task: Task, overwrite: bool, report: Report) -> None:
    if not overwrite and task.is_done():
        report.skipped += 1
        return
    start = time.perf_counter()
    change = task.run()
    report.refined += 1
    report.failed += change.failed
    report.changed += change.changed
    report.pixels += change.pixels
    report.seconds += time.perf_counter() - start
    if change.note is not None and change.note not in report.notes:
        report.notes.append(change.note)
