"""Perceptual consistency as a loss on pairs of frames (arXiv 2110.12385).

Shape legend: N = pairs; K = classes; H, W = logits; C = channels and h, w = grid of features.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...registry import MODELS

# As in mmrefine.measures.perceptual.
NO_CONTRAST = 1e-5


@MODELS.register_module()
class PerceptualConsistencyLoss(nn.Module):
    r"""One minus the soft perceptual consistency of two frames.

    The paper trains with its measure but prints no formula. Here labels become probabilities:

    .. math:: S_i = \max_j C_{ij} \langle p_i, p_j \rangle

    and the loss is the mean of :math:`1 - (S_i - \mu_i) / (M_i - \mu_i)` over the cells of both
    frames (see ``mmrefine.measures.perceptual`` for M, C and μ). Only S has a gradient, and it
    goes to the logits of both frames, not to the features. All in float32, under mixed precision
    too.

    Args:
        loss_weight: Factor on the loss.
        chunk: Cells that are matched at a time.
    """

    def __init__(self, loss_weight: float = 1.0, chunk: int = 1024) -> None:
        super().__init__()
        if not loss_weight >= 0:
            raise ValueError(f'loss_weight: must be 0 or more, got {loss_weight}')
        self.loss_weight, self.chunk = loss_weight, chunk

    def forward(self, logits: tuple[Tensor, Tensor], features: tuple[Tensor, Tensor]) -> Tensor:
        """Loss of N pairs.

        Args:
            logits: Of the first and the second frames, each (N, K, H, W).
            features: Of the same, each (N, C, h, w), unit length along C.
        """
        size = features[0].shape[2:]
        with torch.autocast(logits[0].device.type, enabled=False):
            probabilities = [
                F.interpolate(part.float(), size, mode='bilinear', align_corners=False)
                .softmax(1)
                .flatten(2)
                for part in logits
            ]
            units = [part.detach().float().flatten(2) for part in features]
            losses = []
            for a, b in ((0, 1), (1, 0)):
                sides = probabilities[a], probabilities[b], units[a], units[b]
                losses += [_inconsistency(*pair, self.chunk) for pair in zip(*sides, strict=True)]
        return self.loss_weight * torch.stack(losses).mean()


def _inconsistency(p: Tensor, q: Tensor, f: Tensor, g: Tensor, chunk: int) -> Tensor:
    """Mean of 1 - PC over the cells of the first frame: (K, n), (K, m), (C, n), (C, m) → ()."""
    partner, best, mean = [], [], []
    with torch.no_grad():
        for start in range(0, f.shape[1], chunk):
            similar = f[:, start : start + chunk].T @ g
            best.append(similar.amax(1))
            mean.append(similar.mean(1))
            partner.append((similar * (p[:, start : start + chunk].T @ q)).argmax(1))
    found, limit, average = torch.cat(partner), torch.cat(best), torch.cat(mean)
    # The gradient of a maximum is that of what it chose.
    soft = (f * g[:, found]).sum(0) * (p * q[:, found]).sum(0)
    contrast = limit - average
    seen = contrast > NO_CONTRAST
    lost = (limit - soft) / contrast.clamp(min=NO_CONTRAST)
    return (lost * seen).sum() / seen.sum().clamp(min=1)
