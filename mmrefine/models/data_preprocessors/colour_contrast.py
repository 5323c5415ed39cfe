"""How much more a pixel looks like the object around it than like the background around it."""

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_VARIANCE = 0.05  # of normalised colours: some 13 grey levels
LEAST_WEIGHT = 1e-4  # of both sides together: with less of either, nothing is said
SOFTNESS = 4.0  # log-likelihood ratio that counts as rather sure


def colour_contrast(images: Tensor, masks: Tensor, radius: int, margin: int = 2) -> Tensor:
    """Local colour models of a coarse mask's two sides, held against each pixel.

    On either side of the mask, mean and variance of the colours around a pixel are taken, without
    the pixels near the mask's boundary, which may be wrong; channels as independent Gaussians.

    Args:
        images: Normalised float32 (N, 3, S, S).
        masks: float32 (N, S, S), 0 to 1.
        radius: How far "around" reaches, in pixels.
        margin: Pixels on both sides of the boundary that are left out.

    Returns:
        (N, S, S), −1 (like the background) to 1 (like the object), 0 where one of the two is not
        near.
    """
    colours = _opponent(images)
    inside = masks[:, None]
    squares = torch.cat([colours, colours**2], dim=1)
    scores, weights = [], []
    for side in (inside, 1 - inside):
        sure = 1 - F.max_pool2d(1 - side, 2 * margin + 1, 1, margin)
        weight = _blur(sure, radius)
        moments = _blur(squares * sure, radius) / (weight + 1e-6)
        mean, square = moments.chunk(2, dim=1)
        variance = (square - mean**2).clamp_min(0) + LEAST_VARIANCE
        scores.append(-0.5 * ((colours - mean) ** 2 / variance + variance.log()).sum(1))
        weights.append(weight[:, 0])
    both = weights[0] * weights[1]
    ratio = torch.tanh((scores[0] - scores[1]) / SOFTNESS)
    return ratio * (both / (both + LEAST_WEIGHT))


def _opponent(images: Tensor) -> Tensor:
    """Brightness and two differences of colour: less alike than red, green and blue."""
    red, green, blue = images.unbind(1)
    return torch.stack([(red + green + blue) / 3, red - green, (red + green) / 2 - blue], dim=1)


def _blur(channels: Tensor, radius: int) -> Tensor:
    """Two box filters, one after the other: nearly a Gaussian. Zeros lie outside."""
    for _ in range(2):
        for padding, dim in (((0, 0, radius + 1, radius), 2), ((radius + 1, radius), 3)):
            sums = F.pad(channels, padding).cumsum(dim)
            size = channels.shape[dim]
            channels = sums.narrow(dim, 2 * radius + 1, size) - sums.narrow(dim, 0, size)
    return channels / (2 * radius + 1) ** 4
