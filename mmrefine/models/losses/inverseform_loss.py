"""The loss of InverseForm (arXiv 2104.02745, Section 3): the transform between boundary maps.

Legend: N batch, C classes, H W size, T tiles of an image, h w size of a tile, P parameters.
"""

import os
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops import cut_tiles, soft_edge_map, widen
from ...registry import MODELS
from ..class_labels import check_labels
from ..inverse_nets import load_inverse_net
from ..inverse_nets.inverse_transform_net import estimate
from .boundary_cross_entropy import boundary_target, check_boundary_logits, check_sizes
from .edge_net_loss import class_probabilities
from .transform_distance import euclidean_distance, geodesic_distance
from .warm_up import warm_up

DISTANCES = {'euclidean': euclidean_distance, 'geodesic': geodesic_distance}
BOUNDARIES = ('head', 'classes')


def transform_size(
    prediction: Tensor,
    target: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    tile_size: tuple[int, int],
    distance: str = 'euclidean',
    calibrated: bool = True,
) -> Tensor:
    """Mean size of the transforms that take true boundaries to predicted ones, tile by tile.

    Args:
        prediction: (N, H, W), boundary probabilities.
        target: (N, H, W), true boundaries, 0 or 1.
        layers: Weight and bias of each layer of an inverse network.
        tile_size: h and w, at most H and W.
        distance: ``'euclidean'`` or ``'geodesic'``.
        calibrated: Take off what the network finds between the truth and itself.

    Returns:
        Scalar: the mean over tiles with a true boundary in them; 0 (with a gradient of 0) where
        there are none.
    """
    pairs = torch.stack([prediction, target], dim=1)
    tiles = cut_tiles(pairs, tile_size).flatten(0, 1)
    tiles = tiles[tiles[:, 1].flatten(1).any(1)]
    found = estimate(tiles, layers)
    if calibrated:
        with torch.no_grad():
            nothing = estimate(tiles[:, [1, 1]], layers)
        found = found - nothing
    sizes = DISTANCES[distance](found)
    return sizes.sum() / max(len(sizes), 1) + 0 * prediction.sum()


@MODELS.register_module()
class InverseFormLoss(nn.Module):
    """Size of the transform that a frozen network sees between true and predicted boundaries.

    Where cross-entropy finds a boundary that is 2 pixels off as wrong as one that is 6 off, this
    loss tells them apart. It is used in two ways. On the class probabilities of any mmseg head,
    which needs no further head::

        loss_decode=[
            dict(type='CrossEntropyLoss'),
            dict(type='mmrefine.InverseFormLoss', boundary='classes'),
        ]

    Or, as published, on a boundary head that exists in training only; targets are made from the
    label map::

        auxiliary_head=dict(type='mmrefine.BoundaryHead', in_channels=..., channels=...)

    The network's weights are buffers that are not saved: no optimizer, checkpoint or ``init_cfg``
    of the model reaches them. All is computed in float32, under mixed precision too. Ignored
    pixels have no boundary in either map; tiles without a true boundary are left out, as there is
    nothing to move.

    Args:
        inverse_net: ``'drawn'``, the shipped network, or a published checkpoint, see
            ``mmrefine.models.inverse_nets.load_inverse_net``.
        boundary: ``'head'``: the logits are those of a boundary head, one channel. ``'classes'``:
            they are class scores, and boundaries are where their probabilities change
            (``mmrefine.ops.soft_edge_map``).
        distance: ``'euclidean'``, or ``'geodesic'`` (Section 3.2).
        tile_grid: Rows and columns of tiles. Boundary maps are resized to it, as in the released
            code, where it is (3, 6). By default they are not resized, and as many tiles are cut
            as cover them.
        calibrated: Take off what the network finds between the truth and itself, which should be
            nothing: so a perfect prediction costs 0, however exact the network is (ours; of the
            released network, users report large outputs for equal maps).
        loss_weight: Factor on the loss.
        warmup_iters: Over how many iterations of mmengine's runner the factor rises from zero.
        ignore_index: Label of ignored pixels where the head names none.
        loss_name: Key in the log; must start with ``loss_`` to be trained on.

    Raises:
        ValueError: if an argument is out of range, or the network was never trained.
    """

    def __init__(
        self,
        inverse_net: str | os.PathLike = 'drawn',
        boundary: str = 'head',
        distance: str = 'euclidean',
        tile_grid: tuple[int, int] | None = None,
        calibrated: bool = True,
        loss_weight: float = 1.0,
        warmup_iters: int = 0,
        ignore_index: int = 255,
        loss_name: str = 'loss_inverseform',
    ) -> None:
        super().__init__()
        if boundary not in BOUNDARIES:
            raise ValueError(f'boundary must be one of {BOUNDARIES}, got {boundary!r}')
        if distance not in DISTANCES:
            raise ValueError(f'distance must be one of {tuple(DISTANCES)}, got {distance!r}')
        if tile_grid is not None and (len(tile_grid) != 2 or min(tile_grid) < 1):
            raise ValueError(f'tile_grid: expected two positive numbers, got {tile_grid}')
        if not loss_weight >= 0:
            raise ValueError(f'loss_weight must be >= 0, got {loss_weight}')
        if not warmup_iters >= 0:
            raise ValueError(f'warmup_iters must be >= 0, got {warmup_iters}')
        network = load_inverse_net(inverse_net)
        if distance == 'geodesic' and not network.known_units:
            raise ValueError(
                'distance: the units of the released network are not published, so its outputs '
                "make no matrix; use 'euclidean', as it was used"
            )
        self.tile_size = network.tile_size
        self.boundary_width = network.boundary_width
        self.num_layers = len(network.linear_layers)
        for k, layer in enumerate(network.linear_layers):
            for name, value in (('weight', layer.weight), ('bias', layer.bias)):
                self.register_buffer(f'{name}{k}', value.detach().clone(), persistent=False)
        self.boundary = boundary
        self.distance = distance
        self.tile_grid = tile_grid
        self.calibrated = calibrated
        self.loss_weight = loss_weight
        self.warmup_iters = warmup_iters
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int | None = None,
    ) -> Tensor:
        """Weighted loss, called as every mmseg head calls its losses.

        Args:
            logits: (N, 1, H, W) of a boundary head or (N, C, H, W) of classes, any floating
                dtype; (N, 1, H, W) of a binary head with a sigmoid counts as two classes.
            label: (N, H, W) class indices.
            weight: Of a pixel sampler: it is of no use to this loss, and left alone with
                ``boundary='classes'``.
            ignore_index: Label of ignored pixels.

        Returns:
            Scalar. Zero (with a gradient of zero) where there is no true boundary.

        Raises:
            TypeError: if labels are floats.
            ValueError: if the shapes are others, tiles are larger than the image, or a label is
                none of the classes that there are scores for.
        """
        if self.boundary == 'head':
            check_boundary_logits(logits, label, weight, type(self).__name__)
        check_sizes(logits, label)
        self._check_tiles(logits)
        ignore_index = self.ignore_index if ignore_index is None else ignore_index
        if self.boundary == 'classes':
            check_labels(label, max(2, logits.shape[1]), ignore_index)
        target, ignored = boundary_target(label, self.boundary_width, ignore_index)
        with torch.autocast(logits.device.type, enabled=False):
            prediction = self._predicted(logits.float(), ignored)
            maps = torch.stack([prediction, target], dim=1)
            if self.tile_grid is not None:
                size = [n * side for n, side in zip(self.tile_grid, self.tile_size, strict=True)]
                maps = F.interpolate(maps, size, mode='bilinear', align_corners=False)
            settings = (self.tile_size, self.distance, self.calibrated)
            loss = transform_size(maps[:, 0], maps[:, 1], self._layers(), *settings)
        return self.loss_weight * warm_up(self.warmup_iters) * loss

    def _predicted(self, logits: Tensor, ignored: Tensor) -> Tensor:
        """Boundary probabilities (N, H, W), 0 where ignored."""
        if self.boundary == 'head':
            return logits[:, 0].sigmoid().masked_fill(ignored, 0)
        edges = soft_edge_map(class_probabilities(logits), ignored)
        return widen(edges, self.boundary_width).masked_fill(ignored, 0)

    def _layers(self) -> list[tuple[Tensor, Tensor]]:
        """Weight and bias of each layer, float32."""
        return [
            (getattr(self, f'weight{k}').float(), getattr(self, f'bias{k}').float())
            for k in range(self.num_layers)
        ]

    def _check_tiles(self, logits: Tensor) -> None:
        height, width = logits.shape[2:]
        if self.tile_grid is None and (height < self.tile_size[0] or width < self.tile_size[1]):
            raise ValueError(
                f'inverse_net: its tiles of {self.tile_size[0]}×{self.tile_size[1]} are larger '
                f'than the image of {height}×{width}; give tile_grid=(rows, columns), to which '
                'boundary maps are then resized, or a network for smaller tiles'
            )
