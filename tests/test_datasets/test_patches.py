"""Patches in the released layout."""

import cv2
import numpy as np
import pytest

from mmrefine.datasets import CityscapesPatchDataset
from mmrefine.datasets.transforms import LoadPatchMasks

PIPELINE = [
    dict(type='LoadImageFromFile'),
    dict(type='mmrefine.LoadPatchMasks'),
    dict(type='mmrefine.ResizePatch', size=32),
    dict(type='mmrefine.PackPatchInputs'),
]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ('img_dir', 'mask_dir', 'ann_dir'):
        (tmp_path / kind / 'train').mkdir(parents=True)
    for name in (3, 100000, 100001):
        image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / 'img_dir/train' / f'{name}.png'), image)
        for index, kind in enumerate(('mask_dir', 'ann_dir')):
            mask = np.zeros((16, 16), np.uint8)
            mask[: 4 + 4 * index, :10] = 255
            cv2.imwrite(str(tmp_path / kind / 'train' / f'{name}.png'), mask)
    return tmp_path


def test_every_patch_with_both_masks(folder):
    data = CityscapesPatchDataset(data_root=str(folder), pipeline=PIPELINE)
    assert len(data) == 3
    item = data[0]
    assert item['inputs'].shape == (3, 32, 32)
    sample = item['data_samples']
    assert sample.ori_shape == (32, 32)
    for field, rows in ((sample.coarse_mask, 8), (sample.gt_sem_seg, 16)):
        expected = np.zeros((32, 32))
        expected[:rows, :20] = 1
        np.testing.assert_array_equal(field.data[0], expected)
    assert data.metainfo['classes'] == ('background', 'object')


def test_other_folders(folder):
    for kind in ('img_dir', 'mask_dir', 'ann_dir'):
        (folder / kind / 'train').rename(folder / kind / 'other')
    prefix = dict(
        img_path='img_dir/other', mask_path='mask_dir/other', seg_map_path='ann_dir/other'
    )
    assert len(CityscapesPatchDataset(data_root=str(folder), data_prefix=prefix)) == 3


@pytest.mark.parametrize('kind', ['mask_dir', 'ann_dir'])
def test_missing_masks_are_named(folder, kind):
    (folder / kind / 'train' / '100001.png').unlink()
    with pytest.raises(ValueError, match=rf'{kind}/train: 100001\.png is missing'):
        CityscapesPatchDataset(data_root=str(folder))


def test_no_patches(folder):
    for path in (folder / 'img_dir/train').iterdir():
        path.unlink()
    with pytest.raises(ValueError, match='img_dir/train: expected patches'):
        CityscapesPatchDataset(data_root=str(folder))


def test_a_broken_mask(folder):
    (folder / 'mask_dir/train/3.png').write_bytes(b'no image')
    data = CityscapesPatchDataset(data_root=str(folder), pipeline=PIPELINE)
    index = next(i for i in range(3) if data.get_data_info(i)['img_path'].endswith('/3.png'))
    with pytest.raises(ValueError, match=r'3\.png: expected a PNG'):
        data[index]


@pytest.mark.parametrize('value', [1, 200, 256, 300, 65535])
@pytest.mark.parametrize('kind', ['mask_dir', 'ann_dir'])
def test_anything_but_zero_is_object_at_16_bits_too(folder, kind, value):
    mask = np.zeros((16, 16), np.uint16)
    mask[3:9, 5:14] = value
    cv2.imwrite(str(folder / kind / 'train' / '3.png'), mask)
    loaded = LoadPatchMasks().transform(
        dict(
            coarse_mask_path=str(folder / 'mask_dir/train/3.png'),
            seg_map_path=str(folder / 'ann_dir/train/3.png'),
        )
    )
    field = dict(mask_dir='coarse_mask', ann_dir='gt_seg_map')[kind]
    np.testing.assert_array_equal(loaded[field], mask != 0)


def test_masks_in_colour_are_refused(folder):
    """Which colour is the object, nobody said; one whose grey rounds to 0 would vanish."""
    mask = np.zeros((16, 16, 3), np.uint8)
    mask[3:9, 5:14, 0] = 1
    path = folder / 'mask_dir/train/3.png'
    cv2.imwrite(str(path), mask)
    with pytest.raises(ValueError, match=r'3\.png: expected .* one number a pixel .* got RGB'):
        LoadPatchMasks().transform(dict(coarse_mask_path=str(path), seg_map_path=str(path)))
