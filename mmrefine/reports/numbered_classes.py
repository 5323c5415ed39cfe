"""Classes where nobody names them: counted in the label maps themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files.label_maps import read_label_map
from ..runs.pool import in_processes
from .binary_masks import BINARY, named
from .classes import ClassList, class_list

# More labels than these are hardly classes.
MOST = 256


@dataclass(frozen=True)
class CountedClasses:
    """What labels of files stand for.

    Attributes:
        classes: Names and colours.
        ignore_index: Label that is not judged; None if all are.
        remark: A sentence on them.
    """

    classes: ClassList
    ignore_index: int | None
    remark: str


def count_classes(
    truth: Sequence[Path],
    predictions: Sequence[Path],
    ignore_index: int | None = 255,
    reduced: Iterable[str] = (),
    workers: int = 1,
) -> CountedClasses:
    """Number the classes in label maps from 0 to the largest label there is.

    Masks of 0 and 255 only have two classes, and nothing is ignored. With nothing ignored, either
    side may write them as 0 and 1.

    Args:
        truth: Files of ground truth.
        predictions: Files of predictions.
        ignore_index: Label of no class.
        reduced: ``'truth'``, ``'predictions'`` or both where 0 stands for no class and 1 for the
            first one.
        workers: Processes that read.

    Raises:
        ValueError: if a file cannot be read, holds colours or labels beyond 255, or no file holds
            a class.
    """
    labels = {}
    for kind, paths in dict(truth=truth, predictions=predictions).items():
        found: set[int] = set().union(*in_processes(_labels_in, paths, workers))
        labels[kind] = found
    everything = set().union(*labels.values())
    as_ones = ignore_index is None and everything <= {0, 1, 255}
    if (everything <= BINARY or as_ones) and 255 in everything and not set(reduced):
        text = 'masks of 0 and 255 are judged as background and object'
        return CountedClasses(class_list(['background', 'object']), None, text)
    if ignore_index is None and labels['predictions'] == BINARY != labels['truth']:
        raise ValueError(
            f'predictions: hold only 0 and 255, while the ground truth holds '
            f'{named(sorted(labels["truth"]))}; expected the same numbers in both'
        )
    lowered = {kind: kind in set(reduced) for kind in labels}
    largest = max(
        (label - lowered[kind] for kind in labels for label in labels[kind] - {ignore_index}),
        default=-1,
    )
    if not 0 <= largest < MOST:
        raise ValueError(
            f'classes: without --classes or --dataset, labels must be 0 to {MOST - 1}, the largest '
            f'is {largest}; instance ids are no classes'
            if largest >= 0
            else 'classes: no file holds a label that is judged'
        )
    text = f'classes are numbered 0 to {largest}, as neither --classes nor --dataset names them'
    return CountedClasses(class_list([str(n) for n in range(largest + 1)]), ignore_index, text)


def _labels_in(path: Path) -> set[int]:
    form = read_label_map(path, colours=True)
    if form.rgb:
        raise ValueError(f'{path}: colours stand for classes only with --classes or --dataset')
    return {int(label) for label in np.unique(form.labels)}
