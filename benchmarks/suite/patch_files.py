"""Patch preparation (``tools/make_patches.py``) against the released steps restated plainly.

One process on both sides, on the same data. The plain side does, for each instance, what the
released script does: it reads the image, decodes all true masks of the image and counts their
overlaps, convolves the full mask, suppresses boxes and writes three PNGs a patch.
"""

import json
import shutil
import tempfile
import weakref
from pathlib import Path

import cv2
import numpy as np
import torch

from mmrefine.datasets.patch_writing import PatchSettings, patch_tasks, write_patches
from mmrefine.ops import degrade
from mmrefine.ops.run_lengths import decode_mask, encode_mask

from ..cases import Call, case
from ..drawn import draw_image, draw_masks
from .bpr import SIZE_HW, compiled_ops, plain_boxes

IMAGES, INSTANCES = 1, 15


@case('bpr patch preparation, 15 instances an image', 'the released steps', target=25)
def preparation(device: str) -> tuple[Call, Call]:
    """Patches on disk."""
    ops = compiled_ops()
    folder = Path(tempfile.mkdtemp())
    write_data(folder)

    def ours() -> int:
        out = folder / 'ours'
        shutil.rmtree(out, ignore_errors=True)
        settings = PatchSettings(str(folder / 'images'), str(out), min_iou=None)
        tasks = patch_tasks(str(folder / 'annotations.json'), str(folder / 'results.json'))
        return sum(done.patches for done in write_patches(tasks, settings))

    def plain() -> int:
        shutil.rmtree(folder / 'plain', ignore_errors=True)
        return plain_script(ops, folder, folder / 'plain')

    weakref.finalize(ours, shutil.rmtree, folder, True)
    assert np.allclose(ours(), plain(), rtol=0.1)
    return ours, plain


def write_data(folder: Path) -> None:
    """Images, true masks and coarse ones."""
    (folder / 'images').mkdir()
    images, annotations, results = [], [], []
    for image_id in range(IMAGES):
        rng = np.random.default_rng(image_id)
        cv2.imwrite(str(folder / f'images/{image_id}.png'), draw_image(SIZE_HW, image_id))
        images.append(
            dict(id=image_id, file_name=f'{image_id}.png', height=SIZE_HW[0], width=SIZE_HW[1])
        )
        for mask in draw_masks(INSTANCES, seed=image_id):
            entry = dict(image_id=image_id, category_id=1, iscrowd=0, score=1.0)
            annotations.append(dict(entry, id=len(annotations) + 1, segmentation=encode_mask(mask)))
            results.append(dict(entry, segmentation=encode_mask(degrade(mask, rng))))
    content = dict(images=images, annotations=annotations, categories=[dict(id=1, name='object')])
    (folder / 'annotations.json').write_text(json.dumps(content))
    (folder / 'results.json').write_text(json.dumps(results))


def plain_script(ops, folder: Path, out: Path) -> int:
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
        boxes = plain_boxes(ops, torch.from_numpy(mask).float()).int().tolist()
        for index, (x1, y1, x2, y2) in enumerate(boxes):
            part = np.s_[y1:y2, x1:x2]
            parts = image[part], mask[part] * 255, best[part] * 255
            for kind, patch in zip(kinds, parts, strict=True):
                cv2.imwrite(str(out / kind / f'{number * 100000 + index}.png'), patch)
            written += 1
    return written
