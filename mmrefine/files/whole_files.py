"""Files that are complete or not there."""

import hashlib
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def write_whole_file(
    path: str | os.PathLike, content: bytes | Callable[[IO[bytes]], object]
) -> None:
    """Write a file that gets its name when it is complete.

    It is written beside ``path`` under a hidden temporary name, and renamed at the end; so a full
    disk or a killed process leaves what was there before. What a killed process left of the file
    is taken by the next that writes it. Missing folders are made.

    Args:
        path: The final name.
        content: What the file holds; or what writes it into an open file, which spares memory
            where it is large.

    Raises:
        OSError: if it cannot be written; ``filename`` is the final name.
    """
    final = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        file, temporary = _temporary(final)
        try:
            with file:
                if isinstance(content, bytes):
                    file.write(content)
                else:
                    content(file)
                file.flush()
                os.fsync(file.fileno())
                if fcntl is not None:
                    temporary.replace(final)  # while it is locked
            if fcntl is None:
                temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(final)) from error


def _temporary(final: Path) -> tuple[IO[bytes], Path]:
    """An empty file for what will be ``final``: always of one name, unless that is in use."""
    own = final.with_name(f'.{uuid.uuid4().hex}.tmp')
    usual = final.with_name(f'.{hashlib.sha256(final.name.encode()).hexdigest()[:32]}.tmp')
    if fcntl is not None:
        # Not truncated before it is locked, and not for appending: writers go back in the file.
        file = open(usual, 'r+b', opener=_created)  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have renamed it while it was opened here.
            if os.path.samestat(os.fstat(file.fileno()), usual.stat()):
                file.truncate(0)
                return file, usual
        except OSError:
            pass  # another process is writing it, or files cannot be locked here
        file.close()
    return own.open('wb'), own


def _created(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT, 0o666)
