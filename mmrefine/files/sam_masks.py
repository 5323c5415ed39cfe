"""Segment Anything's masks: SA-1B's files, and lists as ``amg.py --convert-to-rle`` writes them.

Both hold the masks of one image. A list does not name it: the file has the image's name.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .json_files import read_json
from .mask_files import MaskFile, MasksOfImage, Replacement, box_xywh, own_size


class SamMasks(MaskFile):
    """The masks of one image; ``segmentation``, ``area`` and ``bbox`` change.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.
        content: What the file holds, if that is read already.

    Raises:
        ValueError: if it is something else.
    """

    format = 'sam'
    words = ('mask', 'masks')
    classes = None

    def __init__(self, path: str | os.PathLike, content: Any = None, **options: Any) -> None:
        super().__init__(path, **options)
        self._content = read_json(path) if content is None else content
        self._entries: Any = self._content
        self._image: Any = Path(path).stem
        if isinstance(self._content, dict):  # SA-1B
            self._entries = self._content.get('annotations')
            image = self._content.get('image')
            self._image = image.get('file_name', self._image) if isinstance(image, dict) else None
        if not isinstance(self._image, str) or not is_sam_list(self._entries):
            raise ValueError(
                f'{path}: expected masks of Segment Anything: a list of masks, each with '
                'segmentation and predicted_iou or area, or an object with image and annotations'
            )

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``."""
        masks = {place: entry['segmentation'] for place, entry in enumerate(self._entries)}
        return [MasksOfImage(self._image, masks)]

    @property
    def size_hw(self) -> tuple[int, int] | None:
        """See ``MaskFile``."""
        sizes = [own_size(entry['segmentation']) for entry in self._entries]
        if sizes and sizes[0]:
            return sizes[0]
        image = self._content.get('image', {}) if isinstance(self._content, dict) else {}
        height, width = image.get('height'), image.get('width')
        return (height, width) if type(height) is type(width) is int else None

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``; the score is the IoU that the network foresees."""
        return None, self._entries[place].get('predicted_iou', 1.0)

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        return dict(
            segmentation=self.segmentation(mask, refined),
            area=int(np.count_nonzero(refined)),
            bbox=box_xywh(refined),
        )

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        entries = [{**e, **replacements.get(k, {})} for k, e in enumerate(self._entries)]
        if isinstance(self._content, dict):
            return json.dumps({**self._content, 'annotations': entries}).encode()
        return json.dumps(entries).encode()


def is_sam_list(entries: Any) -> bool:
    """Whether it is a list of masks that name no image."""
    return isinstance(entries, list) and all(
        isinstance(entry, dict)
        and 'segmentation' in entry
        and 'image_id' not in entry
        and ('predicted_iou' in entry or 'area' in entry)
        for entry in entries
    )
