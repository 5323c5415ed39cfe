"""What BPR's averaged probabilities change in a stack of masks, and in a label map.

Shapes: N = masks of a stack; H, W = rows and columns; h, w = of the part that boxes cover.

Both kinds follow one rule: a pixel in a box takes the label with the highest probability, if that
exceeds the probability of its own label by more than ``min_score_gain``.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from ..ops.vanished import keep_vanished

Window = tuple[slice, slice]
ALL: Window = (slice(None), slice(None))


class MaskEdit(Protocol):
    """Masks of one image on their way from coarse to refined.

    Attributes:
        result: The masks.
        confidence: float32, shape of ``result``: probability that a pixel's label is right; None
            if it is not wanted.
    """

    result: np.ndarray
    confidence: np.ndarray | None

    def keys(self, near: Window = ALL) -> Iterator[Any]:
        """Keys of everything that has a boundary and lies ``near``."""

    def mask(self, key: Any, window: Window = ALL) -> np.ndarray:
        """The coarse mask ``key``, bool (h, w), in a part of the image."""

    def apply(
        self, key: Any, window: Window, probabilities: np.ndarray, covered: np.ndarray
    ) -> None:
        """Take in the averages (h, w) of one object at ``window``; ``covered``: in a box."""

    def finish(self) -> None:
        """Make ``result`` final, after all objects."""


class StackEdit:
    """Each mask of a stack (N, H, W), or a single one (H, W), is an object of its own.

    One that would vanish stays as it is, unless it is ``a_part`` of masks that go on elsewhere.
    """

    confidence: np.ndarray | None

    def __init__(
        self,
        masks: np.ndarray,
        min_score_gain: float,
        with_confidence: bool = False,
        a_part: bool = False,
    ) -> None:
        self.result = masks.copy()
        self.confidence = np.ones(masks.shape, np.float32) if with_confidence else None
        self.stack = self.result.reshape(-1, *masks.shape[-2:])
        self.gain = min_score_gain
        self.a_part = a_part

    def keys(self, near: Window = ALL) -> Iterator[int]:
        """Indices of masks, one after the other."""
        return (k for k, mask in enumerate(self.stack) if near is ALL or mask[near].any())

    def mask(self, key: int, window: Window = ALL) -> np.ndarray:
        """Mask ``key`` in a part of the image."""
        return self.stack[key][window] != 0

    def apply(
        self, key: int, window: Window, probabilities: np.ndarray, covered: np.ndarray
    ) -> None:
        """Refine mask ``key``."""
        mask = self.stack[key]
        value = mask.max()
        part = mask[window]
        # The own label wins a tie.
        is_object = np.where(
            part != 0,
            probabilities >= (1 - self.gain) / 2,
            probabilities > (1 + self.gain) / 2,
        )
        refined = np.where(covered, is_object * value, part).astype(mask.dtype)
        goes_on = self.a_part or np.count_nonzero(mask) > np.count_nonzero(part)
        if goes_on or refined.any():
            mask[window] = refined
        if self.confidence is not None:
            sure = np.where(mask[window] != 0, probabilities, 1 - probabilities)
            of_mask = self.confidence.reshape(self.stack.shape)[key]
            of_mask[window] = np.where(covered, sure, of_mask[window])

    def finish(self) -> None:
        """Nothing is left to do."""


class LabelMapEdit:
    """Each label of a map (H, W) is an object; where several claim a pixel, the surest gets it.

    No label vanishes, unless the map is ``a_part`` of one that goes on elsewhere.
    """

    def __init__(
        self,
        labels: np.ndarray,
        min_score_gain: float,
        ignore_index: int | None,
        a_part: bool = False,
    ) -> None:
        self.result = labels.copy()
        self.confidence: np.ndarray | None = None
        self.gain = min_score_gain
        self.ignore_index = ignore_index
        self.a_part = a_part
        # Off the boxes of a label, its pixels are certain.
        self.own = np.ones(labels.shape, np.float32)
        self.best = np.zeros(labels.shape, np.float32)
        self.claimant = labels.copy()

    def keys(self, near: Window = ALL) -> Iterator[int]:
        """All labels but the ignored one."""
        found = np.unique(self.result[near])
        return (label for label in found.tolist() if label != self.ignore_index)

    def mask(self, key: int, window: Window = ALL) -> np.ndarray:
        """Where label ``key`` is, in a part of the image."""
        return self.result[window] == key

    def apply(
        self, key: int, window: Window, probabilities: np.ndarray, covered: np.ndarray
    ) -> None:
        """Note where label ``key`` is more probable than what came before."""
        own = (self.result[window] == key) & covered
        self.own[window][own] = probabilities[own]
        claimed = (probabilities > self.best[window]) & covered & ~own
        self.best[window][claimed] = probabilities[claimed]
        self.claimant[window][claimed] = key

    def finish(self) -> None:
        """Give every pixel to the most probable label, its own in a tie."""
        changed = self.best - self.own > self.gain
        if self.ignore_index is not None:
            changed &= self.result != self.ignore_index
        coarse = self.result
        self.result = np.where(changed, self.claimant, coarse)
        if not self.a_part:
            keep_vanished(coarse, self.result, self.ignore_index)
        self.confidence = np.where(self.result == coarse, self.own, self.best)
