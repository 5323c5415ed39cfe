"""One run at a time writes an output."""

import os
import weakref
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class OutputLock:
    """Holds an output for this run, until it is released, collected or its process ends.

    Args:
        out: The output. A hidden file beside it says who holds it.

    Raises:
        ValueError: if another run holds it; the text names its process.
    """

    def __init__(self, out: str | os.PathLike) -> None:
        final = Path(out)
        self._path = final.with_name(f'.{final.name}.lock')
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open('a+')
        if fcntl is not None:
            try:
                # Falls with the process, however that ends: no lock is ever left over.
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                self._file.seek(0)
                owner = self._file.read().strip() or 'another'
                self._file.close()
                raise ValueError(f'{out}: process {owner} is writing it') from error
        self._file.truncate(0)
        self._file.write(f'{os.getpid()}\n')
        self._file.flush()
        self._release = weakref.finalize(self, _release, self._file, self._path)

    def release(self) -> None:
        """Let another run write the output."""
        self._release()


def _release(file: IO[str], path: Path) -> None:
    path.unlink(missing_ok=True)
    file.close()
