"""Which image each ``image_id`` of a COCO result file is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from .find import FileIndex, FoundFile

LAST_NUMBER = re.compile(r'\d+(?=\D*$)')


class ImageIds:
    """Images by ``image_id``.

    Args:
        images: The images there are.
        names: File name by id, as annotations have it. Without, a text stands for a file of that
            name, with or without its suffix, and a number, also as a text, for the only file whose
            name has it as its last number: ``000000000139.jpg`` is 139. This is a guess:
            ``guesses`` tells whether it can be trusted.
        by_number: Whether numbers may stand for files at all.
    """

    def __init__(
        self,
        images: Sequence[FoundFile],
        names: Mapping[Any, str] | None,
        by_number: bool = True,
    ) -> None:
        self._names = names
        self._by_number = by_number
        self._files = FileIndex(
            [(name, image) for image in images for name in {image.relative, image.full_name}]
        )
        self._numbers: dict[int, list[FoundFile]] = {}
        for image in images:
            number = LAST_NUMBER.search(PurePosixPath(image.relative).stem)
            if number:
                self._numbers.setdefault(int(number.group()), []).append(image)

    def find(self, image_id: Any) -> FoundFile:
        """The image.

        Raises:
            LookupError: if there is none or more than one; the text says why.
        """
        if self._names is not None:
            if image_id not in self._names:
                raise LookupError('is not in the annotations')
            return self._by_name(self._names[image_id])
        if isinstance(image_id, str):
            try:
                return self._by_name(image_id)
            except LookupError:
                if not image_id.isdecimal() or not self._by_number:
                    raise
        files = self._numbers.get(int(image_id), [])
        if len(files) == 1:
            return files[0]
        reason = 'is the number of no image'
        if files:
            reason = f'is the number of {len(files)} images: {files[0].path}, {files[1].path}'
        raise LookupError(f'{reason}; --annotations can say which image it is')

    def guesses(self, image_ids: Iterable[Any]) -> dict[Any, FoundFile]:
        """Which of the ids stand for a file by its number, and for which.

        Numbers are trusted where every one fits. Where only some do, they may fit by accident.

        Raises:
            ValueError: if some numbers fit a file, and another fits none or several.
        """
        if self._names is not None:
            return {}
        found, reason = {}, None
        for image_id in image_ids:
            if isinstance(image_id, str) and not (image_id.isdecimal() and self._is_new(image_id)):
                continue
            try:
                found[image_id] = self.find(image_id)
            except LookupError as error:
                reason = reason or f'image_id {image_id!r} {error}'
        if reason and found:
            raise ValueError(
                f'{reason}; numbers in file names are only taken for ids where every id fits one'
            )
        return found

    def _is_new(self, name: str) -> bool:
        try:
            self._by_name(name)
        except LookupError:
            return True
        return False

    def _by_name(self, name: Any) -> FoundFile:
        if not isinstance(name, str):
            raise LookupError(f'has the file name {name!r}, expected a text')
        try:
            return self._files.find(name, any_folder=True)
        except LookupError as error:
            raise LookupError(f'is {name}: {error}') from error
