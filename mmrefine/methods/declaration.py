"""How a method says what it is called and which options it has."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option of a refiner on the command line.

    Attributes:
        name: The argument of the refiner's constructor. ``iou_threshold`` is ``--iou-threshold``
            on the command line.
        type: Makes the value from text. It raises ``ValueError`` or
            ``argparse.ArgumentTypeError`` for what it does not take.
        help: One sentence for ``--help``, with the default.
    """

    name: str
    type: Callable[[str], Any]
    help: str

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return f'--{self.name.replace("_", "-")}'


@dataclass(frozen=True)
class Method:
    """A method of refining.

    Attributes:
        name: What users type: ``build_refiner(name)``, ``--method NAME``.
        model_type: Type of the network, for configs that train one: ``'mmrefine.SegFix'``.
        options: Options of the refiner on the command line; the constructor may take more.
        follows_offsets: Options with which the refiner follows an offset field that can be saved;
            ``None`` for a refiner without one. Such a refiner has ``predict_offset`` and
            ``shift``.
    """

    name: str
    model_type: str | None = None
    options: tuple[Option, ...] = ()
    follows_offsets: Mapping[str, Any] | None = None


def whole_number(text: str) -> int:
    """Return an integer of 1 or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'expected 1 or more, got {number}')
    return number


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'expected 0 to 1, got {number}')
    return number


def yes_or_no(text: str) -> bool:
    """Return whether a word says yes."""
    if text not in ('yes', 'no'):
        raise argparse.ArgumentTypeError(f'expected yes or no, got {text}')
    return text == 'yes'
