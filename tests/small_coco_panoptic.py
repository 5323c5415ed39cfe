"""A small file of COCO's panoptic format."""

import numpy as np
from PIL import Image

SIZE = (20, 30)
BIG, SMALL = 7 + 256 * 3, 65536 * 2


def drawn() -> np.ndarray:
    labels = np.zeros(SIZE, np.int32)
    labels[4:14, 6:20] = BIG
    labels[16:19, 25:30] = SMALL
    return labels


def save(path, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.stack([labels & 255, labels >> 8 & 255, labels >> 16], 2).astype(np.uint8)
    Image.fromarray(colours).save(path)


def content() -> dict:
    segments = [
        dict(id=BIG, category_id=1, iscrowd=0, area=1, bbox=[0, 0, 1, 1], own='x'),
        dict(id=SMALL, category_id=9, iscrowd=1, area=2, bbox=[0, 0, 1, 1]),
        dict(id=5, category_id=9, iscrowd=0, area=3, bbox=[1, 1, 1, 1]),
    ]
    return dict(
        info=dict(year=2017),
        images=[dict(id=4, file_name='a.jpg', height=20, width=30)],
        annotations=[dict(file_name='a.png', image_id=4, segments_info=segments, note='é')],
        categories=[dict(id=1, name='cat', isthing=1), dict(id=9, name='sky', isthing=0)],
    )
