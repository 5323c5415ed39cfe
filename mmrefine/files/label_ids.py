"""Which labels of a label map are left alone, and which are allowed at all."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..ops.ignored import IgnoreIndex, ignored_label

# Cityscapes' label ids that are classes; all others (0 unlabeled, 4 static, 15 bridge, 29
# caravan, ...) are void and never evaluated.
CITYSCAPES_CLASSES = (7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33)
# Instance ids of Cityscapes: label id · 1000 + number; label ids alone where not counted.
CITYSCAPES_INSTANCE_FACTOR = 1000

# Takes the place of every ignored label while refining; such a label in a file is refused.
IGNORED_MARK = int(np.iinfo(np.int16).min)

LabelIds = Literal['plain', 'cityscapes']


@dataclass(frozen=True)
class LabelRules:
    """What the labels mean: which are ignored, which allowed.

    Attributes:
        ignore_index: The id of ignored pixels, ``None`` if there is none, or ``'auto'``.
        label_ids: ``'plain'`` or ``'cityscapes'``.
        num_classes: Labels must be below it, if given.
    """

    ignore_index: IgnoreIndex = 'auto'
    label_ids: LabelIds = 'plain'
    num_classes: int | None = None


def ignored_pixels(
    labels: np.ndarray, ignore_index: IgnoreIndex = 'auto', label_ids: LabelIds = 'plain'
) -> np.ndarray:
    """Pixels whose label is neither changed nor given to others.

    Args:
        labels: (H, W), an integer dtype or bool.
        ignore_index: The id of ignored pixels, ``None`` if there is none; ``'auto'`` takes 255
            for 8-bit maps and none for others, whose ids may be instances.
        label_ids: ``'cityscapes'`` for label ids or instance ids of Cityscapes, where every void
            class is ignored, too. Train ids are ``'plain'``.

    Returns:
        bool (H, W).
    """
    label = ignored_label(ignore_index, labels.dtype)
    ignored = np.zeros(labels.shape, bool) if label is None else labels == label
    if label_ids == 'cityscapes':
        classes = labels.astype(np.int64)
        counted = classes >= CITYSCAPES_INSTANCE_FACTOR
        classes[counted] //= CITYSCAPES_INSTANCE_FACTOR
        ignored |= ~np.isin(classes, CITYSCAPES_CLASSES)
    return ignored


def with_ignored(labels: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """Labels (H, W) with ``IGNORED_MARK`` where ignored, in the smallest type that holds both.

    As they are where none is ignored; bool becomes uint8.

    Raises:
        ValueError: if ``IGNORED_MARK`` is a label.
    """
    if labels.dtype.kind == 'i' and ((labels == IGNORED_MARK) & ~ignored).any():
        raise ValueError(
            f'label {IGNORED_MARK} stands for ignored pixels here; give it another number'
        )
    if not ignored.any():
        return labels.view(np.uint8) if labels.dtype == np.bool_ else labels
    marked = labels.astype(np.result_type(labels.dtype, np.int16))
    marked[ignored] = IGNORED_MARK
    return marked


def check_class_range(labels: np.ndarray, ignored: np.ndarray, num_classes: int) -> None:
    """Refuse labels that are no classes.

    Raises:
        ValueError: if a label that is not ignored is outside ``0 ... num_classes - 1``.
    """
    found = np.unique(labels[~ignored])
    outside = found[(found < 0) | (found >= num_classes)]
    if outside.size:
        more = f' and {outside.size - 5} more' if outside.size > 5 else ''
        raise ValueError(
            f'expected labels 0 to {num_classes - 1} or ignored, got '
            f'{", ".join(map(str, outside[:5]))}{more}'
        )
