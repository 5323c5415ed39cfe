"""Masks of 0 and 255 among label maps, where 255 may be an object, or pixels of no class."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files.label_maps import read_label_map
from ..ops.ignored import IGNORED_BYTE

BINARY = {0, 255}
# So many labels of a folder are named.
MOST_NAMED = 8


class Maps(NamedTuple):
    """Label maps, and the folder or file that they are from."""

    place: str | os.PathLike
    paths: Sequence[Path]

    def are_binary(self) -> bool:
        """Whether all hold 0 and 255 only, and some 255."""
        any_255 = False
        for path in self.paths:
            labels = read_label_map(path, colours=True).labels
            if ((labels != 0) & (labels != 255)).any():
                return False  # classes, as is nearly always seen from the first file
            any_255 |= is_binary(labels)
        return any_255

    def labels(self) -> list[int]:
        """All labels there are."""
        found = (np.unique(read_label_map(path, colours=True).labels) for path in self.paths)
        return sorted(set().union(*(labels.tolist() for labels in found)))


def is_binary(labels: np.ndarray) -> bool:
    """Whether a map holds 255 and nothing else but 0."""
    return bool((labels == 255).any() and ((labels == 0) | (labels == 255)).all())


def refuse_binary(
    truth: Maps, predictions: Sequence[Maps], num_classes: int, ignore_index: int | None
) -> None:
    """Refuse masks of 0 and 255 where 255 is no class: figures would be of the background alone.

    Args:
        truth: Ground truth.
        predictions: What is judged.
        num_classes: Of the classes.
        ignore_index: Label that is not judged, if any.

    Raises:
        ValueError: if they are. The text names the folder, what it holds and what is allowed.
    """
    if ignore_index != IGNORED_BYTE:
        return
    binary = next((maps for maps in predictions if maps.are_binary()), None)
    if truth.are_binary() and (binary or num_classes == 2):
        more = '' if num_classes == 2 else f', and two classes, not {num_classes}'
        raise ValueError(
            f'{truth.place}: all label maps hold only 0 and 255, and 255 counts as ignored; if '
            f'they are binary masks, use --ignore-index none{more}'
        )
    if binary:
        raise ValueError(_wrong(binary, truth, num_classes))


def _wrong(binary: Maps, truth: Maps, num_classes: int) -> str:
    labels = truth.labels()
    as_object = set(labels) <= {0, 1} and num_classes == 2
    return (
        f'{binary.place}: all label maps hold only 0 and 255, while {truth.place} holds '
        f'{named(labels)}; expected classes 0 to {num_classes - 1}, 255 is none. '
        + (
            'If 255 means 1, use --ignore-index none'
            if as_object
            else 'Write the number of the class that 255 stands for in its place'
        )
    )


def named(labels: Sequence[int]) -> str:
    """Some labels, for people."""
    more = ' ...' if len(labels) > MOST_NAMED else ''
    return ', '.join(map(str, labels[:MOST_NAMED])) + more
