"""Windows along the outlines of objects, cut while training."""

import random

import cv2
import numpy as np
import pytest
import torch
from bpr_data import write_data
from mmengine.runner import Runner

from mmrefine.datasets import ObjectPatchDataset
from mmrefine.datasets.patch_looks import change_looks
from mmrefine.models.data_preprocessors import PatchDataPreProcessor

SIZE = (90, 130)


@pytest.fixture
def folder(tmp_path):
    """Two images with label maps: 0 ground, 3 and 7 objects, 255 unknown; and predictions."""
    for name in ('images', 'masks', 'pred'):
        (tmp_path / name).mkdir()
    rng = np.random.default_rng(0)
    for index in range(2):
        labels = np.zeros(SIZE, np.uint8)
        labels[20:70, 10:60] = 3
        labels[10:50, 80:125] = 7
        labels[60:, 100:] = 255
        image = rng.integers(0, 60, (*SIZE, 3), dtype=np.uint8)
        image[labels == 3, 2] = 220
        image[labels == 7, 1] = 220
        cv2.imwrite(str(tmp_path / 'images' / f'{index}.png'), image)
        cv2.imwrite(str(tmp_path / 'masks' / f'{index}.png'), labels)
        cv2.imwrite(str(tmp_path / 'pred' / f'{index}.png'), np.roll(labels, 4, axis=1))
    return tmp_path


def make(folder, **options):
    options = dict(masks='masks', data_prefix=dict(img_path='images'), looks=False) | options
    return ObjectPatchDataset(data_root=str(folder), **options)


def test_patches_hold_their_object(folder):
    random.seed(0)
    data = make(folder, patches_per_image=10, invert_share=0, input_size=48)
    assert len(data) == 2
    item = data[0]
    assert len(item['inputs']) == len(item['data_samples']) == 10
    for inputs, sample in zip(item['inputs'], item['data_samples'], strict=True):
        assert inputs.shape == (4, 48, 48)
        assert inputs.dtype == torch.uint8
        truth, coarse = sample.gt_sem_seg.data[0], sample.coarse_mask.data[0]
        assert truth.shape == coarse.shape == (48, 48)
        # an object is red or green, and its colours are told from the others
        if 50 < (truth == 1).sum() < 2000:
            bright = inputs[1:3].amax(0)
            assert bright[truth == 1].float().mean() > bright[truth == 0].float().mean()
            assert inputs[3][truth == 1].float().mean() > inputs[3][truth == 0].float().mean() + 60


def test_unknown_pixels_are_told(folder):
    random.seed(0)
    data = make(folder, patches_per_image=40, window_sizes=(60, 80))
    values = {v for s in data[0]['data_samples'] for v in s.gt_sem_seg.data.unique().tolist()}
    assert values == {0, 1, 255}


def test_object_and_ground_change_places(folder):
    def mean_odds_inside(invert_share):
        random.seed(1)
        item = make(folder, patches_per_image=20, invert_share=invert_share)[0]
        pairs = zip(item['inputs'], item['data_samples'], strict=True)
        bright, odds = [], []
        for inputs, sample in pairs:
            inside = sample.gt_sem_seg.data[0] == 1
            if inside.any():
                bright.append(float(inputs[1:3].amax(0)[inside].float().mean()))
                odds.append(float(inputs[3][inside].float().mean()))
        return np.mean(bright), np.mean(odds)

    (bright, odds), (dark, odds_of_ground) = mean_odds_inside(0), mean_odds_inside(1)
    assert bright > 150 > 100 > dark
    assert min(odds, odds_of_ground) > 180


def test_predicted_masks(folder):
    random.seed(0)
    data = make(folder, coarse=('pred',), predicted_share=1, patches_per_image=20)
    for sample in data[0]['data_samples']:
        truth, coarse = sample.gt_sem_seg.data[0], sample.coarse_mask.data[0]
        assert ((truth == 1) != (coarse == 1)).any()


def test_every_label_is_an_object_of_semantic_maps(folder):
    random.seed(0)
    options = dict(objects_per_image=3, patches_per_image=30, invert_share=0)
    ground = [
        any(
            (inputs[1:3].amax(0)[sample.gt_sem_seg.data[0] == 1] < 100).float().mean() > 0.9
            for inputs, sample in zip(item['inputs'], item['data_samples'], strict=True)
            if (sample.gt_sem_seg.data[0] == 1).any()
        )
        for item in (make(folder, with_zero=zero, **options)[0] for zero in (False, True))
    ]
    assert ground == [False, True]


def test_coco_annotations_and_results(tmp_path):
    folder = write_data(tmp_path / 'coco')
    random.seed(0)
    data = ObjectPatchDataset(
        data_root=str(folder),
        ann_file='annotations/train.json',
        coarse=('results/train.segm.json',),
        data_prefix=dict(img_path='images'),
        min_area=50,
        looks=False,
    )
    for index in range(len(data)):
        for inputs, sample in zip(*data[index].values(), strict=True):
            truth = sample.gt_sem_seg.data[0] == 1
            red = inputs[2].float()
            if 20 < truth.sum() < 4000:
                assert abs(red[truth].mean() - red[~truth].mean()) > 60


def test_batches_for_the_network(folder):
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=make(folder, patches_per_image=6, looks=True),
        )
    )
    preprocessor = PatchDataPreProcessor(contrast_radii=(8,), with_odds=True)
    batch = preprocessor(next(iter(loader)), training=True)
    assert batch['inputs'].shape == (12, preprocessor.num_channels, 64, 64)
    assert preprocessor.num_channels == 6
    assert float(batch['inputs'][:, 5].abs().max()) <= 1


def test_small_images_and_objects(tmp_path):
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    labels = np.zeros((30, 45), np.uint8)
    labels[5:20, 10:30] = 1
    labels[25:27, 3:6] = 2
    cv2.imwrite(str(tmp_path / 'images/0.png'), np.dstack([labels * 90] * 3))
    cv2.imwrite(str(tmp_path / 'masks/0.png'), labels)
    item = make(tmp_path)[0]
    assert {tuple(inputs.shape) for inputs in item['inputs']} == {(4, 64, 64)}
    with pytest.raises(ValueError, match='had no patch'):
        make(tmp_path, min_area=1000, max_refetch=2)[0]


def test_files_that_do_not_fit(folder):
    with pytest.raises(ValueError, match='either ann_file or masks'):
        make(folder, ann_file='a.json')
    (folder / 'masks/1.png').unlink()
    with pytest.raises(ValueError, match=r'masks/1\.png: no such label map'):
        make(folder)[1]


def test_looks_change_and_nothing_moves():
    rng = np.random.default_rng(0)
    patch = np.zeros((64, 64, 3), np.uint8)
    patch[:, 40:] = (60, 120, 180)
    changed = [change_looks(patch, rng) for _ in range(60)]
    assert len({c.tobytes() for c in changed}) > 30
    for c in changed:
        steps = np.abs(np.diff(c.astype(float).sum(axis=(0, 2))))
        assert steps.argmax() == 39
