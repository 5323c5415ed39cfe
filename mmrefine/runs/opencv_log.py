"""OpenCV's own messages, which the tools replace by one line for each file."""

import contextlib
import os
import threading
from collections.abc import Iterator

import cv2

LIBPNG = b'libpng '
STDERR = 2


def silence_opencv() -> None:
    """Stop OpenCV from printing warnings about broken images; libpng's own lines stay."""
    if hasattr(cv2, 'setLogLevel'):
        cv2.setLogLevel(0)
    else:  # OpenCV 5, whose type hints do not know it
        vars(cv2.utils)['logging'].setLogLevel(0)


@contextlib.contextmanager
def without_libpng() -> Iterator[None]:
    """Leave out of the error stream what libpng, inside OpenCV, prints of odd and broken PNGs.

    All that this process writes to it goes through a pipe meanwhile: libpng is C, and knows no
    Python stream.
    """
    outside = os.dup(STDERR)
    source, sink = os.pipe()
    os.dup2(sink, STDERR)
    os.close(sink)
    copying = threading.Thread(target=_copy, args=(source, outside), daemon=True)
    copying.start()
    try:
        yield
    finally:
        os.dup2(outside, STDERR)
        copying.join(1)
        os.close(outside)


def _copy(source: int, target: int) -> None:
    """Copy lines that are not libpng's, until the other end is closed."""
    with os.fdopen(source, 'rb') as lines:
        for line in lines:
            if not line.startswith(LIBPNG):
                os.write(target, line)
