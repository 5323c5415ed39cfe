"""What each refining method is called and which options it has: one file a method.

A refiner names its method (``method = SEGFIX``). The command line reads the methods from here,
where nothing imports torch or mmseg, so that ``--help`` answers at once.
"""

import importlib
import pkgutil

from .declaration import Method, Option, share, whole_number, yes_or_no

# What refines where a user names no method.
DEFAULT = 'segfix'

__all__ = [
    'DEFAULT',
    'Method',
    'Option',
    'share',
    'shipped_methods',
    'whole_number',
    'yes_or_no',
]


def shipped_methods() -> dict[str, Method]:
    """Return the methods that come with the package, by name."""
    modules = [
        importlib.import_module(f'{__name__}.{found.name}')
        for found in pkgutil.iter_modules(__path__)
    ]
    values = [value for module in modules for value in vars(module).values()]
    return {value.name: value for value in values if isinstance(value, Method)}
