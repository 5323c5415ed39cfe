"""YOLO's segmentation labels: a text file an image, a line an object.

A line is the class and the points of a polygon, ``0 x1 y1 x2 y2 x3 y3 ...``, as shares of width
and height; predictions may have their confidence at the end. The format knows one polygon an
object: parts and holes are joined by seams.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..ops.polygons import mask_ring
from ..ops.run_lengths import decode_mask
from .mask_files import MaskFile, MasksOfImage, Replacement


class YoloLabels(MaskFile):
    """The objects of one image; polygons change, boxes stay as they are.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.

    Raises:
        ValueError: if a line is something else.
    """

    format = 'yolo'
    words = ('line', 'lines')
    classes = 'numbers'

    def __init__(self, path: str | os.PathLike, **options: Any) -> None:
        super().__init__(path, **options)
        try:
            text = self.path.read_bytes().decode('utf-8-sig')
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f'{path}: cannot be read: {error}') from error
        self._lines = text.splitlines()
        for number, line in enumerate(self._lines, 1):
            if line.strip() and not _is_label(line):
                raise ValueError(
                    f'{path}: line {number}: expected a class and points x1 y1 x2 y2 x3 y3 ... '
                    f'from 0 to 1, got {line[:60]!r}'
                )

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``; places are numbers of lines, from 1."""
        masks = {}
        self.left_alone = {}
        for number, line in enumerate(self._lines, 1):
            points = _points(line)
            if len(points) >= 6:
                masks[number] = points
            elif line.strip():
                self.left_alone['boxes'] = self.left_alone.get('boxes', 0) + 1
        return [MasksOfImage(Path(self.path).stem, masks)]

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``."""
        words = self._lines[place - 1].split()
        return int(float(words[0])), float(words[-1]) if len(words) % 2 == 0 else 1.0

    def decode(self, mask: Any, size_hw: tuple[int, int], resize: bool = False) -> np.ndarray:
        """See ``MaskFile``; masks of shares fit any size."""
        height, width = size_hw
        xy = np.array(mask, np.float64).reshape(-1, 2) * (width, height)
        return decode_mask([xy.ravel().tolist()], size_hw)

    def is_kept(self, mask: Any, changed: int) -> bool:
        """See ``MaskFile``."""
        return not changed

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        height, width = refined.shape
        xy = np.array(mask_ring(refined, self.tolerance)).reshape(-1, 2) / (width, height)
        return dict(points=' '.join(f'{value:.6f}' for value in xy.ravel()))

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        lines = list(self._lines)
        for number, replacement in replacements.items():
            words = lines[number - 1].split()
            confidence = words[-1:] if len(words) % 2 == 0 else []
            lines[number - 1] = ' '.join([words[0], replacement['points'], *confidence])
        return ''.join(f'{line}\n' for line in lines).encode()


def _is_label(line: str) -> bool:
    words = line.split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        return False
    # A little beyond the image happens; pixels would be far beyond.
    points = values[1:]
    return len(words) >= 5 and all(-1 <= value <= 2 for value in points)


def _points(line: str) -> list[float]:
    values = [float(word) for word in line.split()[1:]]
    return values[: len(values) // 2 * 2]
