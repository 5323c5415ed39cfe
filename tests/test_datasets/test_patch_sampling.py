"""Nothing between image and mask moves when patches are scaled, in training and at inference.

The image is two ramps: a pixel's values are its column and its row. So a patch tells by itself
where in the image each of its pixels lies, and whether the mask's edge is where it belongs. The
edge is slanted: it meets the patches' pixels in all phases.
"""

import json
import random

import cv2
import numpy as np
import pytest
import torch
from small_bpr import small_bpr

from mmrefine.datasets import BoundaryPatchDataset, CityscapesPatchDataset, ObjectPatchDataset
from mmrefine.datasets.transforms import ResizePatch
from mmrefine.ops import crop_patches
from mmrefine.ops.run_lengths import encode_mask
from mmrefine.refiners import BPRRefiner

HEIGHT, WIDTH = 70, 200
SLOPE = 0.29
EDGES = range(95, 125, 7)  # first column of the object in the first row
RAMP = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RAMP[..., 1], RAMP[..., 0] = np.indices((HEIGHT, WIDTH))
SCALES = [(64, 42), (60, 45), (64, 64)]


def object_mask(edge):
    rows, columns = np.indices((HEIGHT, WIDTH))
    return columns + SLOPE * rows >= edge


def offsets(image, mask, edge):
    """How many pixels of the image the mask's edge lies right of its place, in each row.

    Args:
        image: (S, S, C) patch of the ramps.
        mask: (S, S) patch of the mask.
        edge: first column of the object in the first row.
    """
    places = image[..., 0] + SLOPE * image[..., 1].astype(float)
    first = np.argmax(mask != 0, axis=1)
    rows = np.flatnonzero((first > 0) & (first < len(mask) - 1))
    return [places[r, first[r] - 1 : first[r] + 1].mean() - edge for r in rows]


def check(found):
    assert len(found) > 200
    # 0 but for rounding of pixels that lie between two; 0.6 to 0.9 with mmseg's Resize
    assert abs(np.mean(found)) < 0.3


def write(folder, edge):
    """The ramp, its mask as annotations and as a label map, and patches on disk."""
    cv2.imwrite(str(folder / 'images' / 'ramp.png'), RAMP)
    cv2.imwrite(str(folder / 'masks' / 'ramp.png'), object_mask(edge).astype(np.uint8))
    content = dict(
        images=[dict(id=1, file_name='ramp.png', height=HEIGHT, width=WIDTH)],
        annotations=[
            dict(id=1, image_id=1, category_id=1, segmentation=encode_mask(object_mask(edge)))
        ],
    )
    (folder / 'true.json').write_text(json.dumps(content))


@pytest.fixture
def folder(tmp_path):
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(('patch_size', 'size'), SCALES)
def test_patches_cut_while_training(folder, patch_size, size):
    found = []
    for edge in EDGES:
        write(folder, edge)
        data = BoundaryPatchDataset(
            data_root=str(folder),
            ann_file='true.json',
            data_prefix=dict(img_path='images'),
            patch_size=patch_size,
            input_size=size,
            good_share=1.0,
            patches_per_image=6,
            test_mode=True,
        )
        item = data[0]
        for image, coarse, truth in zip(
            item['img'], item['coarse_mask'], item['gt_seg_map'], strict=True
        ):
            assert image.shape == (size, size, 3)
            np.testing.assert_array_equal(coarse, truth)
            found.extend(offsets(image, coarse, edge))
    check(found)


def test_windows_of_any_scale(folder):
    random.seed(0)
    found = []
    for edge in EDGES:
        write(folder, edge)
        data = ObjectPatchDataset(
            data_root=str(folder),
            masks='masks',
            data_prefix=dict(img_path='images'),
            input_size=48,
            window_sizes=(32, 70),
            patches_per_image=40,
            looks=False,
            invert_share=0,
        )
        item = data[0]
        for inputs, sample in zip(item['inputs'], item['data_samples'], strict=True):
            image, truth = inputs.numpy().transpose(1, 2, 0), sample.gt_sem_seg.data[0].numpy()
            across, down = np.diff(image.astype(int), axis=1), np.diff(image.astype(int), axis=0)
            if across[..., 0].min() >= 0 and down[..., 1].min() >= 0:  # not turned
                found.extend(offsets(image, truth, edge))
    check(found)


@pytest.mark.parametrize(('patch_size', 'size'), SCALES)
def test_patches_on_disk(tmp_path, patch_size, size):
    found = []
    for edge in EDGES:
        start = edge - patch_size // 2
        for folder, array in (('img', RAMP), ('mask', object_mask(edge).astype(np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            patch = array[:patch_size, start : start + patch_size]
            cv2.imwrite(str(tmp_path / folder / '0.png'), patch)
        data = CityscapesPatchDataset(
            data_root=str(tmp_path),
            data_prefix=dict(img_path='img', mask_path='mask', seg_map_path='mask'),
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='mmrefine.LoadPatchMasks'),
                dict(type='mmrefine.ResizePatch', size=size),
                dict(type='mmrefine.PackPatchInputs'),
            ],
        )
        item = data[0]
        image, sample = item['inputs'].numpy().transpose(1, 2, 0), item['data_samples']
        assert image.shape == (size, size, 3)
        for field in (sample.coarse_mask, sample.gt_sem_seg):
            found.extend(offsets(image, field.data[0].numpy(), edge))
    check(found)


@pytest.mark.parametrize(('patch_size', 'size'), SCALES)
def test_what_the_network_is_given_at_inference(patch_size, size):
    model = small_bpr()
    seen = []
    model.data_preprocessor.assemble = lambda images, masks: (
        seen.append((images, masks)) or torch.zeros(len(images), 4, size, size)
    )
    refiner = BPRRefiner(model, device='cpu', patch_size=patch_size, input_size=size)
    found = []
    for edge in EDGES:
        refiner.refine(RAMP, object_mask(edge)[None])
        for images, masks in seen:
            for image, mask in zip(images.numpy(), masks.numpy(), strict=True):
                found.extend(offsets(image.transpose(1, 2, 0), mask, edge))
        seen.clear()
    check(found)


def test_training_and_inference_cut_the_same():
    """Not only on average: pixel for pixel, where every column has a mask of its own."""
    stripes = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    box = np.array([[31, 3, 91, 63]])
    for size in (40, 45, 64, 96):
        at_inference = [crop_patches(array, box, size)[0] for array in (RAMP, stripes)]
        results = dict(
            img=RAMP[3:63, 31:91],
            coarse_mask=stripes[3:63, 31:91].astype(np.uint8),
            seg_fields=['coarse_mask'],
        )
        scaled = ResizePatch(size).transform(results)
        np.testing.assert_array_equal(scaled['img'], at_inference[0])
        np.testing.assert_array_equal(scaled['coarse_mask'], at_inference[1])
