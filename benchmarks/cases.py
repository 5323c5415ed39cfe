"""The list of what is timed: every file in :mod:`benchmarks.suite` adds to it."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

Call = Callable[[], object]
# Device → what is timed, and the reference it is compared with.
Maker = Callable[[str], tuple[Call, Call]]


class NotHere(Exception):
    """Raised by a case that this machine lacks something for; the text says what."""


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: What is timed.
        reference: What it is compared with, in the same run.
        target: How many times as fast as the reference it should be; below 1 where the reference
            is a part of it: 1 / 1.15 allows 15 % above the network alone.
        short: Whether the short form of the suite has it.
        make: Builds both sides. Checks that they do the same, where both give a result.
    """

    name: str
    reference: str
    target: float | None
    short: bool
    make: Maker


CASES: dict[str, Case] = {}


def case(
    name: str, reference: str, target: float | None = None, short: bool = False
) -> Callable[[Maker], Maker]:
    """Put the decorated function, which builds both sides, into the list."""

    def add(make: Maker) -> Maker:
        if name in CASES:
            raise ValueError(f'{name}: there are two cases of that name')
        CASES[name] = Case(name, reference, target, short, make)
        return make

    return add


def all_cases() -> dict[str, Case]:
    """All cases by name, in the order of files and of their lines."""
    from . import suite

    for module in sorted(info.name for info in pkgutil.iter_modules(suite.__path__)):
        importlib.import_module(f'{suite.__name__}.{module}')
    return CASES
