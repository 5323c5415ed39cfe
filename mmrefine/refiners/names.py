"""Refiners by what a user types: a name, or a config file."""

import os
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..methods import DEFAULT, ENTRY_POINTS, did_you_mean
from ..models.checkpoint import is_onnx, read_checkpoint
from ..registry import REFINERS
from .base import Refiner
from .export import OnnxPredictor


def registered_refiners() -> dict[str, type[Refiner]]:
    """Return all refiners that are imported, by their type in configs: ``'mmrefine.X'``."""
    REFINERS.import_from_location()
    found = {f'{REFINERS.scope}.{name}': part for name, part in REFINERS.module_dict.items()}
    return {kind: part for kind, part in found.items() if issubclass(part, Refiner)}


def refiner_settings(
    refiner: str | None = None, checkpoint: str | os.PathLike | None = None
) -> dict[str, Any]:
    """Return the config of a refiner from what a user types.

    Args:
        refiner: Name of a method; or a config file that defines ``refiner = dict(type=...)``, or
            one that trains the refiner's network. By default the refiner of the network in
            ``checkpoint``, where that says so, as published ones do, else the default method.
        checkpoint: Weights for the refiner; else those it ships or its config names.

    Raises:
        ValueError: if ``refiner`` is none of these, the config cannot be read, or ``checkpoint``
            is no file.
    """
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise ValueError(f'refiner checkpoint: expected a file, {checkpoint} is none')
    if refiner is None:
        settings = dict(type=_type_of_checkpoint(checkpoint))
    elif refiner.endswith('.py') and Path(refiner).is_file():
        settings = _settings_in(refiner)
    else:
        settings = dict(type=_type_of_name(refiner))
    if checkpoint is not None:
        settings['checkpoint'] = os.fspath(checkpoint)
    return settings


def refiner_class(settings: Mapping[str, Any]) -> type[Refiner]:
    """Return the class that a refiner's config names by ``type``.

    Raises:
        ValueError: if no such class is registered.
        TypeError: if it is no refiner.
    """
    kind = settings.get('type')
    found = kind if isinstance(kind, type) else kind and REFINERS.get(kind)
    if found is None:
        known = ', '.join(sorted(registered_refiners()))
        raise ValueError(f'refiner: expected a type among {known}, got {kind}')
    if not issubclass(found, Refiner):
        raise TypeError(f'refiner: expected a Refiner, got the type {found.__name__}')
    return found


def types_of_models() -> dict[str, str]:
    """Types of refiners by the type of the network that they hold."""
    return {
        part.method.model_type: kind
        for kind, part in registered_refiners().items()
        if part.method and part.method.model_type
    }


def _type_of_checkpoint(checkpoint: str | os.PathLike | None) -> str:
    if checkpoint is None:
        return _type_of_name(DEFAULT)
    if is_onnx(checkpoint):
        model = OnnxPredictor(checkpoint).model_cfg()
    else:
        model = read_checkpoint(checkpoint)['meta'].get('model')
    kind = model.get('type') if isinstance(model, Mapping) else None
    return types_of_models().get(str(kind)) or _type_of_name(DEFAULT)


def _type_of_name(name: str) -> str:
    """Return the type of the refiner that a method's name stands for."""
    for entry in entry_points(group=ENTRY_POINTS, name=name):
        entry.load()  # which registers it
    names = {part.method.name: kind for kind, part in registered_refiners().items() if part.method}
    if name not in names:
        known = sorted({*names, *entry_points(group=ENTRY_POINTS).names})
        raise ValueError(
            f'refiner: expected {", ".join(known)} or an existing config file .py, got '
            f'{name}{did_you_mean(name, known)}'
        )
    return names[name]


def _settings_in(path: str) -> dict[str, Any]:
    """Return the refiner's config in a config file."""
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config file is a program: anything may go wrong in it
        raise ValueError(
            f'refiner: cannot read the config {path}: {type(error).__name__}: {error}'
        ) from error
    if cfg.get('refiner') is not None:
        return dict(cfg.refiner)
    types = types_of_models()
    kind = cfg.get('model', {}).get('type')
    if kind not in types:
        raise ValueError(
            f'refiner: {path} has neither refiner = dict(type=...) nor a model of type '
            f'{", ".join(types)}'
        )
    return dict(type=types[kind], model=path)
