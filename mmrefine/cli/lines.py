"""Lines for the terminal."""

from collections.abc import Iterable
from pathlib import Path

from ..methods import did_you_mean


def plain(text: object) -> str:
    """A text whose control characters are shown, not followed.

    Names of files may hold sequences that clear a terminal, rename its window or hide what was
    printed before.
    """
    return ''.join(
        letter if letter.isprintable() or letter in '\n\t' else f'\\x{ord(letter):02x}'
        for letter in str(text)
    )


def check_kind(word: str, kinds: Iterable[str]) -> None:
    """Refuse a word in the place of a kind that is no kind, and no file or folder either.

    Raises:
        ValueError: if a kind is close to it.
    """
    hint = did_you_mean(word, kinds)
    if hint and not Path(word).exists():
        raise ValueError(f'{word}: no such kind, file or folder{hint}')
