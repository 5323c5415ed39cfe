"""Weights that the authors of a method released → checkpoints of this package."""

import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..registry import MODELS
from .checkpoint import model_config, publish_checkpoint, read_checkpoint
from .released import FORMATS, ReleasedFormat
from .released.formats import without_wrapper

ONLY_WEIGHTS = (
    'it holds more than tensors and plain values, and reading that could run any program. '
    'If you trust where it comes from, keep its weights alone, on a machine you can spare: '
    'python -c "import torch; '
    "torch.save({'state_dict': torch.load('IN', 'cpu', weights_only=False)['state_dict']}, 'OUT')\""
)


def convert_checkpoint(
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    config: str | os.PathLike | None = None,
) -> str:
    """Turn a checkpoint that the authors of a method released into one of ours.

    The new file is self-contained, as those of ``publish_checkpoint``::

        convert_checkpoint('segfix_hrnet2x20.pth', 'segfix.pth')
        refiner = build_refiner('segfix', checkpoint='segfix.pth')

    Args:
        checkpoint: A released file.
        out: File to write.
        config: Config file with the ``model`` that the weights are for; needed only for weights
            that others trained with the released code, or where the weights leave open of which
            network they are. By default, the released network that their names tell.

    Returns:
        SHA-256 of the new file, hexadecimal.

    Raises:
        ValueError: if the file cannot be read, holds more than weights and plain values, or its
            weights are not exactly those of the network; the message names those that do not fit.
    """
    weights = without_wrapper(_read(checkpoint))
    released = _format_of(weights, checkpoint)
    model = model_config(config or released.model(weights, Path(checkpoint)), 'config')
    released.adapt(model, weights)
    _use_plain_norms(model)
    network = MODELS.build(model_config(model))
    own_shapes = {name: weight.shape for name, weight in network.state_dict().items()}
    try:
        converted = released.convert(weights, own_shapes)
    except ValueError as error:
        raise ValueError(f'checkpoint: {checkpoint} does not fit the network: {error}') from error
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'converted.pth'
        torch.save(dict(state_dict=converted), path)
        return publish_checkpoint(model, path, out, converted_from=Path(checkpoint).name)


def _read(checkpoint: str | os.PathLike) -> Mapping[str, torch.Tensor]:
    try:
        return read_checkpoint(checkpoint)['state_dict']
    except ValueError as error:
        cause = error.__cause__
        if isinstance(cause, pickle.UnpicklingError) and 'GLOBAL' in str(cause):
            raise ValueError(f'{error}; {ONLY_WEIGHTS}') from error
        raise


def _format_of(
    weights: Mapping[str, torch.Tensor], checkpoint: str | os.PathLike
) -> ReleasedFormat:
    found = next((known for known in FORMATS if known.recognises(weights)), None)
    if found is None:
        some = ', '.join(list(weights)[:5])
        formats = ', nor '.join(f'a released {known.description}' for known in FORMATS)
        raise ValueError(
            f'checkpoint: {checkpoint} is neither {formats}; '
            f'it has {len(weights)} weights: {some}, ...'
        )
    return found


def _use_plain_norms(cfg: Any) -> None:
    """Normalise on one device: refining never synchronises statistics between several."""
    if isinstance(cfg, Mapping):
        if cfg.get('type') == 'SyncBN':
            cfg['type'] = 'BN'  # type: ignore[index]
        for value in cfg.values():
            _use_plain_norms(value)
