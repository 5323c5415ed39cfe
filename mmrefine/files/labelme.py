"""LabelMe's JSON: the shapes of one image.

Polygons and masks are refined; boxes, circles, lines and points stay as they are. Polygons that
share label and ``group_id`` are parts of one object. A polygon that becomes several gets a
``group_id``.
"""

import base64
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..ops.polygons import mask_polygons
from ..ops.run_lengths import decode_mask
from .json_files import read_json
from .mask_files import MaskFile, MasksOfImage, Replacement

Shape = dict[str, Any]


class LabelMe(MaskFile):
    """The shapes of one image.

    Args:
        path: As for ``MaskFile``.
        options: As for ``MaskFile``.
        content: What the file holds, if that is read already.

    Raises:
        ValueError: if there is no list of shapes.
    """

    format = 'labelme'
    words = ('shape', 'shapes')
    classes = 'names'

    def __init__(self, path: str | os.PathLike, content: Any = None, **options: Any) -> None:
        super().__init__(path, **options)
        self._content = read_json(path) if content is None else content
        shapes = self._content.get('shapes') if isinstance(self._content, dict) else None
        if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
            raise ValueError(f'{path}: expected a file of LabelMe, an object with a list of shapes')
        self._shapes: list[Shape] = shapes
        self._parts: dict[int, list[int]] = {}

    def images(self) -> list[MasksOfImage]:
        """See ``MaskFile``; the place of several polygons is that of the first."""
        masks: dict[int, list[Shape]] = {}
        groups: dict[Any, int] = {}
        self.left_alone = {}
        for place, shape in enumerate(self._shapes):
            kind = shape.get('shape_type', 'polygon')
            if kind not in ('polygon', 'mask'):
                self.left_alone[f'{kind} shapes'] = self.left_alone.get(f'{kind} shapes', 0) + 1
                continue
            group = shape.get('group_id')
            key = (kind, str(shape.get('label')), str(group)) if group is not None else place
            first = groups.setdefault(key, place)
            masks.setdefault(first, []).append(shape)
            self._parts.setdefault(first, []).append(place)
        image = self._content.get('imagePath')
        named = isinstance(image, str) and image
        return [MasksOfImage(image if named else Path(self.path).stem, dict(masks))]

    @property
    def size_hw(self) -> tuple[int, int] | None:
        """See ``MaskFile``."""
        height, width = (self._content.get(f'image{side}') for side in ('Height', 'Width'))
        return (height, width) if type(height) is type(width) is int else None

    def described(self, place: int) -> tuple[Any, float]:
        """See ``MaskFile``."""
        score = self._shapes[place].get('score')
        return self._shapes[place].get('label'), 1.0 if score is None else score

    def decode(self, mask: Any, size_hw: tuple[int, int], resize: bool = False) -> np.ndarray:
        """See ``MaskFile``."""
        own = self._content.get('imageHeight'), self._content.get('imageWidth')
        if all(type(side) is int for side in own) and own != size_hw:
            raise ValueError(f'size {own} is not the size {size_hw} of the image (height, width)')
        if mask[0].get('shape_type', 'polygon') == 'polygon':
            return decode_mask([_flat(shape) for shape in mask], size_hw)
        found = np.zeros(size_hw, bool)
        for shape in mask:
            (x, y), part = _corner(shape), _stored_mask(shape)
            window = found[y : y + part.shape[0], x : x + part.shape[1]]
            window |= part[: window.shape[0], : window.shape[1]]
        return found

    def is_kept(self, mask: Any, changed: int) -> bool:
        """See ``MaskFile``."""
        return not changed and not (self.polygons and mask[0].get('shape_type') == 'mask')

    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """See ``MaskFile``."""
        if mask[0].get('shape_type') == 'mask' and not self.polygons:
            return dict(mask=_mask_fields(refined))
        polygons = mask_polygons(refined, self.tolerance)
        return dict(polygons=[np.reshape(polygon, (-1, 2)).tolist() for polygon in polygons])

    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """See ``MaskFile``."""
        given = [shape.get('group_id') for shape in self._shapes]
        free = max([group for group in given if type(group) is int], default=0) + 1
        shapes: list[Shape] = []
        replaced = {k for place in replacements for k in self._parts[place]}
        for place, shape in enumerate(self._shapes):
            if place in replacements:
                replacement = replacements[place]
                if 'mask' in replacement:
                    shapes.append({**shape, **replacement['mask']})
                    continue
                polygons, group = replacement['polygons'], shape.get('group_id')
                if len(polygons) > 1 and group is None:
                    group, free = free, free + 1
                plain = {key: value for key, value in shape.items() if key != 'mask'}
                shapes += [
                    {**plain, 'points': points, 'group_id': group, 'shape_type': 'polygon'}
                    for points in polygons
                ]
            elif place not in replaced:
                shapes.append(shape)
        content = {**self._content, 'shapes': shapes}
        return json.dumps(content, ensure_ascii=False, indent=2).encode()


def is_labelme(content: Any) -> bool:
    """Whether JSON is of LabelMe."""
    return isinstance(content, dict) and isinstance(content.get('shapes'), list)


def _flat(shape: Shape) -> list[float]:
    try:
        return [float(value) for x, y in shape['points'] for value in (x, y)]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError('expected points [[x1, y1], [x2, y2], ...]') from error


def _corner(shape: Shape) -> tuple[int, int]:
    flat = _flat(shape)
    if len(flat) != 4 or not all(0 <= value < 2**31 for value in flat):
        raise ValueError('expected the two corners of its mask as points')
    return int(flat[0]), int(flat[1])


def _stored_mask(shape: Shape) -> np.ndarray:
    try:
        content = base64.b64decode(shape['mask'], validate=True)
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert('L')) > 0
    except Exception as error:  # readers fail in many ways on broken data
        raise ValueError('expected its mask as a PNG in base64') from error


def _mask_fields(mask: np.ndarray) -> Shape:
    """The box of a mask and what is in it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    content = io.BytesIO()
    Image.fromarray(mask[top : bottom + 1, left : right + 1]).save(content, 'PNG')
    points = [[float(left), float(top)], [float(right), float(bottom)]]
    return dict(points=points, mask=base64.b64encode(content.getvalue()).decode())
