"""Files that are complete or not there."""

import os
import uuid
from pathlib import Path


def write_whole_file(path: str | os.PathLike, content: bytes) -> None:
    """Write a file that gets its name when it is complete.

    It is written beside ``path`` under a hidden temporary name, and renamed at the end; so a full
    disk or a killed process leaves what was there before. Missing folders are made.

    Args:
        path: The final name.
        content: What the file holds.

    Raises:
        OSError: if it cannot be written; ``filename`` is the final name.
    """
    final = Path(path)
    temporary = final.with_name(f'.{uuid.uuid4().hex}.tmp')
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open('wb') as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(final)) from error
