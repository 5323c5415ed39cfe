"""What a folder was made with: a small hidden file in it says so, and later runs compare."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .json_files import read_json
from .whole_files import write_whole_file

NAME = '.mmrefine.json'


class MadeWith:
    """The settings that the files of an output folder were made with.

    Args:
        folder: The output.
        settings: Those of this run: plain values by name.
    """

    def __init__(self, folder: str | os.PathLike, settings: Mapping[str, Any]) -> None:
        self._folder = Path(folder)
        self._path = self._folder / NAME
        self._settings = json.loads(json.dumps(dict(settings), default=str))
        # Nobody knows how files were made that lie in a folder without a record.
        begun = self._folder.is_dir() and any(self._folder.iterdir())
        self._unknown = begun and not self._path.is_file()

    def check(self) -> None:
        """Refuse a folder that was made with other settings.

        Raises:
            ValueError: names each setting that differs; if the record is broken.
        """
        differences = self._differences()
        if differences:
            raise ValueError(
                f'{self._folder}: was made with other settings: {"; ".join(differences)}. '
                '--overwrite refines all of it again, another OUT keeps both'
            )

    def begin(self, overwrite: bool) -> None:
        """Write the record; where everything is made anew, one that ``end`` completes."""
        if overwrite and (self._unknown or self._differences()):
            self._write({**self._settings, 'overwriting': 'not finished'})
        elif not self._unknown:
            self._write(self._settings)

    def end(self, overwrite: bool) -> None:
        """Complete the record of a run that finished."""
        if overwrite:
            self._write(self._settings)

    def withdraw(self) -> None:
        """Remove the record of a folder that holds nothing else, and the folder."""
        if self._folder.is_dir() and [*self._folder.iterdir()] == [self._path]:
            self._path.unlink()
            self._folder.rmdir()

    def _differences(self) -> list[str]:
        if not self._path.is_file():
            return []
        before, now = read_json(self._path), self._settings
        if not isinstance(before, dict):
            raise ValueError(f'{self._path}: expected settings, got {type(before).__name__}')
        names = [*now, *(name for name in before if name not in now)]
        return [
            f'{name} {_text(before.get(name))}, now {_text(now.get(name))}'
            for name in names
            if before.get(name) != now.get(name)
        ]

    def _write(self, settings: Mapping[str, Any]) -> None:
        write_whole_file(self._path, (json.dumps(settings, indent=1) + '\n').encode())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ', '.join(f'{name} {part}' for name, part in value.items()) or 'none'
    return 'none' if value is None else str(value)
