"""COCO's panoptic format: a JSON file, and an RGB PNG an image whose colours are segments.

The ids of segments are red + 256 · green + 65536 · blue; 0 is of no segment. PNGs lie in the
folder that is named as the JSON file, beside it, or with it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..ops.run_lengths import encode_mask
from .coco_annotations import image_name
from .json_files import read_json
from .label_maps import LabelMap, read_label_map

NO_SEGMENT = 0
Facts = dict[int, tuple[int, list[int]]]


def is_panoptic(content: Any) -> bool:
    """Whether JSON is of COCO's panoptic format."""
    annotations = content.get('annotations') if isinstance(content, dict) else None
    return (
        isinstance(annotations, list)
        and bool(annotations)
        and all(isinstance(a, dict) and 'segments_info' in a for a in annotations)
    )


def names_segments(path: str | os.PathLike) -> bool:
    """Whether a file may be of that format, which is seen without reading it as JSON."""
    where = Path(path)
    named = where.suffix.lower() == '.json' and where.is_file()
    return named and b'"segments_info"' in where.read_bytes()


class PanopticFiles:
    """A JSON file and its PNGs.

    Args:
        path: The JSON file.
        content: What it holds, if that is read already.

    Attributes:
        folder: Where the PNGs are.

    Raises:
        ValueError: if it holds something else, or there is no folder of PNGs.
    """

    def __init__(self, path: str | os.PathLike, content: Any = None) -> None:
        self.path = Path(path)
        self._content = read_json(path) if content is None else content
        if not is_panoptic(self._content):
            raise ValueError(
                f'{path}: expected panoptic annotations of COCO, each with segments_info'
            )
        try:
            self._images = {image['id']: image for image in self._content['images']}
            self.annotations: list[dict[str, Any]] = [
                {**a, 'segments_info': [dict(s, id=int(s['id'])) for s in a['segments_info']]}
                for a in self._content['annotations']
            ]
            names = [_inside(a['file_name']) for a in self.annotations]
            self.image_names = [image_name(self._images[a['image_id']]) for a in self.annotations]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}: expected panoptic annotations of COCO, with images, and file_name, '
                f'image_id and segments_info, each with id: {error!r}'
            ) from error
        places = (self.path.with_suffix(''), self.path.parent)
        found = [place for place in places if (place / names[0]).is_file()]
        if not found:
            raise ValueError(
                f'{path}: its PNGs, {names[0]} ..., are neither in {places[0]} nor here'
            )
        self.folder = found[0]

    def labels(self, annotation: Mapping[str, Any]) -> LabelMap:
        """The ids of the segments of an image, int32 (H, W).

        Raises:
            ValueError: if the PNG is broken or missing.
        """
        return read_label_map(self.folder / annotation['file_name'], colours=True)

    def content(self, facts: Mapping[int, Facts]) -> bytes:
        """The JSON with other areas and boxes.

        Args:
            facts: Those of the segments, by the place of their annotation.
        """
        annotations = []
        for place, annotation in enumerate(self._content['annotations']):
            known = facts.get(place, {})
            segments = [
                {**s, **_fields(*known[s['id']])} if s['id'] in known else s
                for s in annotation['segments_info']
            ]
            annotations.append({**annotation, 'segments_info': segments})
        whole = {**self._content, 'annotations': annotations}
        return json.dumps(whole, ensure_ascii=False).encode()

    def as_instances(self) -> dict[str, Any]:
        """The same as COCO annotations of instances, a segment each.

        Raises:
            ValueError: if a PNG is broken or missing.
        """
        found: list[dict[str, Any]] = []
        images = []
        for annotation in self.annotations:
            labels = self.labels(annotation).labels
            height, width = labels.shape
            image = self._images[annotation['image_id']]
            images.append({**image, 'height': height, 'width': width})
            for segment in annotation['segments_info']:
                entry = dict(id=len(found) + 1, image_id=annotation['image_id'])
                mask = encode_mask(labels == segment['id'])
                crowd = segment.get('iscrowd', 0)
                category = segment.get('category_id')
                found.append({**entry, 'category_id': category, 'segmentation': mask})
                found[-1]['iscrowd'] = crowd
        categories = self._content.get('categories', [])
        return dict(images=images, annotations=found, categories=categories)


def segment_facts(labels: np.ndarray, ids: Iterable[int]) -> Facts:
    """Area and box [x, y, width, height] of segments in a map (H, W), of those that are there."""
    facts = {}
    for number in ids:
        mask = labels == number
        if mask.any():
            box = cv2.boundingRect(mask.view(np.uint8))
            facts[number] = (int(np.count_nonzero(mask)), [int(side) for side in box])
    return facts


def _fields(area: int, box: list[int]) -> dict[str, Any]:
    return dict(area=area, bbox=box)


def _inside(name: Any) -> str:
    """A name of a PNG that stays in its folder."""
    if not isinstance(name, str) or Path(name).is_absolute() or '..' in Path(name).parts:
        raise ValueError(f'file_name {name!r}')
    return name
