"""How much more a pixel looks like the object around it than like the background around it.

Shapes: N = patches; C = channels; H, W = rows and columns of a patch.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

LEAST_VARIANCE = 0.05  # of normalised colours: some 13 grey levels
LEAST_WEIGHT = 1e-4  # of both sides together: with less of either, nothing is said
SOFTNESS = 4.0  # log-likelihood ratio that counts as rather sure


def colour_contrast(images: Tensor, masks: Tensor, radii: Sequence[int], margin: int = 2) -> Tensor:
    """Local colour models of a coarse mask's two sides, held against each pixel.

    On either side of the mask, mean and variance of the colours around a pixel are taken, without
    the pixels near the mask's boundary, which may be wrong; channels as independent Gaussians.

    Args:
        images: Normalised float32 (N, 3, H, W).
        masks: float32 (N, H, W), 0 to 1.
        radii: How far "around" reaches, in pixels; one answer for each.
        margin: Pixels on both sides of the boundary that are left out.

    Returns:
        (N, len(radii), H, W), −1 (like the background) to 1 (like the object), 0 where one of the
        two is not near.
    """
    colours = _opponent(images)
    moments = torch.cat([torch.ones_like(colours[:, :1]), colours, colours**2], dim=1)
    sides = [moments * _sure(side, margin)[:, None] for side in (masks, 1 - masks)]
    both_sides = torch.cat(sides, dim=1)
    return torch.stack([_contrast(colours, _blur(both_sides, r)) for r in radii], dim=1)


def _opponent(images: Tensor) -> Tensor:
    """Brightness and two differences of colour: less alike than red, green and blue."""
    red, green, blue = images.unbind(1)
    return torch.stack([(red + green + blue) / 3, red - green, (red + green) / 2 - blue], dim=1)


def _sure(side: Tensor, margin: int) -> Tensor:
    """1 where all pixels of a patch (N, H, W) within ``margin`` are of this side, else 0."""
    others = _filter(1 - side, margin, 1)
    return (others < 1 / (2 * (2 * margin + 1) ** 2)).to(side)


def _contrast(colours: Tensor, around: Tensor) -> Tensor:
    """Answers (N, H, W), given moments (N, 14, H, W) of both sides around each pixel."""
    scores, weights = [], []
    for moments in around.chunk(2, dim=1):
        weight = moments[:, :1]
        mean, square = (moments[:, 1:] / (weight + 1e-6)).chunk(2, dim=1)
        variance = (square - mean**2).clamp_min(0) + LEAST_VARIANCE
        distance = ((colours - mean) ** 2 / variance).sum(1)
        scores.append(-0.5 * (distance + variance.prod(1).log()))
        weights.append(weight[:, 0])
    both = weights[0] * weights[1]
    ratio = torch.tanh((scores[0] - scores[1]) / SOFTNESS)
    return ratio * (both / (both + LEAST_WEIGHT))


def _blur(channels: Tensor, radius: int) -> Tensor:
    """Two box filters, one after the other: nearly a Gaussian. Zeros lie outside."""
    return _filter(channels, radius, 2)


def _filter(channels: Tensor, radius: int, times: int) -> Tensor:
    """Box filters (..., H, W), as a product with a banded matrix on either side."""
    rows, columns = (
        torch.from_numpy(_boxes(size, radius, times)).to(channels) for size in channels.shape[-2:]
    )
    return rows @ (channels @ columns)


@lru_cache
def _boxes(size: int, radius: int, times: int) -> np.ndarray:
    """float32 (size, size): ``times`` box filters of a row, one after the other."""
    pixels = np.arange(size)
    box = (abs(pixels - pixels[:, None]) <= radius) / (2 * radius + 1)
    return np.linalg.matrix_power(box, times).astype(np.float32)
