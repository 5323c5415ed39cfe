"""Averages of a frame's values with those of its neighbours, along optical flow.

Shape legend: H, W = frame.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from .flow import optical_flow, warp_values

# A neighbour counts 1 / e where flow there and back misses by so many pixels, or where colours
# differ by so much, of 255.
FLOW_ERROR = 2.0
COLOUR_ERROR = 40.0
Values = Mapping[Hashable, np.ndarray]


def average_along_flow(
    image: np.ndarray,
    values: Values,
    neighbours: Iterable[tuple[np.ndarray, Values]],
    weight: float = 1.0,
) -> dict[Hashable, np.ndarray]:
    """Average a frame's values with those of other frames, found by optical flow.

    A neighbour counts less where flow there and back does not return or colours differ, so little
    over a cut, and not at all where flow leaves it.

    Args:
        image: The frame, BGR uint8 (H, W, 3).
        values: Float (H, W) by name.
        neighbours: Image and values of other frames. A name that one lacks is 0 there.
        weight: What a neighbour that is trusted counts; the frame itself counts 1.

    Returns:
        Averages by the names in ``values``, float32 (H, W).

    Raises:
        ValueError: if ``weight`` is negative, or images or values differ in size.
    """
    if not weight >= 0:
        raise ValueError(f'weight: must be 0 or more, got {weight}')
    _check_sizes(image, values)
    sums = {name: array.astype(np.float32) for name, array in values.items()}
    total = np.ones(image.shape[:2], np.float32)
    for other, found in neighbours:
        if other.shape != image.shape:
            raise ValueError(
                f'a frame is {image.shape[:2]}, its neighbour {other.shape[:2]}: the frames of a '
                'video must be of one size'
            )
        _check_sizes(other, found)
        there, trust = _match(image, other)
        total += weight * trust
        for name, added in sums.items():
            if name in found:
                warped, _ = warp_values(np.asarray(found[name], np.float32), there)
                added += weight * trust * warped
    return {name: added / total for name, added in sums.items()}


def _check_sizes(image: np.ndarray, values: Values) -> None:
    for name, array in values.items():
        if array.shape != image.shape[:2]:
            raise ValueError(f'values: {name} is {array.shape}, its frame {image.shape[:2]}')


def _match(image: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flow to another frame, and how sure it is that it leads to the same point, 0 to 1."""
    there, back = optical_flow(image, other), optical_flow(other, image)
    returned, inside = warp_values(back, there)
    missed = ((there + returned) ** 2).sum(2) / FLOW_ERROR**2
    found, _ = warp_values(other.astype(np.float32), there)
    differs = np.abs(found - image).mean(2) / COLOUR_ERROR
    return there, (np.exp(-missed - differs**2) * inside).astype(np.float32)
