"""Instances a second of ``tools/make_patches.py`` against the released steps restated plainly.

    python benchmarks/bpr_patches.py [--images 4] [--instances 15]

One process and one thread on both sides, in one run, on the same data: images of 2048 × 1024,
irregular instances of the sizes Cityscapes has, and coarse masks made of them. The plain side does,
for each instance, what the released script does: it reads the image, decodes all true masks of the
image and counts their overlaps, convolves the full mask, suppresses boxes, pads image and masks and
writes three PNGs a patch. Needs mmcv with its compiled ops for the plain side.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path

os.environ['OMP_NUM_THREADS'] = '1'

import cv2
import numpy as np
import torch
from bpr import SIZE_HW, draw_masks, plain_boxes

from mmrefine.datasets.patch_writing import PatchSettings, patch_tasks, write_patches
from mmrefine.ops import degrade
from mmrefine.ops.run_lengths import decode_mask, encode_mask

PATCH, IOU_THRESHOLD = 64, 0.25


def write_data(folder: Path, number: int, instances: int) -> None:
    """Images, true masks and coarse ones."""
    (folder / 'images').mkdir()
    images, annotations, results = [], [], []
    for image_id in range(number):
        rng = np.random.default_rng(image_id)
        scales = [(8, 16), (64, 128), (512, 1024)]
        layers = [cv2.resize(rng.random((*s, 3)), SIZE_HW[::-1]) for s in scales]
        picture = 255 * (0.6 * layers[0] + 0.3 * layers[1] + 0.1 * layers[2])
        cv2.imwrite(str(folder / f'images/{image_id}.png'), picture.astype(np.uint8))
        images.append(
            dict(id=image_id, file_name=f'{image_id}.png', height=SIZE_HW[0], width=SIZE_HW[1])
        )
        for mask in draw_masks(instances, seed=image_id):
            entry = dict(image_id=image_id, category_id=1, iscrowd=0, score=1.0)
            annotations.append(dict(entry, id=len(annotations) + 1, segmentation=encode_mask(mask)))
            results.append(dict(entry, segmentation=encode_mask(degrade(mask, rng))))
    content = dict(images=images, annotations=annotations, categories=[dict(id=1, name='object')])
    (folder / 'annotations.json').write_text(json.dumps(content))
    (folder / 'results.json').write_text(json.dumps(results))


def plain_script(folder: Path, out: Path) -> int:
    """The released steps, instance by instance. Returns the number of patches."""
    content = json.loads((folder / 'annotations.json').read_text())
    kinds = ('img_dir', 'mask_dir', 'ann_dir')
    for kind in kinds:
        (out / kind).mkdir(parents=True)
    written = 0
    for number, entry in enumerate(json.loads((folder / 'results.json').read_text())):
        mask = decode_mask(entry['segmentation'], SIZE_HW).view(np.uint8)
        image = cv2.imread(str(folder / f'images/{entry["image_id"]}.png'))
        truth = [
            decode_mask(a['segmentation'], SIZE_HW).view(np.uint8)
            for a in content['annotations']
            if a['image_id'] == entry['image_id']
        ]
        ious = [np.sum(mask & t) / np.sum(mask | t) for t in truth]
        best = truth[int(np.argmax(ious))]
        boxes = plain_boxes(torch.from_numpy(mask).float(), IOU_THRESHOLD).int().tolist()
        image = np.pad(image, ((0, 0), (0, 0), (0, 0)))
        mask, best = np.pad(mask, 0), np.pad(best, 0)
        for index, (x1, y1, x2, y2) in enumerate(boxes):
            part = np.s_[y1:y2, x1:x2]
            parts = image[part], mask[part] * 255, best[part] * 255
            for kind, patch in zip(kinds, parts, strict=True):
                cv2.imwrite(str(out / kind / f'{number * 100000 + index}.png'), patch)
            written += 1
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--images', type=int, default=4)
    parser.add_argument('--instances', type=int, default=15, help='an image')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, args.images, args.instances)
        start = time.perf_counter()
        plain_patches = plain_script(folder, folder / 'plain')
        plain = time.perf_counter() - start
        settings = PatchSettings(str(folder / 'images'), str(folder / 'ours'), min_iou=None)
        start = time.perf_counter()
        tasks = patch_tasks(str(folder / 'annotations.json'), str(folder / 'results.json'))
        patches = sum(o.patches for o in write_patches(tasks, settings))
        ours = time.perf_counter() - start
    number = args.images * args.instances
    print(f'{platform.processor()}, one thread, {number} instances in {args.images} images')
    print(f'plain     {number / plain:8.1f} instances a second, {plain_patches} patches')
    print(f'mmrefine  {number / ours:8.1f} instances a second, {patches} patches')
    print(f'{plain / ours:.1f} times as many')


if __name__ == '__main__':
    main()
