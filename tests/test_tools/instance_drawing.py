"""Instances to refine: images, and what a model predicted on them, in both result formats."""

import json
from pathlib import Path

import cv2
import numpy as np
from label_drawing import random_labels
from PIL import Image
from pycocotools import mask as coco_mask

SIZES = {'frankfurt/frankfurt_000000_000011': (40, 57), 'munster/munster_000001_000007': (52, 45)}
IMAGE_END = '_leftImg8bit'
LABELS = (24, 26, 33)


def draw_images(folder: Path) -> None:
    """One image a frame, in a folder a city."""
    rng = np.random.default_rng(0)
    for frame, size in SIZES.items():
        path = folder / f'{frame}{IMAGE_END}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (*size, 3), dtype=np.uint8))


def masks_of(frame: str) -> np.ndarray:
    """Three masks, bool (3, H, W)."""
    labels = random_labels(len(frame), *SIZES[frame])
    return np.stack([labels == label for label in range(3)])


def encode(mask: np.ndarray) -> dict:
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {'size': rle['size'], 'counts': rle['counts'].decode()}


def draw_results(path: Path, image_ids: dict) -> list[dict]:
    """A COCO result file, the detections in no order."""
    rng = np.random.default_rng(1)
    entries = [
        dict(
            image_id=image_ids[frame],
            category_id=label,
            score=float(rng.random()),
            bbox=[1.5, 2, 3, 4],
            segmentation=encode(mask),
        )
        for frame in SIZES
        for label, mask in zip(LABELS, masks_of(frame), strict=True)
    ]
    rng.shuffle(entries)
    path.write_text(json.dumps(entries))
    return entries


def draw_cityscapes(folder: Path, below: str = '') -> None:
    """Lists and PNGs as mmdet's ``CityScapesMetric`` writes them, below a folder of their own.

    The masks of an image have three forms: 0 and 1, 0 and 255, and 1 bit.
    """
    place = folder / below
    place.mkdir(parents=True, exist_ok=True)
    for frame in SIZES:
        stem = Path(frame).name + IMAGE_END
        lines = []
        for index, (label, mask) in enumerate(zip(LABELS, masks_of(frame), strict=True)):
            pixels = (mask.astype(np.uint8), mask.astype(np.uint8) * 255, mask)[index]
            Image.fromarray(pixels).save(place / f'{stem}_{index}_thing.png')
            lines.append(f'{stem}_{index}_thing.png {label} {0.9 - 0.1 * index:.7f}\n')
        (place / f'{stem}_pred.txt').write_text(''.join(lines))


def read_mask(path: Path) -> np.ndarray:
    """As cityscapesscripts does: anything but 0 is object."""
    with Image.open(path) as image:
        return np.array(image) != 0
