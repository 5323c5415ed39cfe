"""Targets made online: what a real mmseg pipeline delivers belongs to its own label map."""

import math

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from scipy.ndimage import distance_transform_edt

from mmrefine.datasets.transforms import GenerateBoundaryDirection, PackSegFixInputs
from mmrefine.ops import direction_map

AUGMENT = [
    dict(type='RandomResize', scale=(70, 50), ratio_range=(0.6, 1.6), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(40, 48)),
    dict(type='RandomFlip', prob=0.5),
]
PACK = dict(type='mmrefine.PackSegFixInputs')


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope('mmseg')


def label_map(dtype: type = np.uint8, step: int = 1) -> np.ndarray:
    """Four labels: corners, a disc, a thin bar that touches the border, an ignored patch."""
    rows, columns = np.mgrid[:50, :70]
    labels = np.zeros((50, 70), np.int64)
    labels[rows + columns > 80] = 1
    labels[np.hypot(rows - 20, columns - 25) < 12] = 2
    labels[30:33, :40] = 3
    labels *= step
    labels[:4, 50:] = 255
    return labels.astype(dtype)


def plain_distance(labels: np.ndarray) -> np.ndarray:
    distance = np.zeros(labels.shape)
    for label in np.setdiff1d(labels, [255]):
        inside = labels == label
        own = distance_transform_edt(inside) if not inside.all() else np.inf
        distance = np.where(inside, own, distance)
    return distance


def run(labels: np.ndarray, steps: list[dict], seed: int) -> dict:
    """Run a pipeline on an image that shows the label map."""
    set_random_seed(seed)
    image = np.repeat((labels % 251).astype(np.uint8)[..., None], 3, axis=2)
    results = dict(
        img=image,
        img_shape=labels.shape,
        ori_shape=labels.shape,
        gt_seg_map=labels.copy(),
        seg_fields=['gt_seg_map'],
    )
    return Compose(steps)(results)


def data_of(packed: dict, name: str) -> np.ndarray:
    data = packed['data_samples'].get(name).data
    assert data.dtype == torch.int64
    assert data.shape[0] == 1
    return data[0].numpy()


@pytest.mark.quick
@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize(('dtype', 'step'), [(np.uint8, 1), (np.int32, 1000), (np.int32, 65_536)])
def test_targets_belong_to_the_augmented_labels(seed, dtype, step):
    """With the last step, ids differ only in what 16 bits cannot hold."""
    transform = dict(type='mmrefine.GenerateBoundaryDirection', width=3, num_directions=8)
    packed = run(label_map(dtype, step), [*AUGMENT, transform, PACK], seed)
    labels = data_of(packed, 'gt_sem_seg')
    assert set(np.unique(labels)) <= {255, 0, step, 2 * step, 3 * step}
    assert len(np.unique(labels)) > 1
    assert packed['inputs'].shape[1:] == labels.shape
    ignored = labels == 255
    distance = plain_distance(labels)
    assert np.array_equal(data_of(packed, 'gt_boundary_map'), np.where(ignored, 255, distance <= 3))
    assert np.array_equal(data_of(packed, 'gt_direction_map'), direction_map(labels))


def test_pipelines_of_the_seeds_differ():
    """The test above is about augmentation: flips and sizes must occur."""
    metas = [run(label_map(), [*AUGMENT, PACK], seed)['data_samples'].metainfo for seed in range(4)]
    assert len({str(meta['scale_factor']) for meta in metas}) > 1
    assert {meta['flip'] for meta in metas} == {True, False}


def test_flipping_first_mirrors_the_directions():
    """Class k points to VECTORS[k]; a mirror image has the classes of the mirrored vectors."""
    mirrored = np.array([4, 3, 2, 1, 0, 7, 6, 5, *[0] * 247, 255])
    flip = dict(type='RandomFlip', prob=1.0, direction='horizontal')
    transform = dict(type='mmrefine.GenerateBoundaryDirection')
    labels = label_map()
    first, last = (run(labels, [*steps, PACK], 0) for steps in ([flip, transform], [transform]))
    direction = data_of(first, 'gt_direction_map')
    expected = mirrored[data_of(last, 'gt_direction_map')][:, ::-1]
    # Where the gradient lies just between two classes, the mirror image may get the other one.
    assert (direction == expected).mean() > 0.98
    assert (direction == data_of(last, 'gt_direction_map')[:, ::-1]).mean() < 0.6


@pytest.mark.parametrize('beyond', [1, 4, 7.5])
def test_far_from_any_boundary_nothing_is_judged(beyond):
    labels = np.zeros((40, 61), np.uint8)
    labels[:25, 10:40] = 1  # touches the top
    labels[30:, 50:] = 255
    transform = dict(type='mmrefine.GenerateBoundaryDirection', ignore_beyond=beyond)
    everything = dict(type='mmrefine.GenerateBoundaryDirection')
    near, whole = (run(labels, [step, PACK], 0) for step in (transform, everything))
    distance = plain_distance(labels)
    judged = (distance <= beyond) & (labels != 255)
    assert judged.any()
    assert (~judged & (labels != 255)).any()
    for name in ('gt_boundary_map', 'gt_direction_map'):
        expected = np.where(judged, data_of(whole, name), 255)
        assert np.array_equal(data_of(near, name), expected)
    lonely = run(np.ones((5, 9), np.uint8), [transform, PACK], 0)
    assert (data_of(lonely, 'gt_boundary_map') == 255).all()


def test_how_far_is_checked():
    with pytest.raises(ValueError, match='ignore_beyond must be positive or None, got 0'):
        GenerateBoundaryDirection(ignore_beyond=0)


@pytest.mark.parametrize('width', [None, math.inf])
def test_endless_width_marks_every_labelled_pixel(width):
    labels = label_map()
    out = GenerateBoundaryDirection(width=width).transform(dict(gt_seg_map=labels))
    assert np.array_equal(out['gt_boundary_map'], np.where(labels == 255, 255, 1))


@pytest.mark.parametrize('m', [4, 16, 32])
def test_options_are_used(m):
    labels = label_map()
    labels[labels == 255] = 9
    out = GenerateBoundaryDirection(
        width=2, num_directions=m, kernel_size=5, ignore_index=3
    ).transform(dict(gt_seg_map=labels))
    expected = direction_map(labels, m, 5, 3)
    assert np.array_equal(out['gt_direction_map'], expected)
    assert (out['gt_boundary_map'] == 255).sum() == (labels == 3).sum()
    assert (out['gt_boundary_map'] == 1).sum() < (plain_distance(labels) <= 5).sum()


@pytest.mark.parametrize('fill', [1, 255])
def test_one_label_and_all_ignored(fill):
    packed = run(np.full((6, 9), fill, np.uint8), [GenerateBoundaryDirection(), PACK], 0)
    assert not (data_of(packed, 'gt_boundary_map') != (255 if fill == 255 else 0)).any()


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(width=0), 'width must be > 0'),
        (dict(num_directions=19), 'not the number of classes'),
        (dict(kernel_size=4), 'kernel_size must be an odd number'),
    ],
)
def test_wrong_options_fail_when_built(options, text):
    with pytest.raises(ValueError, match=text):
        GenerateBoundaryDirection(**options)


def test_packing_without_targets_is_mmsegs_packing():
    """A test pipeline without label maps: only the image."""
    packed = PackSegFixInputs().transform(dict(img=np.zeros((5, 7, 3), np.uint8)))
    assert packed['inputs'].shape == (3, 5, 7)
    assert list(packed['data_samples'].keys()) == []


def test_options_are_shown():
    assert 'width=inf, num_directions=4' in repr(GenerateBoundaryDirection(None, 4))


def test_camvid_dataset_reads_the_folders_of_the_release(camvid_folder):
    from mmrefine.registry import DATASETS

    dataset = DATASETS.build(
        dict(
            type='mmrefine.CamVidDataset',
            data_root=str(camvid_folder),
            data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
            pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), PACK],
        )
    )
    assert len(dataset) == 3
    assert len(dataset.metainfo['classes']) == len(dataset.metainfo['palette']) == 11
    expected = cv2.imread(str(camvid_folder / 'ann_dir' / 'val' / '1.png'), -1)
    assert np.array_equal(data_of(dataset[1], 'gt_sem_seg'), expected)
