"""Reading and writing the checkpoints that refiners are built from.

A *published* checkpoint is a training checkpoint without its optimizer state, in
half precision, that carries its model config as plain data in ``meta['model']``:
one file is enough to refine with.
"""

import contextlib
import hashlib
import os
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn as nn
from mmengine.config import Config
from mmengine.logging.history_buffer import HistoryBuffer
from torch import Tensor

from ..registry import MODELS
from ..version import __version__


@contextlib.contextmanager
def mmengine_checkpoint_types() -> Iterator[None]:
    """Let ``torch.load(weights_only=True)`` read the logs in mmengine's checkpoints."""
    multiarray = getattr(np, '_core', None) or np.core
    names = [
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        multiarray.multiarray._reconstruct,
        multiarray.multiarray.scalar,
    ]
    dtypes = [type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.int32)]
    builtins = [getattr, int, float]
    with torch.serialization.safe_globals([*names, *dtypes, *builtins]):
        yield


def read_checkpoint(path: str | os.PathLike) -> dict[str, Any]:
    """Load a checkpoint without running any code from it.

    Args:
        path: A ``.pth`` file of mmengine's or of :func:`publish_checkpoint`.

    Returns:
        ``state_dict`` and ``meta``, tensors on the CPU.

    Raises:
        ValueError: if the file is missing, is no checkpoint, or holds no weights.
    """
    if not Path(path).is_file():
        raise ValueError(f'checkpoint: {path} does not exist')
    try:
        with mmengine_checkpoint_types():
            content = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, AttributeError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f'checkpoint: {path} is not a torch checkpoint that holds only weights '
            f'(incomplete download, web page, other format?): {reason[0]}'
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(f'checkpoint: {path} must hold a dictionary, got {type(content).__name__}')
    state_dict = content.get('state_dict', content)
    if not state_dict or not all(isinstance(v, Tensor) for v in state_dict.values()):
        raise ValueError(f"checkpoint: {path} has no weights; expected them under 'state_dict'")
    meta = content.get('meta', {}) if 'state_dict' in content else {}
    return dict(state_dict=dict(state_dict), meta=dict(meta))


def model_config(model: str | os.PathLike | Mapping, source: str = 'model') -> dict:
    """Model part of a config.

    Args:
        model: Path of a config file, or a model config itself.
        source: What to call it in errors.

    Raises:
        ValueError: if the file is missing or has no ``model``.
    """
    if isinstance(model, Mapping):
        return Config(dict(model=model)).model
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
        checkpoint: ``.pth`` file; ``None`` leaves the weights at random.

    Returns:
        The model in eval mode, on the CPU.

    Raises:
        ValueError: if there is no model config, or the weights are of another model.
    """
    loaded = None if checkpoint is None else read_checkpoint(checkpoint)
    if model is None:
        if loaded is None:
            raise ValueError('model and checkpoint cannot both be None')
        model = loaded['meta'].get('model')
        if model is None:
            raise ValueError(
                f'checkpoint: {checkpoint} does not carry its model config; give the config file '
                'it was trained with as well, or make it self-contained with '
                'tools/publish_checkpoint.py'
            )
    cfg = model_config(model)
    _drop_pretrained(cfg)
    network = MODELS.build(cfg)
    if loaded is not None:
        _load(network, loaded['state_dict'], checkpoint)
    return network.eval()


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


def _load(
    network: nn.Module, state_dict: dict[str, Tensor], path: str | os.PathLike | None
) -> None:
    own = network.state_dict()
    problems = [f'{k} is missing' for k in own if k not in state_dict]
    problems += [f'{k} is unknown' for k in state_dict if k not in own]
    problems += [
        f'{k} has shape {tuple(v.shape)} instead of {tuple(own[k].shape)}'
        for k, v in state_dict.items()
        if k in own and v.shape != own[k].shape
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
    **meta: str,
) -> str:
    """Make a training checkpoint small and self-contained.

    Convolution weights become float16 (loaded as float32 again), batch norm
    statistics stay as they are.

    Args:
        model: Config file or model config the checkpoint was trained with.
        checkpoint: Training checkpoint.
        out: File to write.
        meta: Further facts to keep, as text: data, metrics, licence.

    Returns:
        SHA-256 of the file, hexadecimal.

    Raises:
        ValueError: if checkpoint and model do not fit.
    """
    cfg = model_config(model)
    network = build_model(cfg, checkpoint)
    state_dict = {
        key: value.half() if value.is_floating_point() and value.ndim > 1 else value
        for key, value in network.state_dict().items()
    }
    content = dict(
        state_dict=state_dict,
        meta=dict(model=_plain(cfg), mmrefine_version=__version__, **meta),
    )
    temporary = Path(f'{out}.part')
    temporary.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, temporary)
    digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
    temporary.replace(out)
    return digest


def _plain(value: Any) -> Any:
    """Config values as builtin types, which is all that ``weights_only`` lets through."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
