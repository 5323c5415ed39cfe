"""Other libraries' advice that does not fit a network of this package."""

import contextlib
import re
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def without_warning(*beginnings: str) -> Iterator[None]:
    """Drop warnings for the time of a ``with`` statement, and only there.

    Args:
        beginnings: How their texts begin.
    """
    with warnings.catch_warnings():
        for text in beginnings:
            warnings.filterwarnings('ignore', message=re.escape(text))
        yield
