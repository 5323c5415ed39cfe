"""What every measure returns: counts of one image that add up to those of a dataset.

A measure looks at one prediction and its ground truth and gives a ``Counts``.
Counts add (``+``, ``sum``, ``total``), and ``counts.figures()`` turns them into
figures. Whole numbers are added and per-image figures are averaged by an exactly
rounded sum, so a dataset's figures depend neither on the order of its images nor on
how they were spread over processes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np

CountsT = TypeVar('CountsT', bound='Counts')


@dataclass(frozen=True, eq=False)
class Counts:
    """Base of all counts: a frozen dataclass of arrays, and of settings that are no arrays.

    Adding counts adds their arrays, or, in a class with ``per_image_rows``, joins them along
    the first axis, which is images. Settings must be equal.
    """

    per_image_rows: ClassVar[bool] = False

    def __add__(self: CountsT, other: CountsT) -> CountsT:
        if not isinstance(other, Counts):
            return NotImplemented
        return total([self, other])

    def __radd__(self: CountsT, other: int) -> CountsT:
        # sum() starts at 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def figures(self) -> dict[str, Any]:
        """The figures of everything counted so far, as fractions of 1 (not per cent)."""
        raise NotImplementedError


def total(counts: Iterable[CountsT]) -> CountsT:
    """Add up counts in one go (``sum`` would copy the rows of all images again and again).

    Args:
        counts: Counts of one kind, made with the same settings; at least one.

    Raises:
        TypeError: Counts of different kinds.
        ValueError: No counts, or counts made with different settings or class numbers.
    """
    parts = list(counts)
    if not parts:
        raise ValueError('counts: nothing to add up; at least one image is needed')
    kinds = {type(part).__name__ for part in parts}
    if len(kinds) > 1:
        raise TypeError(f'counts: all must be of one kind, got {sorted(kinds)}')
    names = [item.name for item in fields(parts[0])]
    return type(parts[0])(*(_merge(name, parts) for name in names))


def _merge(name: str, parts: list[CountsT]) -> Any:
    values = [getattr(part, name) for part in parts]
    joined = parts[0].per_image_rows
    arrays = isinstance(values[0], np.ndarray)
    marks = {(v.shape[1:] if joined else v.shape) if arrays else v for v in values}
    if len(marks) > 1:
        what = 'shapes (was num_classes given, and the same?)' if arrays else 'settings'
        raise ValueError(f'{name}: counts made with different {what} do not add up: {marks}')
    if not arrays:
        return values[0]
    return np.concatenate(values) if joined else np.sum(values, axis=0)


def exact_mean(values: np.ndarray) -> float:
    """Mean of the finite ``values`` by an exactly rounded sum; NaN if there are none."""
    finite = values[np.isfinite(values)].ravel().tolist()
    return math.fsum(finite) / len(finite) if finite else math.nan


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """``numerator / denominator`` in float64; NaN where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    return np.divide(
        numerator, denominator, out=np.full(shape, np.nan), where=np.asarray(denominator) != 0
    )
