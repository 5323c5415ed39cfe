"""Sharing work among processes on one machine."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import cv2

TaskT = TypeVar('TaskT')
ResultT = TypeVar('ResultT')
DEFAULT_WORKERS = 4


def in_processes(
    function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], workers: int
) -> Iterator[ResultT]:
    """Call a function for each task, in at most ``workers`` processes.

    Args:
        function: A function of a module, so that other processes find it.
        tasks: What it is called with.
        workers: Most processes; with 1 or less, or one task, this process does all the work.

    Yields:
        The results in the order of the tasks.

    Raises:
        ValueError: if a process was killed.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    modules = {type(tasks[0]).__module__, getattr(function, 'func', function).__module__}
    pool = ProcessPoolExecutor(workers, _context(sorted(modules)), initializer=_start_worker)
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


def _context(modules: list[str]) -> Any:
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    # Imports once, and forks from a process without threads: workers share what is imported.
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(modules)
    return context


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    cv2.setNumThreads(1)
