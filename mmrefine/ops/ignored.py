"""Which label of a map stands for ignored pixels, where nobody said so."""

from __future__ import annotations

from typing import Literal

import numpy as np

IGNORED_BYTE = 255  # by custom, in maps of one byte a pixel; so in all that the package makes

IgnoreIndex = int | None | Literal['auto']


def ignored_label(ignore_index: IgnoreIndex, dtype: np.dtype) -> int | None:
    """The label of ignored pixels in a map.

    Args:
        ignore_index: A label; ``None`` if there is none; or ``'auto'``: 255 in maps of uint8, none
            in others. What has room for more labels may hold instance ids or hundreds of classes,
            of which 255 is one.
        dtype: Of the map.

    Raises:
        ValueError: ``ignore_index`` is something else.
    """
    check_ignore_index(ignore_index)
    if ignore_index != 'auto':
        return ignore_index
    return IGNORED_BYTE if dtype == np.uint8 else None


def check_ignore_index(ignore_index: IgnoreIndex) -> None:
    """Raise a ValueError for what is no label, ``None`` or ``'auto'``."""
    is_label = isinstance(ignore_index, int | np.integer) and not isinstance(ignore_index, bool)
    if not (is_label or ignore_index is None or ignore_index == 'auto'):
        raise ValueError(f"ignore_index: expected a label, None or 'auto', got {ignore_index!r}")
