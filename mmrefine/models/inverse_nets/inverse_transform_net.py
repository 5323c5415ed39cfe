"""The inverse transformation network of InverseForm (arXiv 2104.02745, Section 3).

Legend: N tiles, h w size of a tile, P parameters of a transform.
"""

import itertools
from collections.abc import Sequence

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from ...ops.tile_transforms import RANGES, orientations, transform_matrix
from ...registry import MODELS

MAX_WAVES = 4.0  # across a tile


@MODELS.register_module()
class InverseTransformNet(BaseModel):
    """Fully connected layers from two boundary maps to the transform between them.

    The layers of the released network: both tiles flattened, prediction first, 1000, 32 and P
    outputs, ReLU between. The outputs are the parameters of
    ``mmrefine.ops.transform_matrix`` (ours; the released order and units are not published)
    of the transform that takes the truth to the prediction: 0 is none. Every pair is learned in
    all its orientations, mirrored and transposed.

    Args:
        tile_size: h and w of the tiles, pixels; one number for squares.
        num_outputs: P: 4 (shift and scale, the released network), 6 (affine) or 8 (homography).
        hidden: Widths of the layers between.
        boundary_width: How many pixels on each side of where labels meet are boundary in the maps
            that the network knows.
        known_units: Whether the outputs are the parameters named above. False for the released
            network, of which only the magnitude of the outputs has a meaning.
        data_preprocessor, init_cfg: As in every mmengine model.

    Raises:
        ValueError: if a size is not positive or ``num_outputs`` is none of 4, 6 and 8.
    """

    def __init__(
        self,
        tile_size: int | Sequence[int] = 224,
        num_outputs: int = 4,
        hidden: Sequence[int] = (1000, 32),
        boundary_width: int = 2,
        known_units: bool = True,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        size = (tile_size, tile_size) if isinstance(tile_size, int) else tuple(tile_size)
        if len(size) != 2 or min(size) < 1:
            raise ValueError(f'tile_size: expected one or two positive numbers, got {tile_size}')
        if num_outputs not in RANGES:
            raise ValueError(f'num_outputs must be one of {tuple(RANGES)}, got {num_outputs}')
        if min(hidden, default=1) < 1:
            raise ValueError(f'hidden: expected positive widths, got {tuple(hidden)}')
        if boundary_width < 1:
            raise ValueError(f'boundary_width must be at least 1, got {boundary_width}')
        self.tile_size: tuple[int, int] = size
        self.num_outputs = num_outputs
        self.boundary_width = boundary_width
        self.known_units = known_units
        widths = (2 * size[0] * size[1], *hidden, num_outputs)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.fc = nn.Sequential(*layers[:-1])
        self.fc[0].weight.data = wave_pairs(widths[1], size)

    @property
    def linear_layers(self) -> list[nn.Linear]:
        """The layers with weights, in order."""
        return [layer for layer in self.fc if isinstance(layer, nn.Linear)]

    def forward(
        self, inputs: Tensor, transform: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[dict]:
        """Run the network.

        Args:
            inputs: Boundary maps (N, 2, h, w) from 0 to 1, prediction and truth.
            transform: (N, P), what the network is to find; needed in all modes but ``'tensor'``.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``.

        Returns:
            ``'tensor'``: parameters (N, P). ``'loss'``: the mean of their squared distance
            over all orientations.
            ``'predict'``: for each pair the matrices ``pred_matrix`` and ``gt_matrix``, (3, 3),
            and the ``tile_size``.

        Raises:
            ValueError: if the maps have another size than the network's tiles.
        """
        if tuple(inputs.shape[1:]) != (2, *self.tile_size):
            raise ValueError(
                f'inputs: expected (N, 2, {self.tile_size[0]}, {self.tile_size[1]}), pairs of '
                f'tiles, got {tuple(inputs.shape)}'
            )
        if mode == 'loss' and transform is not None and transform.shape[1] == self.num_outputs:
            inputs, transform = orientations(inputs, transform)
        found = self.fc(inputs.flatten(1))
        if mode == 'tensor':
            return found
        if transform is None or transform.shape != found.shape:
            raise ValueError(
                f'transform: expected {tuple(found.shape)} (num_outputs of the data set and of '
                f'the network must agree), got {None if transform is None else transform.shape}'
            )
        if mode == 'loss':
            return dict(loss_transform=(found - transform.to(found)).square().sum(1).mean())
        matrices = zip(transform_matrix(found), transform_matrix(transform.to(found)), strict=True)
        return [dict(pred_matrix=p, gt_matrix=t, tile_size=self.tile_size) for p, t in matrices]


def wave_pairs(count: int, size_hw: tuple[int, int]) -> Tensor:
    """What the first layer starts with: the same wave on both sides, in different phases.

    How far a pattern moved shows in the phases of its waves. So the layer need not find that out
    pixel by pixel, and what the network sees, and with it the gradient that a prediction gets, is
    smooth.

    Args:
        count: Number of rows.
        size_hw: h and w of a tile.

    Returns:
        (count, 2 h w): waves within a window, of random length, direction and place.
    """
    rows, columns = (torch.linspace(-1, 1, n) for n in size_hw)
    y, x = rows[:, None], columns[None]
    place = 1.2 * torch.rand(count, 2, 1, 1) - 0.6
    width = 0.3 + 0.7 * torch.rand(count, 1, 1)
    window = torch.exp(-((y - place[:, 0]) ** 2 + (x - place[:, 1]) ** 2) / (2 * width**2))
    direction = 2 * torch.pi * torch.rand(count, 1, 1)
    frequency = torch.pi * MAX_WAVES * torch.rand(count, 1, 1)
    angle = frequency * (direction.sin() * y + direction.cos() * x)
    phase = 2 * torch.pi * torch.rand(count, 2, 1, 1)
    waves = torch.stack([(angle + phase[:, side]).cos() * window for side in (0, 1)], dim=1)
    waves = waves.flatten(1)
    return waves / waves.norm(dim=1, keepdim=True)


def estimate(pairs: Tensor, layers: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """What the network makes of pairs of tiles, with weights held elsewhere.

    Args:
        pairs: (N, 2, h, w).
        layers: Weight and bias of each layer.

    Returns:
        (N, P).
    """
    features = pairs.flatten(1)
    for k, (weight, bias) in enumerate(layers):
        features = torch.nn.functional.linear(features.relu() if k else features, weight, bias)
    return features
