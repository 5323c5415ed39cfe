"""What the labels of label maps mean where they are judged, and how boundaries are measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ..files.label_ids import check_class_range
from ..files.label_maps import LabelMap, read_label_map
from ..measures.fscore import AVERAGES, Average, tolerance_in_pixels
from ..ops.ignored import IGNORED_BYTE
from .binary_masks import is_binary
from .classes import ClassList, Colour

Reduced = Literal['both', 'ground-truth']


@dataclass(frozen=True)
class LabelMapRules:
    """What the labels mean, and how boundaries are measured.

    Attributes:
        classes: Names and colours.
        tolerances: Of the boundary F-score: pixels if at least 1, else shares of the diagonal.
        dilation_ratio: Band width of boundary IoU as a share of the diagonal.
        average: How F-scores of images are averaged, see
            ``mmrefine.measures.BoundaryFScoreCounts.figures``.
        ignore_index: Label of the ground truth that is not judged; None if all are. With two
            classes and None, masks of 0 and 255 are read as 0 and 1.
        reduce_zero_label: Files whose labels are one too large, 0 being ignored: ``'both'``
            as mmseg writes predictions of such data sets, ``'ground-truth'``, or None.
        void_boundary: Whether the border to ignored pixels is a boundary.
    """

    classes: ClassList
    tolerances: tuple[float, ...] = (1, 2, 3)
    dilation_ratio: float = 0.02
    average: Average = 'image'
    ignore_index: int | None = 255
    reduce_zero_label: Reduced | None = None
    void_boundary: bool = False

    def __post_init__(self) -> None:
        if not self.tolerances:
            raise ValueError('tolerances: expected at least one, got none')
        for tolerance in self.tolerances:
            tolerance_in_pixels(tolerance, (1, 1))
        if not 0 < self.dilation_ratio < 1:
            raise ValueError(f'dilation_ratio: expected between 0 and 1, got {self.dilation_ratio}')
        if self.average not in AVERAGES:
            raise ValueError(f'average: expected one of {AVERAGES}, got {self.average!r}')
        if self.reduce_zero_label not in (None, 'both', 'ground-truth'):
            raise ValueError(
                "reduce_zero_label: expected None, 'both' or 'ground-truth', got "
                f'{self.reduce_zero_label!r}'
            )

    @property
    def no_class(self) -> int:
        """The label of pixels that are not judged; one that no file has, if all are."""
        if self.ignore_index is None:
            return max(IGNORED_BYTE, len(self.classes.names))
        return self.ignore_index

    def _classes_of(self, form: LabelMap, path: Path) -> np.ndarray:
        """Labels as the file has them, int64 (H, W); of colours, those of the palette.

        Raises:
            ValueError: if a colour is not in the palette.
        """
        if form.rgb:
            return _of_palette(form.labels, self.classes.palette, self.no_class, path)
        two = self.ignore_index is None and len(self.classes.names) == 2
        if two and is_binary(form.labels):
            return (form.labels != 0).astype(np.int64)
        return form.labels.astype(np.int64)

    def read(self, path: Path, is_target: bool) -> np.ndarray:
        """Labels of a file, int64 (H, W): classes from 0, ``no_class`` for no class.

        Raises:
            ValueError: if it is no label map or has a label that is no class.
        """
        labels = self._classes_of(read_label_map(path, colours=True), path)
        ignored = np.zeros(labels.shape, bool)
        if self.ignore_index is not None:
            ignored = labels == self.ignore_index
        reduced = self.reduce_zero_label
        if reduced == 'both' or (reduced and is_target):
            ignored |= labels == 0
            labels = np.where(ignored, self.no_class, labels - 1)
        number = len(self.classes.names)
        try:
            check_class_range(labels, ignored, number)
        except ValueError as error:
            one_more = not reduced and labels[~ignored].max() == number
            hint = '; if 0 stands for ignored, use --reduce-zero-label' if one_more else ''
            raise ValueError(f'{path}: {error}{hint}') from error
        return labels


def _of_palette(
    colours: np.ndarray, palette: Sequence[Colour] | None, no_class: int, path: Path
) -> np.ndarray:
    numbers = {r + 256 * g + 65536 * b: k for k, (r, g, b) in enumerate(palette or ())}
    found, places = np.unique(colours, return_inverse=True)
    unknown = [int(c) for c in found if int(c) not in numbers]
    if unknown:
        c = unknown[0]
        raise ValueError(
            f'{path}: the colour ({c & 255}, {c >> 8 & 255}, {c >> 16}) is of no class; expected '
            'those of the palette'
        )
    classes = np.array([numbers.get(int(c), no_class) for c in found], np.int64)
    return classes[places].reshape(colours.shape)
