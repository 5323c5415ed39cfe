"""How much more a colour belongs to an object than to what surrounds it, for a whole object.

GrabCut's idea (Rother et al., SIGGRAPH 2004) in one pass: two colour models, of what is surely
inside a coarse mask and of what is surely outside, held against each pixel. Histograms take the
place of its Gaussian mixtures, and no graph is cut: the answer is evidence for a network.

Shapes: H, W = rows and columns of the image; h, w = of the part around an object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

BINS = 16  # of lightness and of either colour difference
RARE = 0.005  # share of pixels beyond the first and the last bin
LEAST_SPREAD = 48  # levels that the bins share
SMOOTHING = 0.8  # of the histograms, in bins
UNSEEN = 2e-5  # share of pixels that every bin gets
SOFTNESS = 3.0  # log-odds that count as rather sure
MARGIN = 8  # pixels on both sides of the coarse boundary that may be wrong
SURROUNDINGS = 48  # pixels around the object that are its background
UNKNOWN = 128  # evidence where nothing is known
PLACES = (BINS**2, BINS, 1)  # of the three colour channels in the number of a bin
STRIP = 2**22  # pixels of a large image that are looked at together
FAR = 32  # pixels: what is as deep is sure, whatever lies beyond


class ColourModel(NamedTuple):
    """How much more each colour belongs to an object than to its background.

    Attributes:
        bins: uint16 (3, 256), what each level of CIELAB's L, a and b adds to the number of a bin.
        odds: uint8 (``BINS``³,), of each bin: 255 surely of the object, 0 surely of the background.
    """

    bins: np.ndarray
    odds: np.ndarray

    def of(self, image: np.ndarray) -> np.ndarray:
        """Colour evidence, uint8 (h, w), of a part of the image, BGR uint8 (h, w, 3)."""
        return self.of_lab(_lab(image))

    def of_lab(self, lab: np.ndarray) -> np.ndarray:
        """The same of CIELAB colours, uint8 (h, w, 3)."""
        return np.asarray(self.odds[_numbers(lab, self.bins)])


class _Look(NamedTuple):
    """Colours, CIELAB uint8 (h, w, 3), and how deep inside and outside of a mask they lie."""

    lab: np.ndarray
    depths: tuple[np.ndarray, np.ndarray]


def colour_odds(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Colour evidence for one object, from the whole of it.

    Args:
        image: BGR uint8 (H, W, 3).
        mask: bool (H, W), the coarse mask.

    Returns:
        uint8 (H, W): 255 surely a colour of the object, 0 surely one of its background, 128 where
        nothing is known. It is worked out within ``SURROUNDINGS`` of the object and 128 elsewhere;
        of an empty mask, everywhere.
    """
    odds = np.full(mask.shape, UNKNOWN, np.uint8)
    window = surroundings(mask, SURROUNDINGS)
    look = _look(image[window], mask[window], slice(0, None))
    model = _fitted(lambda: [look])
    if model is not None:
        odds[window] = model.of_lab(look.lab)
    return odds


def colour_model(
    image: np.ndarray, mask: np.ndarray, window: tuple[slice, slice]
) -> ColourModel | None:
    """What ``colour_odds`` knows of the colours in a large part of an image, strip by strip.

    Args:
        image: BGR uint8 (H, W, 3).
        mask: bool (h, w), the coarse mask in the window.
        window: The object and ``SURROUNDINGS`` pixels around it: h rows and w columns.

    Returns:
        None where nothing is known.
    """
    rows, columns = window
    step = max(STRIP // mask.shape[1], 1)

    def looks() -> Iterator[_Look]:
        for top in range(0, len(mask), step):
            strip = slice(top, min(top + step, len(mask)))
            part = image[rows.start + strip.start : rows.start + strip.stop, columns]
            yield _look(part, mask, strip)

    return _fitted(looks)


def surroundings(mask: np.ndarray, reach: int) -> tuple[slice, slice]:
    """The part of an image (H, W) that holds a mask and ``reach`` pixels around it."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(top - reach, 0), top + height + reach),
        slice(max(left - reach, 0), left + width + reach),
    )


def _look(image: np.ndarray, mask: np.ndarray, rows: slice) -> _Look:
    """Some rows of an image, and of a mask (h, w)."""
    top = max(rows.start - FAR, 0)
    seen = np.ascontiguousarray(mask[top : None if rows.stop is None else rows.stop + FAR])
    inner = slice(rows.start - top, rows.start - top + len(image))
    inside, outside = (
        cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, 3)[inner] for side in (seen, ~seen)
    )
    return _Look(_lab(image), (inside, outside))


def _fitted(looks: Callable[[], Iterable[_Look]]) -> ColourModel | None:
    """The colours of what is looked at, twice; None where a side has no pixel."""
    levels, deepest = np.zeros((3, 256), np.int64), [0.0, 0.0]
    for look in looks():
        for channel, found in zip(cv2.split(look.lab), levels, strict=True):
            found += np.bincount(channel.ravel(), minlength=256)
        depths = zip(deepest, look.depths, strict=True)
        deepest = [max(most, float(depth.max())) for most, depth in depths]
    bins = np.stack([_table(*pair) for pair in zip(levels, PLACES, strict=True)])
    counts = np.zeros((2, BINS**3), np.int64)
    for look in looks():
        numbers = _numbers(look.lab, bins)
        for found, depth, most in zip(counts, look.depths, deepest, strict=True):
            # of thin objects, what is deepest in them
            sure = depth > min(MARGIN, 0.6 * most)
            found += np.bincount(numbers[sure], minlength=BINS**3)
    if not counts.any(axis=1).all():
        return None
    inside, outside = map(_shares, counts)
    table = np.tanh((np.log(inside) - np.log(outside)) / SOFTNESS)
    return ColourModel(bins, np.rint(127.5 + 127.5 * table).astype(np.uint8))


def _lab(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2LAB)


def _numbers(lab: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Numbers of bins, uint16 (h, w), of colours, uint8 (h, w, 3)."""
    number = np.zeros(lab.shape[:2], np.uint16)
    for table, channel in zip(bins, cv2.split(lab), strict=True):
        number += table[channel]
    return number


def _table(levels: np.ndarray, place: int) -> np.ndarray:
    """What each level adds to the number of a bin: ``BINS`` steps over most of the levels.

    Bins are as fine as the colours that there are allow.

    Args:
        levels: int (256,), how many pixels have each level.
        place: What a step adds.
    """
    shares = levels.cumsum() / levels.sum()
    low, high = np.searchsorted(shares, [RARE, 1 - RARE])
    spread = max(int(high - low), LEAST_SPREAD)
    start = (low + high - spread) / 2
    steps = ((np.arange(256) - start) * BINS / (spread + 1)).astype(int)
    return (np.clip(steps, 0, BINS - 1) * place).astype(np.uint16)


def _shares(counts: np.ndarray) -> np.ndarray:
    """Smoothed shares of ``BINS``³ bins, none of them zero, of how many pixels lie in each."""
    shares = counts.reshape(BINS, BINS, BINS).astype(np.float32) / int(counts.sum())
    return np.asarray(gaussian_filter(shares, SMOOTHING, mode='nearest')).ravel() + UNSEEN
