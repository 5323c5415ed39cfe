"""The loss of SEMEDA (arXiv 1905.01892, Section 3): equal embeddings in a frozen edge network.

Legend: N batch, C classes, H W size, L layers that are compared, c channels of a layer.
"""

import os
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...ops import draw_label_map
from ...registry import MODELS
from ..edge_nets.semantic_edge_net import continued, one_hot, reached
from .edge_net_loss import EdgeNetLoss, class_probabilities
from .strips import sum_of_strips

NORMS = ('l1', 'l2')
DRAWN_SIZE = (64, 64)


@MODELS.register_module()
class SEMEDALoss(EdgeNetLoss):
    r"""Distance of prediction and truth in the embeddings of an edge network.

    Beside cross-entropy in ``loss_decode`` of any mmseg head::

        loss_decode=[
            dict(type='CrossEntropyLoss'),
            dict(type='mmrefine.SEMEDALoss', edge_net=19),
        ]

    .. math:: L = \sum_l \frac{\lambda_l}{u_l |V_l|} \sum_{x \in V_l} \| E_l(p)_x - E_l(t)_x \|

    with E_l the embedding after convolution l, p the class probabilities, t the one-hot truth and
    V_l the pixels whose embedding sees no ignored pixel: those with none within l pixels. The
    norm runs over channels. Being a mean over pixels, the loss of a crop estimates that of the
    image: λ keeps its meaning at any crop and batch size. The unit u_l makes it keep its meaning
    with any edge network, whose embeddings can be of any magnitude: it is the distance of a
    prediction that knows nothing (1 / C everywhere) on a fixed set of drawn label maps. So each
    layer gives about λ_l there, and 0 for a perfect prediction.

    Embeddings before ReLU are linear in what comes before, so that of the last layer is computed
    once, of the difference; layers after the last with a weight are not computed. The loss and its
    gradient are computed together in strips of the image (``.strips``), so that the
    embeddings of the whole image are never held.

    Args:
        edge_net: Number of classes or name of a shipped network, or a published checkpoint.
        weights: λ1, λ2, λ3 of the paper; (0, 1, 0) is its best.
        before_relu: Compare what the convolutions give; else what the ReLUs, and the softmax
            after the last, make of it.
        norm: ``'l1'``, or ``'l2'`` for the sum of squares.
        loss_weight: Factor on the loss.
        warmup_iters: Iterations over which the factor rises from zero.
        ignore_index: Label of ignored pixels where the head names none.
        loss_name: Key in the log; must start with ``loss_`` to be trained on.

    Raises:
        ValueError: if an argument is out of range, or the network was never trained.
    """

    def __init__(
        self,
        edge_net: int | str | os.PathLike,
        weights: Sequence[float] = (0, 1, 0),
        before_relu: bool = True,
        norm: str = 'l1',
        loss_weight: float = 1.0,
        warmup_iters: int = 0,
        ignore_index: int = 255,
        loss_name: str = 'loss_semeda',
    ) -> None:
        super().__init__(edge_net, loss_weight, warmup_iters, ignore_index, loss_name)
        if len(weights) != self.num_layers:
            raise ValueError(
                f'weights: expected {self.num_layers} numbers (λ1, λ2, λ3 of the paper), got '
                f'{len(weights)}: {tuple(weights)}'
            )
        if not (min(weights) >= 0 and max(weights) > 0):
            raise ValueError(f'weights must be >= 0, one of them > 0, got {tuple(weights)}')
        if norm not in NORMS:
            raise ValueError(f'norm must be one of {", ".join(NORMS)}, got {norm!r}')
        self.weights = tuple(weights)
        self.depth = max(k for k, value in enumerate(weights, start=1) if value)
        self.before_relu = before_relu
        self.norm = norm
        self.units = self._units()

    def compare(
        self, logits: Tensor, label: Tensor, weight: Tensor | None, ignore_index: int
    ) -> Tensor:
        """Sum over layers of the mean distance of the embeddings, strip by strip."""
        shares = self._shares(label == ignore_index, weight)

        def of_rows(piece: Tensor, rows: Tensor, inside: slice) -> Tensor:
            truth = one_hot(label[:, rows], self.num_classes, ignore_index)
            sides = (self.depth, self.depth, 0, 0)
            maps = [F.pad(m, sides, mode='replicate') for m in (class_probabilities(piece), truth)]
            total = piece.new_zeros(())
            for share, difference in zip(shares, self._differences(*maps), strict=True):
                if share is not None:
                    total = total + (self._distance(difference) * share[:, inside]).sum()
            return total

        return sum_of_strips(of_rows, logits, self.depth)

    def _shares(self, ignored: Tensor, weight: Tensor | None) -> list[Tensor | None]:
        """What a pixel's distance counts after each layer, (N, H, W); None where nothing does."""
        shares: list[Tensor | None] = []
        for factor, unit in zip(self.weights, self.units, strict=False):
            ignored = reached(ignored)
            seen = (~ignored).float()
            share = factor / unit / seen.sum().clamp(min=1) * seen
            shares.append((share if weight is None else share * weight) if factor else None)
        return shares

    @torch.no_grad()
    def _units(self) -> list[float]:
        """Distance of knowing nothing, for each layer."""
        rng = np.random.default_rng(0)
        maps = np.stack([draw_label_map(DRAWN_SIZE, self.num_classes, rng) for _ in range(8)])
        truth = one_hot(torch.from_numpy(maps), self.num_classes)
        nothing = torch.full_like(truth, 1 / self.num_classes)
        found = self._differences(continued(nothing, self.depth), continued(truth, self.depth))
        return [self._distance(difference).mean().item() for difference in found]

    def _differences(self, prediction: Tensor, truth: Tensor) -> list[Tensor]:
        """Differences of the embeddings, L times (N, c, H, W), of maps continued by L pixels."""
        found = []
        for k in range(self.depth):
            kernel, bias = self.layer(k)
            margin = self.depth - 1 - k  # what later layers will still cut off
            if self.before_relu and margin == 0:
                found.append(F.conv2d(prediction - truth, kernel))
                break
            prediction = F.conv2d(prediction, kernel, bias)
            truth = F.conv2d(truth, kernel, bias)
            last = k == self.num_layers - 1
            active = [x.softmax(1) if last else x.relu() for x in (prediction, truth)]
            compared = (prediction, truth) if self.before_relu else active
            found.append(_without_margin(compared[0] - compared[1], margin))
            prediction, truth = active
        return found

    def _distance(self, difference: Tensor) -> Tensor:
        """Norm over channels, (N, c, H, W) → (N, H, W)."""
        return (difference.abs() if self.norm == 'l1' else difference.square()).sum(1)


def _without_margin(maps: Tensor, margin: int) -> Tensor:
    return maps[..., margin : maps.shape[-2] - margin, margin : maps.shape[-1] - margin]
