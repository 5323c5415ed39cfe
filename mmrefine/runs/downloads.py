"""Weights that a config takes from the network: told before, refused where that is not wanted."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import get_external_models, get_torchvision_models

# Set to anything but 0, nothing is downloaded.
OFFLINE = 'MMREFINE_OFFLINE'
KEYS = ('checkpoint', 'load_from', 'pretrained')
TABLES = {
    'open-mmlab://': get_external_models,
    'openmmlab://': get_external_models,
    'torchvision://': get_torchvision_models,
    'modelzoo://': get_torchvision_models,
}


@dataclass(frozen=True)
class Download:
    """Weights that are not on this machine.

    Attributes:
        key: Where the config names them: ``model.backbone.init_cfg.checkpoint``.
        url: Where they are.
        path: Where they will be kept; a file that is there already is taken.
    """

    key: str
    url: str
    path: Path

    @property
    def remedy(self) -> str:
        """What to do where there is no network."""
        part = self.key.removesuffix('.checkpoint')
        return f'put {self.url} at {self.path}, or do without: --cfg-options {part}=None'


def allowed_downloads(cfg: Config, offline: bool = False) -> list[Download]:
    """Return what a run with this config downloads.

    Args:
        cfg: The config.
        offline: Nothing may be downloaded; ``MMREFINE_OFFLINE=1`` in the environment says so, too.

    Raises:
        ValueError: if something would have to be and may not; if the config names weights that no
            table knows.
    """
    downloads = needed_downloads(cfg)
    if downloads and (offline or os.environ.get(OFFLINE, '0') not in ('', '0')):
        first = downloads[0]
        raise ValueError(f'offline, and {first.key} is not on this machine: {first.remedy}')
    return downloads


@contextlib.contextmanager
def explained_failure(downloads: Sequence[Download]) -> Iterator[None]:
    """Say what to do where a download fails, in place of a traceback.

    Raises:
        SystemExit: with the reason.
    """
    try:
        yield
    except URLError as error:
        if not downloads:
            raise
        lines = [download.remedy for download in downloads]
        raise SystemExit('\n'.join([f'download failed: {error.reason}', *lines])) from error


def needed_downloads(cfg: Config) -> list[Download]:
    """Return what a config names that is not on this machine.

    Raises:
        ValueError: if it names weights that no table knows.
    """
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    found = []
    for key, name in _weights_in(cfg.to_dict(), ''):
        url = _url(key, name)
        path = folder / Path(urlparse(url).path).name if url else None
        if url and path and not path.is_file():
            found.append(Download(key, url, path))
    return found


def _weights_in(part: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            place = f'{key}.{name}'.lstrip('.')
            if name in KEYS and isinstance(value, str):
                yield place, value
            else:
                yield from _weights_in(value, place)
    elif isinstance(part, list | tuple):
        for index, value in enumerate(part):
            yield from _weights_in(value, f'{key}.{index}'.lstrip('.'))


def _url(key: str, name: str) -> str | None:
    """The address of weights; None for files."""
    if name.startswith(('https://', 'http://')):
        return name
    for scheme, table in TABLES.items():
        if name.startswith(scheme):
            known = table()
            if name.removeprefix(scheme) not in known:
                raise ValueError(f'{key}: {name} is not known, expected a file or another name')
            url = known[name.removeprefix(scheme)]
            return url if url.startswith('http') else None
    return None
