"""COCO's masks: result files, and annotation files (LVIS's, too)."""

import copy
import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .coco_annotations import image_name
from .coco_results import check_results
from .json_files import read_json
from .mask_files import MaskFile, MasksOfImage, Replacement, box_xywh


class CocoResults(MaskFile):
    """A list of detections; only ``segmentation`` changes.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.
        content: What the file holds, if that is read already.

    Attributes:
        entries: What the file holds.

    Raises:
        ValueError: if it is no list of detections with masks.
    """

    format = 'coco'

    def __init__(self, path: str | os.PathLike, content: Any = None, **options: Any) -> None:
        super().__init__(path, **options)
        self.entries = check_results(path, read_json(path) if content is None else content)

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``."""
        by_image: dict[Any, MasksOfImage] = {}
        for place, entry in enumerate(self.entries):
            image_id = entry['image_id']
            masks = by_image.setdefault(image_id, MasksOfImage(image_id)).masks
            masks[place] = entry.get('segmentation')
        return list(by_image.values())

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``."""
        return _described(self.entries[place])

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        return dict(segmentation=self.segmentation(mask, refined))

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        entries = enumerate(self.entries)
        return json.dumps([{**e, **replacements.get(place, {})} for place, e in entries]).encode()


class CocoAnnotations(MaskFile):
    """COCO or LVIS annotations; ``segmentation``, ``area`` and ``bbox`` of masks change.

    Crowd regions and annotations without a mask stay as they are.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.
        content: What the file holds, if that is read already.

    Raises:
        ValueError: if there are no images with names, or no annotations of them.
    """

    format = 'coco'
    words = ('annotation', 'annotations')

    def __init__(self, path: str | os.PathLike, content: Any = None, **options: Any) -> None:
        super().__init__(path, **options)
        self._content = read_json(path) if content is None else content
        try:
            self.names = {image['id']: image_name(image) for image in self._content['images']}
            for annotation in self._content['annotations']:
                hash(annotation['image_id'])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f'{path}: expected COCO annotations with images, each with id and file_name, and '
                f'annotations, each with image_id: {error}'
            ) from error

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``."""
        by_image: dict[Any, MasksOfImage] = {}
        self.left_alone = {}
        for place, entry in enumerate(self._content['annotations']):
            image_id, mask = entry['image_id'], entry.get('segmentation')
            what = 'crowd regions' if entry.get('iscrowd') else None if mask else 'without a mask'
            if what:
                self.left_alone[what] = self.left_alone.get(what, 0) + 1
                continue
            by_image.setdefault(image_id, MasksOfImage(image_id)).masks[place] = mask
        return list(by_image.values())

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``."""
        return _described(self._content['annotations'][place])

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        return dict(
            segmentation=self.segmentation(mask, refined),
            area=int(np.count_nonzero(refined)),
            bbox=box_xywh(refined),
        )

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        content = copy.copy(self._content)
        content['annotations'] = [
            {**entry, **replacements.get(place, {})}
            for place, entry in enumerate(self._content['annotations'])
        ]
        return json.dumps(content, ensure_ascii=False).encode()


def _described(entry: Mapping[str, Any]) -> tuple[Any, float]:
    return entry.get('category_id'), entry.get('score', 1.0)
