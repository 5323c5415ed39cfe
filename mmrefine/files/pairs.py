"""Files that belong together by name, and what is said where one is missing."""

import os
from collections.abc import Sequence

from .find import FileIndex, FoundFile


def counterparts(
    targets: Sequence[FoundFile],
    files: Sequence[tuple[str, FoundFile]],
    folder: str | os.PathLike,
) -> tuple[list[FoundFile], list[str]]:
    """The file of each target's name, and a line for each target without one."""
    index = FileIndex(files)
    found, missing = [], []
    for target in targets:
        try:
            found.append(index.find(target.name))
        except LookupError as error:
            missing.append(f'{target.path}: its counterpart in {folder}: {error}')
    return found, missing


def missing_text(missing: Sequence[str]) -> str:
    """One line that says how many files lack a counterpart, and one for each of them."""
    number = f'{len(missing)} file{"s" if len(missing) > 1 else ""}'
    return '\n  '.join([f'{number} without a counterpart', *missing])
