"""Boxes around the connected pieces of every label: small windows to work in, label by label.

Shapes: H, W = rows and columns of the label map; R = runs (stretches of one label in one row);
P = pieces (8-connected). Boxes are (top, bottom, left, right), ends exclusive.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

CALL_COST = 1000  # what starting work on one more box costs, in pixels of a box


class LabelBox(NamedTuple):
    """A label and a window of the label map, ends exclusive."""

    label: int
    top: int
    bottom: int
    left: int
    right: int

    def window(self) -> tuple[slice, slice]:
        """The box as an index into a (H, W) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The box with ``margin`` more pixels on each side, and where the box lies inside it.

        What would lie outside the image is cut off (slices cut the far ends by themselves).
        """
        top, left = max(self.top - margin, 0), max(self.left - margin, 0)
        outer = slice(top, self.bottom + margin), slice(left, self.right + margin)
        inner = slice(self.top - top, self.bottom - top), slice(self.left - left, self.right - left)
        return outer, inner


def label_boxes(labels: np.ndarray, ignore_index: int | None) -> list[LabelBox]:
    """Boxes such that each 8-connected piece of each label lies in a box of its label.

    A label whose pieces are many and near each other (noise) gets one box for all of them where
    that is less to work on. The number of labels and the size of their ids do not matter: only
    the runs are looked at, so nothing is sorted or looked up by id.

    Args:
        labels: (H, W), C-contiguous, any integer dtype.
        ignore_index: the id that gets no boxes; None if each gets some.
    """
    width = labels.shape[1]
    begins = np.ones(labels.shape, bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], labels.size)
    rows = starts // width
    run_labels = labels.ravel()[starts]
    num_pieces, pieces = _connected_runs(starts, stops, run_labels, labels.shape)

    runs = np.stack([rows, -rows - 1, starts - rows * width, rows * width - stops])
    piece_boxes = _lowest(runs, pieces, num_pieces)
    piece_labels = np.empty(num_pieces, labels.dtype)
    piece_labels[pieces] = run_labels

    if ignore_index is not None:
        kept = piece_labels != ignore_index
        piece_boxes, piece_labels = piece_boxes[:, kept], piece_labels[kept]
    names, owners = np.unique(piece_labels, return_inverse=True)
    whole_boxes = _lowest(piece_boxes, owners, len(names))
    apart = np.bincount(owners, _area(piece_boxes) + CALL_COST, len(names)) <= _area(whole_boxes)
    boxes = np.concatenate([piece_boxes[:, apart[owners]], whole_boxes[:, ~apart]], axis=1)
    box_labels = np.concatenate([piece_labels[apart[owners]], names[~apart]])
    boxes[1::2] *= -1
    return [LabelBox(*values) for values in zip(box_labels.tolist(), *boxes.tolist(), strict=True)]


def _connected_runs(
    starts: np.ndarray, stops: np.ndarray, run_labels: np.ndarray, shape: tuple[int, int]
) -> tuple[int, np.ndarray]:
    """Number of 8-connected pieces, and the piece (R,) of each run given by flat pixel indices."""
    height, width = shape
    above = np.flatnonzero(starts < (height - 1) * width)
    row_below = (starts[above] // width + 1) * width
    # the runs below that touch [start - 1, stop], which is the run and its diagonal neighbours
    first = np.maximum(starts[above] - 1 + width, row_below)
    last = np.minimum(stops[above] + width, row_below + width - 1)
    first_run = np.searchsorted(starts, first, side='right') - 1
    counts = np.searchsorted(starts, last, side='right') - first_run
    upper = np.repeat(above, counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    lower = np.repeat(first_run, counts) + nth
    same = run_labels[upper] == run_labels[lower]
    upper, lower = upper[same], lower[same]
    graph = coo_array((np.ones(len(upper), bool), (upper, lower)), shape=(len(starts),) * 2)
    return connected_components(graph, directed=False)


def _lowest(values: np.ndarray, groups: np.ndarray, num_groups: int) -> np.ndarray:
    """Minimum of the columns of ``values`` (4, N) over the members of each group: (4, groups)."""
    lowest = np.full((len(values), num_groups), np.iinfo(values.dtype).max)
    for out, row in zip(lowest, values, strict=True):
        np.minimum.at(out, groups, row)
    return lowest


def _area(boxes: np.ndarray) -> np.ndarray:
    """Areas of boxes (4, P) that hold (top, -bottom, left, -right)."""
    return (-boxes[1] - boxes[0]) * (-boxes[3] - boxes[2])
