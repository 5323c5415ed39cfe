"""A drawn panoptic data set in COCO's format, and settings that make mmdet's models small."""

import json
from pathlib import Path

import cv2
import numpy as np

SIZES = [(60, 90), (72, 66)]


def write_panoptic(root: Path, count: int, classes: tuple[str, ...], things: int) -> None:
    """Images of sky over ground with one or two boxes; the last image has no thing."""
    categories = [
        dict(id=k + 1, name=name, isthing=int(k < things)) for k, name in enumerate(classes)
    ]
    images, annotations = [], []
    for index in range(count):
        height, width = SIZES[index % 2]
        ids = np.full((height, width), 1)  # sky
        ids[height // 2 :] = 2
        kinds = {1: things + 1, 2: things + 2}
        for k in range(0 if index == count - 1 else 1 + index % 2):
            ids[20 + 5 * k : 50, 8 + 30 * k : 30 + 30 * k] = 3 + k
            kinds[3 + k] = 1 + (index + k) % 2
        rng = np.random.default_rng(index)
        shades = np.array([0] + [40 * kinds.get(k, 0) % 251 for k in range(1, 6)])
        image = shades[ids][..., None] + rng.integers(0, 30, (height, width, 3))
        name = f'{index:012}'
        for folder, array in (('images', image % 256), ('panoptic', ids[..., None] * [0, 0, 1])):
            (root / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(root / folder / f'{name}.png'), array.astype(np.uint8))
        images.append(dict(id=index, file_name=f'{name}.png', height=height, width=width))
        segments = []
        for k, kind in kinds.items():
            rows, columns = np.nonzero(ids == k)
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            segments.append(
                dict(id=k, category_id=kind, area=len(rows), iscrowd=0, bbox=[int(b) for b in box])
            )
        annotations.append(dict(image_id=index, file_name=f'{name}.png', segments_info=segments))
    content = dict(images=images, annotations=annotations, categories=categories)
    (root / 'panoptic.json').write_text(json.dumps(content))
