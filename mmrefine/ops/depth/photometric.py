"""How different two images look, and how rough a disparity map is where the image is smooth.

Shapes: N = batch, C = channels, S = source frames, H, W = rows and columns. Images are floating
point, 0 to 1. The equations are those of Monodepth2 (ICCV 2019, Equations 1 to 5).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LUMINANCE, CONTRAST = 0.01**2, 0.03**2  # the constants of SSIM for values from 0 to 1


def structural_similarity(first: Tensor, second: Tensor) -> Tensor:
    """SSIM in windows of 3×3 pixels, of equal weight (Wang et al., 2004).

    Args:
        first: (N, C, H, W), H and W at least 2.
        second: The same shape.

    Returns:
        (N, C, H, W), 1 where the windows are equal; images are mirrored at the border.
    """

    def mean(image: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode='reflect'), 3, 1)

    mean1, mean2 = mean(first), mean(second)
    variance1 = mean(first * first) - mean1 * mean1
    variance2 = mean(second * second) - mean2 * mean2
    covariance = mean(first * second) - mean1 * mean2
    numerator = (2 * mean1 * mean2 + LUMINANCE) * (2 * covariance + CONTRAST)
    denominator = (mean1**2 + mean2**2 + LUMINANCE) * (variance1 + variance2 + CONTRAST)
    return numerator / denominator


def photometric_error(first: Tensor, second: Tensor, ssim_weight: float = 0.85) -> Tensor:
    """α (1 - SSIM) / 2 + (1 - α) |difference|, mean over channels: (N, C, H, W) → (N, 1, H, W).

    Args:
        first: (N, C, H, W).
        second: The same shape.
        ssim_weight: α; the error is an absolute difference alone where it is 0.
    """
    error = (first - second).abs().mean(1, keepdim=True)
    if not ssim_weight:
        return error
    dissimilar = ((1 - structural_similarity(first, second)) / 2).clamp(0, 1)
    return ssim_weight * dissimilar.mean(1, keepdim=True) + (1 - ssim_weight) * error


def least_error(errors: Tensor, still_errors: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The error of the source that shows a pixel best, and which pixels count.

    A pixel that is occluded in one source is seen in another: the least error is kept. A pixel
    that looks more alike in a source that is not moved at all tells nothing about depth (the
    camera stands still, or the object moves along): it does not count.

    Args:
        errors: (N, S, H, W), of views synthesized from S sources.
        still_errors: (N, S, H, W), of the sources as they are; ``None`` lets all pixels count.

    Returns:
        Error (N, 1, H, W); and bool (N, 1, H, W), true where it counts.
    """
    least = errors.min(1, keepdim=True).values
    if still_errors is None:
        return least, torch.ones_like(least, dtype=torch.bool)
    return least, least.detach() < still_errors.min(1, keepdim=True).values


def roughness(disparity: Tensor, image: Tensor) -> Tensor:
    """Mean gradient of the disparity, less where the image has an edge itself.

    Args:
        disparity: (N, 1, H, W), H and W at least 2. It is divided by its mean over the image, so
            that a shrinking scene gains nothing.
        image: (N, C, H, W).

    Returns:
        Scalar.
    """
    disparity = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    total = disparity.new_zeros(())
    for axis in (2, 3):
        edge = image.diff(dim=axis).abs().mean(1, keepdim=True)
        total = total + (disparity.diff(dim=axis).abs() * torch.exp(-edge)).mean()
    return total
