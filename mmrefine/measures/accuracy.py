"""Mean boundary accuracy (mBA) of CascadePSP.

Shape legend: H, W = image; N = images.

Cheng et al., CVPR 2020, section 4.1: pixel accuracy within a band around the true boundary,
averaged over five band radii between 1 and (H + W) / 300, and over images. The band is
the morphological gradient with OpenCV's elliptic kernel, as in the released code; with more
than one class it is the union of the classes' bands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np

from .counts import Counts, divide, exact_mean
from .label_maps import LabelPair, label_pair

STEPS = 5


@dataclass(frozen=True, eq=False)
class BoundaryAccuracyCounts(Counts):
    """Pixels in the five bands of N images, both (N, 5) int64.

    Attributes:
        right: Pixels whose prediction is right.
        pixels: All pixels that are not ignored.
    """

    per_image_rows: ClassVar[bool] = True

    right: np.ndarray
    pixels: np.ndarray

    def per_image(self) -> np.ndarray:
        """Boundary accuracy of each image, (N,); NaN where nothing is in a band."""
        return np.array([exact_mean(row) for row in divide(self.right, self.pixels)])

    def figures(self) -> dict[str, Any]:
        """``mba``: mean over the images that have a boundary (NaN if there is none)."""
        return {'mba': exact_mean(self.per_image())}


def band_radii(size_hw: tuple[int, int]) -> list[int]:
    """The five radii in pixels for an image of size (H, W), as in the released code."""
    largest = sum(size_hw) / 300
    return [1 + int((largest - 1) / STEPS * step) for step in range(STEPS)]


def mean_boundary_accuracy(
    prediction: Any,
    target: Any,
    num_classes: int | None = None,
    ignore_index: int = 255,
    void_boundary: bool = False,
) -> BoundaryAccuracyCounts:
    """Count right pixels within five bands around the true boundary of one image.

    Args:
        prediction: (H, W) bool mask, or label map of any integer dtype; numpy or torch.
        target: (H, W) ground truth of the same kind.
        num_classes: Number of classes; default: largest label + 1, and 1 for masks.
        ignore_index: Label of ``target`` whose pixels are not counted.
        void_boundary: Whether the border of ignored pixels has a band. The released
            multi-class code has it so.

    Returns:
        Counts of one image; ``.figures()`` gives the mBA.

    Raises:
        TypeError, ValueError: Input that is not a pair of label maps or masks.
    """
    pair = label_pair(prediction, target, num_classes, ignore_index)
    right = pair.prediction == pair.target
    counts = np.zeros((2, 1, STEPS), np.int64)
    for step, radius in enumerate(band_radii(pair.target.shape)):
        band = _band(pair, radius, void_boundary)
        counts[:, 0, step] = np.count_nonzero(band & right), np.count_nonzero(band)
    return BoundaryAccuracyCounts(counts[0], counts[1])


def _band(pair: LabelPair, radius: int, void_boundary: bool) -> np.ndarray:
    """(H, W) bool: more than one label within the ellipse around the pixel."""
    target = pair.target if pair.target.dtype == np.uint8 else pair.target.astype(np.float32)
    low, high = target, target
    if pair.ignored is not None and not void_boundary:
        # Ignored pixels already carry the largest label there is.
        high = np.where(pair.ignored, 0, target).astype(target.dtype)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    band = cv2.erode(low, kernel) != cv2.dilate(high, kernel)
    return band if pair.ignored is None else band & ~pair.ignored
