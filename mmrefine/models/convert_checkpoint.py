"""Weights that the authors of SegFix and BPR released → checkpoints of this package."""

import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..registry import MODELS
from .checkpoint import model_config, publish_checkpoint, read_checkpoint
from .released_weights import architecture, from_released, is_in_place, without_wrapper

PACKAGE = Path(__file__).parents[1]
# Where the configs are: in an installed package, in a checkout.
CONFIG_FOLDERS = (PACKAGE / '.mim' / 'configs', PACKAGE.parent / 'configs')
CONFIGS = {
    'segfix_hrnet2x': '_base_/models/segfix_hrnet2x-released.py',
    'segfix_hrnet-w48': '_base_/models/segfix_hrnet-w48-released.py',
    'bpr_hrnet-w18s': 'bpr/bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py',
    'bpr_hrnet-w48': 'bpr/bpr_hrnet-w48_4xb8-160k_cityscapes-64to256.py',
}
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
    """Turn a released SegFix or BPR checkpoint into one of ours.

    The new file is self-contained, as those of :func:`publish_checkpoint`::

        convert_checkpoint('segfix_hrnet2x20.pth', 'segfix.pth')
        refiner = build_refiner('segfix', checkpoint='segfix.pth')

    Args:
        checkpoint: A released file.
        out: File to write.
        config: Config file with the ``model`` that the weights are for; needed only for weights
            that others trained with the released code. By default, the released network that the
            names of the weights tell: SegFix on HRNet-2×-W20 or HRNet-W48, BPR on HRNet-W18-small
            or HRNet-W48.

    Returns:
        SHA-256 of the new file, hexadecimal.

    Raises:
        ValueError: if the file cannot be read, holds more than weights and plain values, or its
            weights are not exactly those of the network; the message names those that do not fit.
    """
    weights = without_wrapper(_read(checkpoint))
    model = model_config(config or _config_of(weights, checkpoint), 'config')
    if is_in_place(weights):
        model['decode_head']['act_cfg'] = dict(type='LeakyReLU', negative_slope=0.01)
    _use_plain_norms(model)
    network = MODELS.build(model_config(model))
    own_shapes = {name: weight.shape for name, weight in network.state_dict().items()}
    try:
        converted = from_released(weights, own_shapes)
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


def _config_of(weights: Mapping[str, torch.Tensor], checkpoint: str | os.PathLike) -> Path:
    name = architecture(weights)
    if name is None:
        some = ', '.join(list(weights)[:5])
        raise ValueError(
            f'checkpoint: {checkpoint} is neither a released SegFix, which has mask_head and '
            'dir_head, nor a released BPR, which has backbone.conv_mask; '
            f'it has {len(weights)} weights: {some}, ...'
        )
    folder = next((f for f in CONFIG_FOLDERS if f.is_dir()), CONFIG_FOLDERS[0])
    return folder / CONFIGS[name]


def _use_plain_norms(cfg: Any) -> None:
    """Normalise on one device: refining never synchronises statistics between several."""
    if isinstance(cfg, Mapping):
        if cfg.get('type') == 'SyncBN':
            cfg['type'] = 'BN'  # type: ignore[index]
        for value in cfg.values():
            _use_plain_norms(value)
