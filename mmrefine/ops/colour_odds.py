"""How much more a colour belongs to an object than to what surrounds it, for a whole object.

GrabCut's idea (Rother et al., SIGGRAPH 2004) in one pass: two colour models, of what is surely
inside a coarse mask and of what is surely outside, held against each pixel. Histograms take the
place of its Gaussian mixtures, and no graph is cut: the answer is evidence for a network.

Shapes: H, W = rows and columns of the image; h, w = of the part around an object.
"""

from __future__ import annotations

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
    odds = np.full(mask.shape, 128, np.uint8)
    window = surroundings(mask, SURROUNDINGS)
    odds[window] = _odds(image[window], mask[window])
    return odds


def surroundings(mask: np.ndarray, reach: int) -> tuple[slice, slice]:
    """The part of an image (H, W) that holds a mask and ``reach`` pixels around it."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(top - reach, 0), top + height + reach),
        slice(max(left - reach, 0), left + width + reach),
    )


def _odds(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    inside = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)
    outside = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, 3)
    bins = _colour_bins(image)
    models = []
    for distance in (inside, outside):
        # of thin objects, what is deepest in them
        sure = distance > min(MARGIN, 0.6 * float(distance.max()))
        if not sure.any():
            return np.full(mask.shape, 128, np.uint8)
        models.append(_histogram(bins[sure]))
    table = np.tanh((np.log(models[0]) - np.log(models[1])) / SOFTNESS)
    return np.asarray(np.rint(127.5 + 127.5 * table).astype(np.uint8)[bins])


def _colour_bins(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) → uint16 (h, w): bins of CIELAB, as fine as the colours that there are allow."""
    lab = cv2.cvtColor(image, cv2.COLOR_BGR2LAB)
    number = np.zeros(lab.shape[:2], np.uint16)
    for place, channel in zip((BINS**2, BINS, 1), cv2.split(lab), strict=True):
        number += _table(channel, place)[channel]
    return number


def _table(channel: np.ndarray, place: int) -> np.ndarray:
    """What each level adds to the number of a bin: ``BINS`` steps over most of the levels."""
    shares = np.bincount(channel.ravel(), minlength=256).cumsum() / channel.size
    low, high = np.searchsorted(shares, [RARE, 1 - RARE])
    spread = max(int(high - low), LEAST_SPREAD)
    start = (low + high - spread) / 2
    steps = ((np.arange(256) - start) * BINS / (spread + 1)).astype(int)
    return (np.clip(steps, 0, BINS - 1) * place).astype(np.uint16)


def _histogram(bins: np.ndarray) -> np.ndarray:
    """Smoothed shares of ``BINS``³ bins, none of them zero."""
    counts = np.bincount(bins, minlength=BINS**3).reshape(BINS, BINS, BINS)
    shares = counts.astype(np.float32) / max(len(bins), 1)
    return np.asarray(gaussian_filter(shares, SMOOTHING, mode='nearest')).ravel() + UNSEEN
