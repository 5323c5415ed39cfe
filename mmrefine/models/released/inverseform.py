"""Weights of the released inverse network of InverseForm, whose layers have the same names here."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from .formats import ReleasedFormat, match_weights, register_format

PREFIX = re.compile(r'(?:(?:model|modules?)\.)?')
RELEASED = dict(
    type='mmrefine.InverseTransformNet',
    tile_size=224,
    num_outputs=4,
    hidden=(1000, 32),
    known_units=False,
)


def _without_prefix(name: str) -> str:
    return PREFIX.sub('', name, count=1)


@register_format
class InverseFormFormat(ReleasedFormat):
    """The network that estimates shift and scale between two tiles of 224×224."""

    description = 'network of InverseForm, which has fc.0, fc.2 and fc.4 alone'

    def recognises(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether there are three fully connected layers and nothing else."""
        layers = {_without_prefix(name).rpartition('.')[0] for name in weights}
        return layers == {'fc.0', 'fc.2', 'fc.4'}

    def model(self, weights: Mapping[str, Tensor], path: Path) -> Mapping[str, Any]:
        """The released network."""
        return RELEASED

    def convert(
        self, weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
    ) -> dict[str, Tensor]:
        """One tensor for each of our names."""
        weights = {_without_prefix(name): value for name, value in weights.items()}
        return match_weights(weights, own_shapes, str)
