"""What a refiner says of its own result.

Shapes: N = masks of a stack; H, W = rows and columns.
"""

from typing import Any, NamedTuple

import numpy as np


class ObjectConfidence(NamedTuple):
    """Of one mask of a stack, or one label of a map.

    Attributes:
        off: Probability that the coarse mask was off by two pixels or more along its outline,
            0 to 1; None from a network that does not say. Low and nothing changed: the mask was
            left alone because it looked right. High and nothing changed: the network saw no better
            one.
        changed: Pixels that became object or ceased to be.
    """

    off: float | None
    changed: int


class Refined(NamedTuple):
    """Refined masks, and how sure they are.

    Attributes:
        masks: As ``Refiner.refine`` gives them.
        confidence: float32, shape of ``masks``: probability that a pixel's label is right. Where
            the network did not look, far from every outline, it is 1.
        objects: By place in the stack, or by label of the map.
    """

    masks: np.ndarray
    confidence: np.ndarray
    objects: dict[Any, ObjectConfidence]


def changes(coarse: np.ndarray, refined: np.ndarray, key: Any) -> int:
    """Pixels of one object that differ; ``key`` as in ``Refined``."""
    if coarse.ndim == 3:
        return int(np.count_nonzero(coarse[key] != refined[key]))
    if coarse.dtype == np.bool_:
        return int(np.count_nonzero(coarse != refined))
    return int(np.count_nonzero((coarse == key) != (refined == key)))
