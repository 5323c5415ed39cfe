"""One call from a name or a config to a refiner that is ready to use."""

import inspect
import os
from collections.abc import Mapping
from typing import Any

import torch

from ..models.checkpoint import is_onnx
from ..refiners import Refiner
from ..refiners.export import network_from_onnx, run_on_onnxruntime
from ..refiners.names import refiner_class, refiner_settings

BACKENDS = ('torch', 'onnxruntime')


def build_refiner(
    method_or_config: str | os.PathLike | Mapping[str, Any] | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device | None = None,
    backend: str | None = None,
    **options: Any,
) -> Refiner:
    """Build a refiner.

    ::

        refiner = build_refiner()
        refined = refiner.refine('street.jpg', label_map)

    Args:
        method_or_config: Name of a method, ``'bpr'`` (the default everywhere) or ``'segfix'``; or a
            config file that defines ``refiner = dict(type=...)`` or trains the refiner's network;
            or such a ``dict(type=...)`` itself. With ``checkpoint`` alone, the method that its
            network belongs to, where it says so.
        checkpoint: Weights in place of those that the method ships or the config names.
        device: Where the network runs, for example ``'cpu'`` or ``'cuda:1'``; a GPU by default
            if there is one.
        backend: What computes the network: ``'torch'``, or ``'onnxruntime'`` on the CPU. By default
            torch; onnxruntime where ``checkpoint`` is an ONNX file of ``mmrefine export``.
        **options: Further options of the refiner, in place of the config's: ``scale=1``.

    Returns:
        The refiner, with its weights.

    Raises:
        ValueError: if there is no such method, config file, checkpoint, option or device; if the
            config cannot be read; if the checkpoint is broken or of another model.
        TypeError: if the config builds something that is no refiner.
        ImportError: if the backend is not installed.
    """
    if backend is None:
        exported = checkpoint is not None and is_onnx(checkpoint)
        backend = 'onnxruntime' if exported else 'torch'
    if backend not in BACKENDS:
        raise ValueError(f'backend: expected {" or ".join(BACKENDS)}, got {backend!r}')
    if isinstance(method_or_config, Mapping):
        settings = dict(method_or_config)
    else:
        name = None if method_or_config is None else os.fspath(method_or_config)
        settings = refiner_settings(name, checkpoint if name is None else None)
    if checkpoint is not None:
        settings['checkpoint'] = os.fspath(checkpoint)
    if device is not None:
        settings['device'] = _existing_device(device)
    settings |= options
    kind = refiner_class(settings)
    settings.pop('type')
    if backend == 'onnxruntime':
        _use_onnx(settings)
    _check_options(kind, settings)
    refiner = kind(**settings)
    if backend == 'onnxruntime':
        run_on_onnxruntime(refiner)
    return refiner


def _use_onnx(settings: dict[str, Any]) -> None:
    """Let the settings be those of a refiner on the CPU; an ONNX file becomes a network."""
    device = settings.setdefault('device', torch.device('cpu'))
    if torch.device(device).type != 'cpu':
        raise ValueError(f'device: the backend onnxruntime runs on the cpu, got {device}')
    checkpoint = settings.get('checkpoint')
    if checkpoint is not None and is_onnx(checkpoint):
        settings['model'] = network_from_onnx(checkpoint)
        del settings['checkpoint']


def _existing_device(device: str | torch.device) -> torch.device:
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'device: {device} cannot be used here: {reason}') from error


def _check_options(kind: type[Refiner], settings: Mapping[str, Any]) -> None:
    parameters = inspect.signature(kind).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    unknown = sorted(set(settings) - set(parameters))
    if unknown:
        raise ValueError(
            f'refiner: {kind.__name__} has no option {", ".join(unknown)}; '
            f'it has {", ".join(parameters)}'
        )
