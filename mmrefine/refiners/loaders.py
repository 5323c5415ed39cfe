"""What reads images: the package's own reader, or a function of the user's."""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from ..files.image_windows import open_windows
from ..files.images import from_array
from .base import Image, load_image

Loader = Callable[[Image], np.ndarray]


def image_loader(
    loader: Loader | str | None = None,
    bands: Sequence[int] | None = None,
    by_windows: bool = False,
) -> Loader:
    """What reads images → BGR uint8 (H, W, 3).

    Args:
        loader: A function from a path to an array as ``load_image`` takes them; or its name,
            ``'module:function'``, which is imported, so only from people you trust; it may lie in
            the current folder. By default, ``load_image``.
        bands: As for ``load_image``, in place of a loader.
        by_windows: Whether a large TIFF may come as ``ImageWindows``, which stands for its array
            and is read where it is looked at.

    Raises:
        ValueError: if there is no such function, or both are given.
        TypeError: if it is no function; and when it reads, if it gives no such array.
    """
    if loader is None:
        return partial(_load, bands=bands, by_windows=by_windows)
    if bands is not None:
        raise ValueError('loader: reads images its own way; give a loader or bands')
    read = _imported(loader) if isinstance(loader, str) else loader
    if not callable(read):
        raise TypeError(f'loader: expected a function, got {type(read).__name__}')

    def load(image: Image) -> np.ndarray:
        if isinstance(image, np.ndarray):  # it is read already
            return from_array(image)
        array = read(image)
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f'loader: expected a BGR uint8 array of {image}, got {type(array).__name__}'
            )
        return from_array(array)

    return load


def _load(image: Image, bands: Sequence[int] | None, by_windows: bool) -> np.ndarray:
    if by_windows and isinstance(image, str | os.PathLike):
        windows = open_windows(image, bands)
        if windows is not None:
            return cast(np.ndarray, windows)
    return load_image(image, bands)


def _imported(name: str) -> Loader:
    module, _, function = name.partition(':')
    if not module or not function:
        raise ValueError(f"loader: expected 'module:function', got {name!r}")
    here = os.fspath(Path.cwd())
    if here not in sys.path:  # where commands that are installed do not look
        sys.path.append(here)
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise ValueError(f'loader: {name}: {error}') from error
