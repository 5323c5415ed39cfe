"""What each refining method is called and which options it has: one file a method.

A refiner names its method (``method = SEGFIX``). The command line reads the methods from here,
where nothing imports torch or mmseg, so that ``--help`` answers at once.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from importlib.metadata import entry_points

from .declaration import Method, Option, share, whole_number, yes_or_no

# What refines where a user names no method: in Python, on the command line, in the hook.
DEFAULT = 'bpr'

# A package names its refiners here, so that their names work before anything imports it:
# [project.entry-points."mmrefine.refiners"] my_method = "my_package:MyRefiner"
ENTRY_POINTS = 'mmrefine.refiners'

__all__ = [
    'DEFAULT',
    'ENTRY_POINTS',
    'Method',
    'Option',
    'did_you_mean',
    'method_names',
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


def method_names() -> list[str]:
    """Return the names of all methods: shipped ones, and those that installed packages bring."""
    return sorted({*shipped_methods(), *entry_points(group=ENTRY_POINTS).names})


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``'; did you mean X?'`` where a known word is close to ``word``, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f'; did you mean {close[0]}?' if close else ''
