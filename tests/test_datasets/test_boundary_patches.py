"""Patches sampled from images, coarse masks and true ones."""

import json

import cv2
import numpy as np
import pytest
import torch
from bpr_data import INSTANCES, NAMES, SIZE, disk, write_data
from mmengine.runner import Runner

from mmrefine.datasets import BoundaryPatchDataset
from mmrefine.datasets.patch_cutting import match_instances
from mmrefine.files.instances import Instance
from mmrefine.ops import propose_boxes
from mmrefine.ops.run_lengths import encode_mask

PACK = [dict(type='mmrefine.PackPatchInputs')]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp('data'))


def make(folder, coarse='results/train.segm.json', **options):
    options = dict(patch_size=16, patches_per_image=200, test_mode=True) | options
    return BoundaryPatchDataset(
        data_root=str(folder),
        ann_file='annotations/train.json',
        coarse=coarse,
        data_prefix=dict(img_path='images'),
        **options,
    )


def windows(array, boxes):
    return {array[y1:y2, x1:x2].tobytes() for x1, y1, x2, y2 in boxes}


@pytest.mark.parametrize('coarse', ['results/train.segm.json', 'results/pngs'])
def test_patches_are_those_of_the_boxes_of_matching_instances(folder, coarse):
    data = make(folder, coarse)
    assert len(data) == 3
    for index, instances in enumerate(INSTANCES.values()):
        image = cv2.imread(str(folder / 'images' / NAMES[index + 1]))
        # The second instance of image 2 overlaps its true one too little.
        usable = instances[:1] if index == 1 else instances
        expected = set()
        for _, truth, mask in usable:
            for x1, y1, x2, y2 in propose_boxes(mask, 16, 0.25):
                part = np.s_[y1:y2, x1:x2]
                parts = image[part], mask[part], truth[part]
                expected.add(tuple(p.tobytes() for p in parts))
        item = data[index]
        found = {
            tuple(
                np.ascontiguousarray(p[k]).tobytes() for k in ('img', 'coarse_mask', 'gt_seg_map')
            )
            for p in map(dict, transposed(item))
        }
        assert found == expected


def transposed(item):
    """One dictionary a patch."""
    return [dict(zip(item, values, strict=True)) for values in zip(*item.values(), strict=True)]


def test_a_number_of_patches_an_image_all_of_one_size(folder):
    data = make(folder, patches_per_image=5, padding=4, pipeline=PACK)
    for item in data:
        assert len(item['inputs']) == len(item['data_samples']) == 5
        assert {tuple(i.shape) for i in item['inputs']} == {(3, 24, 24)}
    sample = data[0]['data_samples'][0]
    assert sample.coarse_mask.data.shape == sample.gt_sem_seg.data.shape == (1, 24, 24)
    assert sample.ori_shape == (24, 24)


def test_few_instances_an_image(folder):
    data = make(folder, instances_per_image=1, test_mode=False)
    seen = set()
    for _ in range(20):
        masks = {m.tobytes() for m in data[0]['coarse_mask']}
        owners = [
            masks <= windows(mask, propose_boxes(mask, 16, 0.25)) for _, _, mask in INSTANCES[1]
        ]
        assert sum(owners) == 1
        seen.add(owners.index(True))
    assert seen == {0, 1}


def test_training_draws_anew_and_testing_does_not(folder):
    def first(data):
        return [p.tobytes() for p in data[0]['img']]

    training = make(folder, test_mode=False, patches_per_image=3)
    assert len({tuple(first(training)) for _ in range(5)}) > 1
    testing = make(folder, patches_per_image=3)
    assert first(testing) == first(testing)


def test_several_patch_sizes(folder):
    data = make(folder, patch_size=(8, 16), test_mode=False, patches_per_image=1)
    assert {data[0]['img'][0].shape for _ in range(30)} == {(8, 8, 3), (16, 16, 3)}


def test_coarse_masks_are_made_where_there_are_none(folder):
    data = make(folder, coarse=None, test_mode=False, degradation=dict(strength=0.5))
    item = data[2]
    truth, coarse = np.stack(item['gt_seg_map']), np.stack(item['coarse_mask'])
    assert 0 < (truth != coarse).mean() < 0.3


@pytest.mark.parametrize('coarse', [None, 'results/train.segm.json'])
def test_a_share_of_coarse_masks_is_the_true_one(folder, coarse):
    options = dict(patches_per_image=8, instances_per_image=1, test_mode=False)

    def share_of_good(good_share):
        data = make(folder, coarse, good_share=good_share, **options)
        items = [data[2] for _ in range(40)]
        return np.mean([np.array_equal(i['coarse_mask'], i['gt_seg_map']) for i in items])

    assert share_of_good(0) == 0
    assert share_of_good(1) == 1
    assert 0.2 < share_of_good(0.5) < 0.8


def test_crowds_are_no_match_and_images_without_a_match_are_replaced(folder, tmp_path):
    content = json.loads((folder / 'annotations' / 'train.json').read_text())
    for entry in content['annotations']:
        entry['iscrowd'] = int(entry['image_id'] != 3)
    path = tmp_path / 'crowds.json'
    path.write_text(json.dumps(content))
    data = BoundaryPatchDataset(
        ann_file=str(path),
        coarse=str(folder / 'results/train.segm.json'),
        data_prefix=dict(img_path=str(folder / 'images')),
        patch_size=16,
        test_mode=True,
    )
    assert {p for i in range(3) for p in data[i]['img_path']} == {str(folder / 'images' / NAMES[3])}


def test_no_patch_anywhere_is_said(folder):
    data = make(folder, min_iou=0.999, max_refetch=5)
    with pytest.raises(ValueError, match='5 images had no patch to learn from'):
        data[0]


def test_matching_by_category_and_iou():
    def instance(category, mask, crowd=False):
        return Instance(category, encode_mask(mask), crowd)

    truth = [
        instance(1, disk(30, 30, 14)),
        instance(1, disk(30, 34, 14)),
        instance(2, disk(30, 31, 14)),
        instance(1, disk(30, 32, 14), crowd=True),
    ]
    coarse = [
        instance(1, disk(30, 32.6, 14)),
        instance(2, disk(10, 10, 5)),
        instance(3, disk(30, 30, 14)),
    ]
    assert match_instances(coarse, truth, SIZE) == [1, None, None]
    assert match_instances(coarse[:1], truth, SIZE, min_iou=0.99) == [None]
    assert match_instances(coarse, [], SIZE) == [None] * 3
    assert match_instances([], truth, SIZE) == []


def test_batches_for_the_network(folder):
    """Through the data loader and the preprocessor, with mmseg's transforms on the way."""
    pipeline = [
        dict(type='mmseg.RandomFlip', prob=1.0),
        dict(type='mmseg.PhotoMetricDistortion'),
        *PACK,
    ]
    loader = Runner.build_dataloader(
        dict(
            batch_size=3,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=make(folder, patches_per_image=4, input_size=32, pipeline=pipeline),
        )
    )
    from mmrefine.models.data_preprocessors import PatchDataPreProcessor

    batch = PatchDataPreProcessor()(next(iter(loader)), training=True)
    assert batch['inputs'].shape == (12, 4, 32, 32)
    for inputs, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
        assert torch.equal(inputs[3] > 0, sample.coarse_mask.data[0] > 0)
        # The red channel shows the true mask: image and masks are flipped alike.
        truth = sample.gt_sem_seg.data[0] > 0
        if truth.any() and not truth.all():
            assert inputs[0][truth].mean() > inputs[0][~truth].mean() + 1


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        (dict(coarse='results/missing.json'), 'missing.json: cannot be read'),
        (dict(coarse='images'), r'images: expected Cityscapes results, \*_pred.txt'),
        (dict(coarse='annotations/train.json'), 'expected COCO results, a list, got dict'),
        (dict(patches_per_image=0), 'patches_per_image must be at least 1, got 0'),
        (dict(instances_per_image=0), 'instances_per_image must be at least 1'),
        (dict(good_share=1.5), 'good_share must be from 0 to 1, got 1.5'),
    ],
)
def test_what_is_missing_or_wrong_is_named(folder, changes, text):
    with pytest.raises(ValueError, match=text):
        make(folder, **changes)
