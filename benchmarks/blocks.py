"""How many pixels differ where BPR refines an image block by block.

    python benchmarks/blocks.py COCO_OPEN

Lays photographs and their annotations, grown by 3 pixels, side by side to one image with a label
for each instance, refines it as a whole and in blocks, and counts the pixels that differ: with
the second look that masks get which are off all around, and without.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mmrefine.apis import build_refiner
from mmrefine.files.json_files import read_json
from mmrefine.ops.run_lengths import decode_mask
from mmrefine.refiners import bpr_blocks, load_image

SIZE = (1952, 2080)
BLOCK = 1024  # pixels, in place of 2,048: of a smaller image


def mosaic(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) and labels (H, W)."""
    content = read_json(folder / 'annotations' / 'train.json')
    image, labels = np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.int32)
    top = left = row = number = 0
    for entry in content['images']:
        photograph = load_image(folder / 'images' / 'train' / entry['file_name'])
        if left >= SIZE[1]:
            top, left, row = top + row, 0, 0
        if top >= SIZE[0]:
            break
        place = slice(top, top + len(photograph)), slice(left, left + photograph.shape[1])
        height, width = labels[place].shape
        image[place] = photograph[:height, :width]
        for annotation in content['annotations']:
            if annotation['image_id'] != entry['id'] or annotation.get('iscrowd'):
                continue
            number += 1
            mask = decode_mask(annotation['segmentation'], photograph.shape[:2]).astype(np.uint8)
            grown = cv2.dilate(mask, np.ones((7, 7), np.uint8))[:height, :width] > 0
            labels[place][grown] = number
        left, row = left + width, max(row, height)
    return image, labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    image, labels = mosaic(parser.parse_args().folder)
    whole, block = bpr_blocks.WHOLE, bpr_blocks.BLOCK
    print(f'{SIZE[0]}x{SIZE[1]} pixels, {len(np.unique(labels))} labels')
    for second_look in (True, False):
        refiner = build_refiner('bpr', device='cpu', second_look=second_look)
        bpr_blocks.WHOLE, bpr_blocks.BLOCK = whole, block
        expected = refiner.refine(image, labels)
        bpr_blocks.WHOLE, bpr_blocks.BLOCK = 0, BLOCK
        found = refiner.refine(image, labels)
        changed, differ = np.mean(expected != labels), np.mean(expected != found)
        look = 'with' if second_look else 'without'
        print(f'{look} a second look: {100 * changed:.2f} % changed, {100 * differ:.4f} % differ')


if __name__ == '__main__':
    main()
