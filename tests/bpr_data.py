"""A tiny COCO-style data set with coarse results in both formats."""

import json
from pathlib import Path

import cv2
import numpy as np

from mmrefine.ops.run_lengths import encode_mask

SIZE = (60, 90)


def disk(y: float, x: float, radius: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    rows, columns = np.indices(size)
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


# By image: (category, true mask, coarse mask)
INSTANCES = {
    1: [(24, disk(30, 30, 14), disk(32, 31, 14)), (26, disk(30, 70, 10), disk(30, 70, 8))],
    2: [(24, disk(10, 80, 15), disk(12, 80, 15)), (24, disk(40, 20, 12), disk(50, 40, 12))],
    3: [(26, disk(30, 45, 20), disk(30, 45, 17))],
}
NAMES = {i: f'city/city_00000{i}_000019_leftImg8bit.png' for i in INSTANCES}


def write_data(folder: Path) -> Path:
    """Images whose red channel is the true masks; annotations; results as JSON and as a folder."""
    images, annotations, results = [], [], []
    pngs = folder / 'results' / 'pngs'
    for part in ('images/city', 'annotations', 'results/pngs'):
        (folder / part).mkdir(parents=True)
    for image_id, instances in INSTANCES.items():
        picture = np.random.default_rng(image_id).integers(0, 100, (*SIZE, 3), dtype=np.uint8)
        lines = []
        for number, (category, truth, coarse) in enumerate(instances):
            picture[truth, 2] = 255
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image_id,
                    category_id=category,
                    iscrowd=0,
                    segmentation=encode_mask(truth),
                )
            )
            results.append(
                dict(
                    image_id=image_id,
                    category_id=category,
                    score=0.9 - number / 10,
                    segmentation=encode_mask(coarse),
                )
            )
            stem = Path(NAMES[image_id]).stem
            name = f'{stem}_{number}.png'
            cv2.imwrite(str(pngs / name), coarse.astype(np.uint8) * 255)
            lines.append(f'{name} {category} {0.9 - number / 10}')
        (pngs / f'{Path(NAMES[image_id]).stem}_pred.txt').write_text('\n'.join(lines) + '\n')
        cv2.imwrite(str(folder / 'images' / NAMES[image_id]), picture)
        images.append(dict(id=image_id, file_name=NAMES[image_id], height=SIZE[0], width=SIZE[1]))
    content = dict(
        images=images,
        annotations=annotations,
        categories=[dict(id=24, name='person'), dict(id=26, name='car')],
    )
    (folder / 'annotations' / 'train.json').write_text(json.dumps(content))
    (folder / 'results' / 'train.segm.json').write_text(json.dumps(results))
    return folder
