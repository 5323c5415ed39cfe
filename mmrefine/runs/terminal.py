"""What a run of mmengine shows on the terminal: progress and results. Its log file has all."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

# mmengine's own, of parts that it uses itself.
OF_ITS_OWN_PARTS = ('"FileClient" will be deprecated', '"HardDiskBackend" is the alias')


@contextlib.contextmanager
def brief_terminal() -> Iterator[None]:
    """Let runners that are built meanwhile write environment, config and hooks to the file only."""
    build = Runner.build_logger

    def build_logger(self: Runner, *args: Any, **kwargs: Any) -> logging.Logger:
        logger = build(self, *args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_for_people)
        return logger

    Runner.build_logger = build_logger
    try:
        yield
    finally:
        Runner.build_logger = build


def log_file(runner: Runner) -> str | None:
    """The log file of a runner, as it is found from here."""
    for handler in runner.logger.handlers:
        if isinstance(handler, logging.FileHandler):
            return from_here(handler.baseFilename)
    return None


def from_here(path: str) -> str:
    """A path, relative where it is below the current folder."""
    here, there = Path.cwd(), Path(path).resolve()
    return str(there.relative_to(here)) if there.is_relative_to(here) else path


def _is_for_people(record: logging.LogRecord) -> bool:
    """Whether a record is no dump of the runner: of these, each has many lines."""
    text = record.getMessage()
    if text.startswith(OF_ITS_OWN_PARTS):
        return False
    of_runner = Path(record.pathname).parts[-3:] == ('mmengine', 'runner', 'runner.py')
    return not (of_runner and record.levelno == logging.INFO and '\n' in text)
