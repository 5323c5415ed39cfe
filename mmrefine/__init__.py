"""mmrefine: right boundaries for segmentation masks, inside OpenMMLab tools."""

from pathlib import Path

from .frameworks import check_installed
from .version import __version__

check_installed()

__all__ = ['__version__', 'path_of']


def path_of(name: str) -> str:
    """Path of a config or of weights that come with the package.

    A config that lies anywhere finds its base by it::

        _base_ = __import__('mmrefine').path_of('configs/segfix/CONFIG.py')

    Args:
        name: ``configs/...`` or ``weights/...``.

    Raises:
        ValueError: if nothing of that name comes with the package.
    """
    package = Path(__file__).parent
    # In a wheel, configs lie where mim looks for them; in a clone, beside the package.
    for folder in (package, package / '.mim', package.parent):
        if (folder / name).is_file():
            return str(folder / name)
    raise ValueError(f'{name}: nothing of that name comes with mmrefine, in {package}')
