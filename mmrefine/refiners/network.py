"""What refiners with a trained network share: how it is built, and checks of their options."""

import os
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from ..models.checkpoint import build_model
from ..models.fused_norms import with_fused_norms
from ..ops.ignored import IgnoreIndex, check_ignore_index
from .base import Refiner

Model = str | os.PathLike | Mapping | nn.Module


class NetworkRefiner(Refiner):
    """Base of refiners that hold one network.

    Args:
        model: Path of a config file, a model config, or a built network; ``None`` takes the config
            from a published ``checkpoint``.
        checkpoint: Weights of ``model``, unless it is built. With both ``None``, ``shipped``.
        device: Where the network runs; a GPU by default if there is one.
        ignore_index: Label of ignored pixels in label maps, ``None`` if there is none, or
            ``'auto'``, see ``mmrefine.ops.ignored.ignored_label``.

    Attributes:
        network_type: Class of the network.
        shipped: The checkpoint that comes with the package.
        shipped_weights: All that come with it, by name: ``'research'``, trained on all images at
            hand, many of which are for research alone, which is ``shipped``, and ``'open'``,
            trained on openly licensed ones: free for any use, and weaker.
        model: The network, in eval mode on ``device``.
        trained: The network's ``test_cfg``: what the options were while it was trained.

    Raises:
        ValueError: if the checkpoint is missing, broken, of another model, or given beside a built
            network, which has its weights; if ``weights`` is no name of some, or given beside a
            network or checkpoint; if ``ignore_index`` is none of these.
        TypeError: if ``model`` builds something else than a ``network_type``.
    """

    network_type: ClassVar[type[nn.Module]]
    shipped: ClassVar[Path]
    shipped_weights: ClassVar[Mapping[str, Path]]

    def __init__(
        self,
        model: Model | None,
        checkpoint: str | os.PathLike | None,
        device: str | torch.device | None,
        ignore_index: IgnoreIndex,
        weights: str | None = None,
    ) -> None:
        check_ignore_index(ignore_index)
        if weights is not None:
            if weights not in self.shipped_weights:
                known = ', '.join(map(repr, self.shipped_weights))
                raise ValueError(f'weights: expected one of {known}, got {weights!r}')
            if model is not None or checkpoint is not None:
                raise ValueError('weights: a model or checkpoint of your own has its own; give one')
            checkpoint = self._existing(self.shipped_weights[weights])
        if model is None and checkpoint is None:
            checkpoint = self._existing(self.shipped)
        if not isinstance(model, nn.Module):
            model = with_fused_norms(build_model(model, checkpoint))
        elif checkpoint is not None:
            raise ValueError('checkpoint: a model that is built has its weights already; give one')
        if not isinstance(model, self.network_type):
            expected = self.network_type.__name__
            raise TypeError(f'model: expected a mmrefine.{expected}, got {type(model).__name__}')
        self.device = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        network: Any = model
        self.model: Any = network.to(memory_format=torch.channels_last).to(self.device).eval()
        test_cfg: Any = self.model.test_cfg
        self.trained: Mapping[str, Any] = test_cfg or {}
        self.ignore_index = ignore_index

    def _existing(self, shipped: Path) -> Path:
        if not shipped.is_file():
            raise ValueError(
                f'checkpoint: the {type(self).__name__} weights that come with the package are not '
                f'there, {shipped} does not exist; give the checkpoint of a trained '
                f'{self.network_type.__name__}'
            )
        return shipped


def checked_number(name: str, value: Any, least: int = 1) -> int:
    """``value``, if it is a whole number of ``least`` or more.

    Raises:
        ValueError: if not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f'{name}: expected an integer of {least} or more, got {value!r}')
    return int(value)


def checked_share(name: str, value: float) -> float:
    """``value``, if it is a number from 0 to 1.

    Raises:
        ValueError: if not.
    """
    if not 0 <= value <= 1:
        raise ValueError(f'{name}: expected a number from 0 to 1, got {value!r}')
    return value
