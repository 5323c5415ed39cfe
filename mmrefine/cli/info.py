"""``mmrefine info``: what is installed, what it runs on, and which weights are there."""

import argparse
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..frameworks import FAMILIES
from ..methods import shipped_methods
from ..version import __version__

DESCRIPTION = (
    'Show versions, the device, methods, and the weights that come with the package: what each was '
    'trained on, and the licence of that data'
)
EPILOG = None
PACKAGE = Path(__file__).parents[1]
PLAIN = ('torch', 'numpy', 'opencv-python', 'opencv-python-headless')


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> int:
    """Print it."""
    print(f'mmrefine {__version__}, Python {platform.python_version()}, {PACKAGE}')
    names = [*PLAIN, *(part.name for family in FAMILIES.values() for part in family)]
    print('packages: ' + ', '.join(_installed(names)))
    print(f'device: {_device()}')
    print(f'methods: {", ".join(shipped_methods())}')
    for model in shipped_models():
        meta = model['Metadata']
        print(f'\n{PACKAGE.parent / model["Weights"]}')
        print(f'  recipe: {model["Name"]}')
        print(f'  trained on: {" ".join(str(meta["Training Data"]).split())}')
        print(f'  sha256: {meta["SHA-256"]}')
    return 0


def shipped_models() -> Iterator[dict[str, Any]]:
    """Yield the entries of the metafiles whose weights come with the package."""
    import yaml

    # In a wheel, what mim looks for lies inside of the package; in a clone, beside it.
    inside = PACKAGE / '.mim' / 'model-index.yml'
    index = inside if inside.is_file() else PACKAGE.parent / 'model-index.yml'
    if not index.is_file():
        return
    for name in yaml.safe_load(index.read_text('utf-8'))['Import']:
        content = yaml.safe_load((index.parent / name).read_text('utf-8'))
        yield from (model for model in content.get('Models', ()) if 'Weights' in model)


def _installed(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        try:
            yield f'{name} {version(name)}'
        except PackageNotFoundError:
            continue


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return f'{torch.cuda.get_device_name()} (CUDA {torch.version.cuda})'
    return f'CPU, {torch.get_num_threads()} threads'
