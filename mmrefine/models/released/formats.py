"""What a method says of its released weights, so that they can be converted."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

PACKAGE = Path(__file__).parents[2]
# Where the configs are: in an installed package, in a checkout.
CONFIG_FOLDERS = (PACKAGE / '.mim' / 'configs', PACKAGE.parent / 'configs')
MOST_NAMED = 10


class ReleasedFormat(ABC):
    """The released weights of one method.

    Attributes:
        description: What they are and how they are told, for the error that lists all formats.
    """

    description: str

    @abstractmethod
    def recognises(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether weights are of this format, told by a few names."""

    @abstractmethod
    def model(self, weights: Mapping[str, Tensor], path: Path) -> Path | Mapping[str, Any]:
        """Config file or model config of the released network that weights are of.

        Raises:
            ValueError: if they are of none, or it cannot be told which; the message says how to.
        """

    @abstractmethod
    def convert(
        self, weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
    ) -> dict[str, Tensor]:
        """One tensor for each of our names and shapes; see ``match_weights``."""

    def adapt(self, model: dict[str, Any], weights: Mapping[str, Tensor]) -> None:  # noqa: B027
        """Change a model config in place to what the weights were trained with."""


FORMATS: list[ReleasedFormat] = []


def register_format(cls: type[ReleasedFormat]) -> type[ReleasedFormat]:
    """Class decorator: weights of this format can be converted from now on."""
    FORMATS.append(cls())
    return cls


def released_config(name: str) -> Path:
    """A config of this package, by its path below ``configs``."""
    folder = next((f for f in CONFIG_FOLDERS if f.is_dir()), CONFIG_FOLDERS[0])
    return folder / name


def without_wrapper(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights without the ``module.`` that training on several GPUs puts before every name."""
    wrapped = all(name.startswith('module.') for name in weights)
    return {name.removeprefix('module.') if wrapped else name: w for name, w in weights.items()}


def match_weights(
    weights: Mapping[str, Tensor],
    own_shapes: Mapping[str, Iterable[int]],
    released_name: Callable[[str], str],
) -> dict[str, Tensor]:
    """Weights of a released file for a network of ours: every one is used, once.

    Args:
        weights: Released weights, by the names of the file.
        own_shapes: Names and shapes of our network's weights.
        released_name: Our name → that of the file.

    Returns:
        One tensor for each of ``own_shapes``. Batch counts, which the oldest files lack and nothing
        here uses, are 0 where the file has none at all.

    Raises:
        ValueError: naming the weights that are missing, unknown or of another shape.
    """
    left = dict(weights)
    counted = any(name.endswith('num_batches_tracked') for name in left)
    taken: dict[str, Tensor] = {}
    problems = []
    for name, shape in own_shapes.items():
        released = released_name(name)
        if not counted and name.endswith('num_batches_tracked'):
            left[released] = torch.tensor(0)
        if released not in left:
            problems.append(f'{released} is missing')
            continue
        taken[name] = left.pop(released)
        found, expected = tuple(taken[name].shape), tuple(shape)
        if found != expected:
            problems.append(f'{released} has shape {found} instead of {expected}')
    problems += [f'{name} is unknown' for name in left]
    if problems:
        more = len(problems) - MOST_NAMED
        raise ValueError('; '.join(problems[:MOST_NAMED]) + (f'; and {more} more' * (more > 0)))
    return taken
