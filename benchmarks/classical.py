"""Methods that need no training, for benchmarks/mistakes.py: each is given 8 px around the outline.

None was tuned on the data it is measured on.
"""

from collections.abc import Callable

import cv2
import numpy as np

from mmrefine.datasets.mask_errors import grow
from mmrefine.ops.colour_odds import surroundings

REACH = 8  # pixels on both sides of the coarse outline that may change
AROUND = 48  # pixels of the image around the object that are looked at
# He, Sun, Tang, "Guided Image Filtering" (2013): radius, and how flat a window is taken for flat.
RADIUS, FLATNESS = 8, 1e-4


def grabcut(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """GrabCut of each mask: one call of OpenCV, five iterations."""
    refined = masks.copy()
    for mask in refined:
        part = surroundings(mask, AROUND)
        inside = mask[part]
        near = _near(inside)
        marks = np.where(near, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8) + inside
        models = np.zeros((1, 65)), np.zeros((1, 65))
        try:
            cv2.setRNGSeed(0)
            cv2.grabCut(image[part], marks, None, *models, 5, cv2.GC_INIT_WITH_MASK)
            mask[part] = (marks & 1) != 0
        except cv2.error:  # no pixel is surely object, or surely background
            continue
    return refined


def guided_filter(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Each mask filtered with the grey image as the guide, by box filters, and cut at a half."""
    refined = masks.copy()
    for mask in refined:
        part = surroundings(mask, AROUND)
        guide = cv2.cvtColor(image[part], cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
        inside = mask[part].astype(np.float32)
        mean_guide, mean_mask = _mean(guide), _mean(inside)
        slope = _mean(guide * inside) - mean_guide * mean_mask
        slope /= _mean(guide * guide) - mean_guide**2 + FLATNESS
        offset = mean_mask - slope * mean_guide
        soft = _mean(slope) * guide + _mean(offset)
        mask[part] = np.where(_near(mask[part]), soft > 0.5, mask[part])
    return refined


def matting(image: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Closed-form matting of each mask by PyMatting, cut at a half."""
    from pymatting import estimate_alpha_cf

    refined = masks.copy()
    for mask in refined:
        part = surroundings(mask, AROUND)
        inside = mask[part]
        trimap = np.where(_near(inside), 0.5, inside.astype(np.float64))
        if not {0, 1} <= set(np.unique(trimap)):  # nothing is surely object, or background
            continue
        mask[part] = estimate_alpha_cf(image[part][..., ::-1] / 255, trimap) > 0.5
    return refined


def _near(mask: np.ndarray) -> np.ndarray:
    return grow(mask, REACH) & ~grow(mask, -REACH)


def _mean(array: np.ndarray) -> np.ndarray:
    return cv2.boxFilter(array, -1, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT)


CLASSICAL: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    'grabcut': grabcut,
    'guided-filter': guided_filter,
    'matting': matting,
}
