"""Jobs of the page: one after the other, each in a folder of its own that goes away again."""

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2

from ..refiners import Refiner
from .messages import for_page
from .uploads import Outcome, refine_uploads, safe_name

State = Literal['open', 'waiting', 'running', 'done', 'failed']


@dataclass(frozen=True)
class Limits:
    """How much is taken.

    Attributes:
        upload_bytes: Of all files of a job.
        files: Files of a job.
        pixels: Pixels of an image.
        jobs: Jobs that are kept at a time, those that wait included.
        seconds: How long a job is kept.
    """

    upload_bytes: int = 200 * 2**20
    files: int = 400
    pixels: int = 40_000_000
    jobs: int = 32
    seconds: float = 3600


class TooMuch(ValueError):
    """A limit is exceeded."""


@dataclass
class Job:
    """What one user wants refined.

    Attributes:
        token: What it is known by; nobody can guess it.
        folder: Its files.
        state: Where it is.
        message: Why it failed.
        done: Images that are refined, of ``total``.
        outcome: What came out.
    """

    token: str
    folder: Path
    state: State = 'open'
    message: str = ''
    done: int = 0
    total: int = 0
    outcome: Outcome | None = None
    bytes: int = 0
    files: int = 0
    born: float = field(default_factory=time.monotonic)


class Jobs:
    """All jobs.

    Args:
        refiner: Builds the refiner of a name, or gives the one that is there.
        names: The names.
        limits: How much is taken.
    """

    def __init__(
        self,
        refiner: Callable[[str], Refiner],
        names: list[str],
        limits: Limits | None = None,
    ) -> None:
        self.names = names
        self.limits = limits or Limits()
        self._refiner = refiner
        self._root = tempfile.TemporaryDirectory(prefix='mmrefine-app-')
        self._jobs: dict[str, Job] = {}
        self._queue: list[str] = []
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1)

    def create(self) -> Job:
        """Open a job.

        Raises:
            TooMuch: if there are too many.
        """
        with self._lock:
            self._forget()
            if len(self._jobs) >= self.limits.jobs:
                raise TooMuch('there are too many users at the moment, try again in a minute')
            token = secrets.token_urlsafe(18)
            job = Job(token, Path(self._root.name, token))
            job.folder.mkdir()
            self._jobs[token] = job
            return job

    def get(self, token: str) -> Job:
        """The job of a token.

        Raises:
            KeyError: if there is none (any more).
        """
        return self._jobs[token]

    def place_for(self, job: Job, kind: str, name: str) -> Path:
        """Where an uploaded file of a job goes.

        Raises:
            ValueError: if it is of no kind that is taken, or the job has begun.
            TooMuch: if there are too many files.
        """
        if job.state != 'open':
            raise ValueError('this job has begun; begin another one')
        if job.files >= self.limits.files:
            raise TooMuch(f'too many files, expected {self.limits.files} at most')
        path = job.folder / kind / safe_name(name, kind)
        if path.exists():
            raise ValueError(f'{path.name}: two files have this name')
        path.parent.mkdir(exist_ok=True)
        job.files += 1
        return path

    def count(self, job: Job, number: int) -> None:
        """Count bytes that are uploaded.

        Raises:
            TooMuch: if they are too many.
        """
        job.bytes += number
        if job.bytes > self.limits.upload_bytes:
            most = self.limits.upload_bytes / 2**20
            raise TooMuch(f'the files are too large, expected {most:g} MB together at most')

    def start(self, job: Job, name: str, resize: bool = False) -> None:
        """Let a job wait for its turn.

        Args:
            job: An open one.
            name: Of the refiner.
            resize: Whether masks of another size than their image are brought to it.

        Raises:
            ValueError: if there is no such refiner, or the job has begun.
        """
        if name not in self.names:
            raise ValueError(f'method: expected {", ".join(self.names)}, got {name}')
        with self._lock:
            if job.state != 'open':
                raise ValueError('this job has begun; begin another one')
            job.state = 'waiting'
            self._queue.append(job.token)
        self._worker.submit(self._run, job, name, resize)

    def before(self, job: Job) -> int:
        """How many jobs come before it."""
        with self._lock:
            return self._queue.index(job.token) if job.token in self._queue else 0

    def close(self) -> None:
        """End, and remove all files."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._root.cleanup()

    def _run(self, job: Job, name: str, resize: bool) -> None:
        job.state = 'running'

        def progress(done: int, total: int) -> None:
            job.done, job.total = done, total

        try:
            refiner = self._refiner(name)
            most = self.limits.pixels
            job.outcome = refine_uploads(job.folder, refiner, most, progress, resize)
            job.outcome.notes = [self._for_user(job, note) for note in job.outcome.notes]
            job.state = 'done'
        except (ValueError, TypeError, ImportError, OSError) as error:
            job.message, job.state = self._for_user(job, str(error)), 'failed'
        except (RuntimeError, MemoryError, cv2.error) as error:
            reason = (str(error).strip().splitlines() or ['no reason given'])[0]
            text = self._for_user(job, f'{type(error).__name__}: {reason}')
            job.message, job.state = text, 'failed'
        finally:
            with self._lock:
                self._queue.remove(job.token)

    def _for_user(self, job: Job, text: str) -> str:
        """A message without the places of this machine, and without options of the command."""
        for folder in ('images', 'masks', 'out', ''):
            text = text.replace(f'{job.folder / folder}/', '').replace(str(job.folder / folder), '')
        return for_page(text).strip()

    def _forget(self) -> None:
        """Remove what is old; where it is full, the oldest that nothing happens to."""
        idle = [job for job in self._jobs.values() if job.state not in ('waiting', 'running')]
        idle.sort(key=lambda job: job.born)
        now, spare = time.monotonic(), len(self._jobs) - self.limits.jobs + 1
        finished = [job for job in idle if job.state != 'open']
        old = [job for job in idle if now - job.born > self.limits.seconds]
        for job in {id(job): job for job in [*old, *finished[: max(0, spare - len(old))]]}.values():
            del self._jobs[job.token]
            shutil.rmtree(job.folder, ignore_errors=True)
