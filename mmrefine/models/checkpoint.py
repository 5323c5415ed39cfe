"""Reading and writing the checkpoints that refiners are built from.

A *published* checkpoint is a training checkpoint without its optimizer state, usually
in half precision, that carries its model config as plain data in ``meta['model']``:
one file is enough to refine with.
"""

import contextlib
import copy
import hashlib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn as nn
from mmengine.config import Config
from torch import Tensor

from ..files.whole_files import write_whole_file
from ..registry import MODELS
from ..version import __version__

# What mmengine's logs are made of; numpy 1 and 2 name their parts differently.
LOG_NAMES = (
    'mmengine.logging.history_buffer.HistoryBuffer',
    'builtins.getattr',
    'numpy.ndarray',
    'numpy.dtype',
    *(
        f'numpy.{core}.multiarray.{name}'
        for core in ('core', '_core')
        for name in ('_reconstruct', 'scalar')
    ),
)
# Names of registered parts. mmengine would import and call anything else that has dots in it.
PART_NAME = re.compile(r'((mmrefine|mmseg|mmdet|mmpretrain|mmcls)\.)?\w+')


class _Nothing:
    """What becomes of the logs in a training checkpoint: they are not needed."""

    def __new__(cls, *_: object) -> '_Nothing':
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass


def _without_logs() -> contextlib.AbstractContextManager:
    """Let ``torch.load(weights_only=True)`` read mmengine's checkpoints, but not their logs.

    Nothing of what the logs name is looked up: ``getattr``, which they need, could change any part
    of the running program.
    """
    # Older ones cannot be told names: there, only published checkpoints are read.
    if torch.__version__ < '2.6':
        return contextlib.nullcontext()
    return torch.serialization.safe_globals([(_Nothing, name) for name in LOG_NAMES])


def is_onnx(path: str | os.PathLike) -> bool:
    """Whether a checkpoint is an exported network, by its name."""
    return Path(path).suffix == '.onnx'


def read_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Load a checkpoint without running any code from it.

    Args:
        path: A ``.pth`` file of mmengine's or of ``publish_checkpoint``.

    Returns:
        ``state_dict`` and ``meta``, tensors on the CPU.

    Raises:
        ValueError: if the file is missing, is no checkpoint, or holds no weights.
    """
    if not Path(path).is_file():
        raise ValueError(f'checkpoint: {path} does not exist')
    if is_onnx(path):
        raise ValueError(
            f'checkpoint: {path} is an exported network; build_refiner(checkpoint=...) and '
            'mmrefine refine --checkpoint take it; here, weights (.pth) are needed'
        )
    try:
        with _without_logs():
            content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # a broken or foreign file can fail in any way
        reason = str(error).rpartition('WeightsUnpickler error:')[2].strip()
        reason = reason.partition('\n')[0].partition('. ')[0] or type(error).__name__
        raise ValueError(
            f'checkpoint: {path} is not a torch checkpoint that holds only weights '
            f'(incomplete download, web page, other format?): {reason}'
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(f'checkpoint: {path} must hold a dictionary, got {type(content).__name__}')
    state_dict = content.get('state_dict', content)
    values = state_dict.values() if isinstance(state_dict, Mapping) else ()
    if not values or not all(isinstance(value, Tensor) for value in values):
        raise ValueError(f"checkpoint: {path} has no weights; expected them under 'state_dict'")
    meta = content.get('meta') if 'state_dict' in content else None
    return dict(state_dict=dict(state_dict), meta=dict(meta) if isinstance(meta, Mapping) else {})


def model_config(model: str | os.PathLike | Mapping, source: str = 'model') -> dict:
    """Model part of a config.

    Args:
        model: Path of a config file, or a model config itself.
        source: What to call it in errors.

    Raises:
        ValueError: if the file is missing or has no ``model``.
    """
    if isinstance(model, Mapping):
        return Config(dict(model=copy.deepcopy(model))).model  # building changes it
    if not Path(model).is_file():
        raise ValueError(f'{source}: config file {model} does not exist')
    cfg = Config.fromfile(model)
    if 'model' not in cfg:
        raise ValueError(f'{source}: config file {model} has no `model`')
    return cfg.model


def build_model(
    model: str | os.PathLike | Mapping | None, checkpoint: str | os.PathLike | None
) -> nn.Module:
    """Build a network and fill it with weights, ready to predict.

    Args:
        model: Config file, model config, or ``None`` for the one in a published
            checkpoint.
        checkpoint: ``.pth`` file.

    Returns:
        The model in eval mode, on the CPU.

    Raises:
        ValueError: if there is no checkpoint or no model config, or the weights are of another
            model.
    """
    if checkpoint is None:
        raise ValueError('checkpoint: trained weights are needed, a .pth file; got None')
    loaded = read_checkpoint(checkpoint)
    if model is None:
        model = loaded['meta'].get('model')
        if model is None:
            raise ValueError(
                f'checkpoint: {checkpoint} does not carry its model config; give the config file '
                'it was trained with as well, or make it self-contained with '
                'tools/publish_checkpoint.py'
            )
        if not isinstance(model, Mapping):  # a path would be a program, and be run
            raise ValueError(
                f'checkpoint: the model config in {checkpoint} must be a dictionary, got '
                f'{type(model).__name__}'
            )
        _check_parts(model, f'checkpoint: the model config in {checkpoint}')
        network = _build_plain(model, f'checkpoint: the model config in {checkpoint}')
    else:
        network = _build(model)
    load_weights(network, loaded['state_dict'], checkpoint)
    return network


def _build_plain(model: Mapping, source: str) -> nn.Module:
    """Build the network of a config that came in a file."""
    try:
        return _build(model)
    except Exception as error:  # whatever an unknown part or a wrong value leads to
        raise ValueError(f'{source} cannot be built: {type(error).__name__}: {error}') from error


def build_without_weights(model: Mapping, source: str) -> nn.Module:
    """Build the network of a config that came in a file, for one that brings its own weights.

    Args:
        model: Model config.
        source: What to call it in errors.

    Raises:
        ValueError: if the config names something else than registered parts.
    """
    _check_parts(model, source)
    return _build_plain(model, source)


def _build(model: str | os.PathLike | Mapping) -> nn.Module:
    cfg = model_config(model)
    _drop_pretrained(cfg)
    network = MODELS.build(copy.deepcopy(cfg))  # building changes it
    network.model_cfg = cfg  # exported files carry it
    return network.eval()


def _check_parts(cfg: Any, source: str) -> None:
    """Refuse a config whose ``type`` names something else than a registered part."""
    if isinstance(cfg, Mapping):
        name = cfg.get('type', '')
        if not isinstance(name, str) or (name and not PART_NAME.fullmatch(name)):
            raise ValueError(f'{source} must name registered parts, got type={name!r}')
        for value in cfg.values():
            _check_parts(value, source)
    elif isinstance(cfg, list | tuple):
        for value in cfg:
            _check_parts(value, source)


def _drop_pretrained(cfg: Any) -> None:
    """Weights come from the checkpoint: nothing is to be downloaded."""
    if isinstance(cfg, Mapping):
        init_cfg = cfg.get('init_cfg')
        if isinstance(init_cfg, Mapping) and init_cfg.get('type') == 'Pretrained':
            cfg['init_cfg'] = None  # type: ignore[index]
        for value in cfg.values():
            _drop_pretrained(value)
    elif isinstance(cfg, list | tuple):
        for value in cfg:
            _drop_pretrained(value)


def load_weights(
    network: nn.Module, state_dict: dict[str, Tensor], path: str | os.PathLike
) -> None:
    """Fill a network with all its weights and no others.

    Args:
        network: Filled in place.
        state_dict: Its weights.
        path: Where they come from, for messages.

    Raises:
        ValueError: if the weights are of another model.
    """
    own = network.state_dict()
    absent = [p for p in getattr(network, 'TRAINING_ONLY', ()) if getattr(network, p) is None]
    prefixes = tuple(f'{part}.' for part in absent)
    state_dict = {k: v for k, v in state_dict.items() if not k.startswith(prefixes)}
    problems = [f'{k} is missing' for k in own if k not in state_dict]
    problems += [f'{k} is unknown' for k in state_dict if k not in own]
    problems += [
        f'{k} has shape {tuple(v.shape)} instead of {tuple(own[k].shape)}'
        for k, v in state_dict.items()
        if k in own and v.shape != own[k].shape
    ]
    problems += [
        f'{k} has values that are no numbers'
        for k, v in state_dict.items()
        if v.is_floating_point() and not torch.isfinite(v).all()
    ]
    if problems:
        raise ValueError(
            f'checkpoint: {path} is of another model than the config: {"; ".join(problems[:3])}'
            + (f'; and {len(problems) - 3} more' if len(problems) > 3 else '')
        )
    network.load_state_dict(state_dict)


def publish_checkpoint(
    model: str | os.PathLike | Mapping,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike,
    *,
    half: bool = True,
    **meta: str,
) -> str:
    """Make a training checkpoint small and self-contained.

    Parts that a model names in ``TRAINING_ONLY`` are left out, of weights and of the config.

    Args:
        model: Config file or model config the checkpoint was trained with.
        checkpoint: Training checkpoint.
        out: File to write.
        half: Store weights of convolutions and linear layers as float16. They are
            float32 again when loaded. Biases and batch norms stay as they are:
            they are few, and variances can be too small for float16.
        meta: Further facts to keep, as text: data, metrics, licence.

    Returns:
        SHA-256 of the file, hexadecimal.

    Raises:
        ValueError: if checkpoint and model do not fit, or the config is more than plain
            values and names of registered parts.
    """
    cfg = model_config(model)
    _check_parts(cfg, 'model: a config kept in a checkpoint')
    _drop_pretrained(cfg)
    for part in getattr(MODELS.get(cfg['type']), 'TRAINING_ONLY', ()):
        cfg.pop(part, None)
    network = build_model(cfg, checkpoint)
    state_dict = {
        key: value.half() if half and value.is_floating_point() and value.ndim > 1 else value
        for key, value in network.state_dict().items()
    }
    content = dict(
        state_dict=state_dict,
        meta=dict(model=_plain(cfg), mmrefine_version=__version__, **meta),
    )
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole_file(out, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def _plain(value: Any) -> Any:
    """Config values as builtin types, which is all that ``weights_only`` lets through."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is not None and not isinstance(value, str | bool | int | float):
        raise ValueError(f'model: a config kept in a checkpoint holds plain values, got {value!r}')
    return value
