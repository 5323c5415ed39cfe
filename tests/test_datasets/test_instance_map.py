"""LoadInstanceMap: ids come through a pipeline as they are in the file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from PIL import Image

from mmrefine.datasets.transforms import LoadInstanceMap
from mmrefine.ops import boundary_map


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope('mmseg')


def instance_ids(dtype: type = np.uint16) -> np.ndarray:
    """Two cars of the same class side by side, a person, sky."""
    ids = np.full((45, 61), 23)
    ids[20:40, 5:30] = 26000
    ids[20:40, 30:55] = 26001
    ids[10:30, 40:44] = 65535
    return ids.astype(dtype)


def save(ids: np.ndarray, path: Path) -> dict:
    assert cv2.imwrite(str(path), ids)
    return dict(seg_map_path=str(path))


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_ids_are_those_of_the_file(tmp_path, dtype):
    ids = instance_ids(dtype)
    results = LoadInstanceMap().transform(save(ids, tmp_path / 'a.png'))
    assert results['gt_seg_map'].dtype == np.int32
    assert np.array_equal(results['gt_seg_map'], ids)
    assert results['seg_fields'] == ['gt_seg_map']


def test_palette_is_read_as_indices(tmp_path):
    ids = instance_ids(np.uint8) % 7
    image = Image.fromarray(ids, 'P')
    image.putpalette([255, 0, 0, 0, 255, 0, *[9] * 760])
    image.save(tmp_path / 'a.png')
    results = LoadInstanceMap().transform(dict(seg_map_path=str(tmp_path / 'a.png')))
    assert np.array_equal(results['gt_seg_map'], ids)


def test_background_becomes_one_label(tmp_path):
    ids = instance_ids()
    ids[:5] = 999
    ids[5:8] = 1000
    results = LoadInstanceMap(1000).transform(save(ids, tmp_path / 'a.png'))
    assert np.array_equal(results['gt_seg_map'], np.where(ids < 1000, 0, ids))


@pytest.mark.quick
@pytest.mark.parametrize('seed', range(3))
def test_through_a_real_pipeline(tmp_path, seed):
    set_random_seed(seed)
    ids = instance_ids()
    results = save(ids, tmp_path / 'a.png')
    cv2.imwrite(str(tmp_path / 'image.png'), np.zeros((*ids.shape, 3), np.uint8))
    packed = Compose(
        [
            dict(type='LoadImageFromFile'),
            dict(type='mmrefine.LoadInstanceMap', background_below=1000),
            dict(type='RandomResize', scale=(80, 60), ratio_range=(0.7, 1.5), keep_ratio=True),
            dict(type='RandomCrop', crop_size=(40, 50)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='mmrefine.GenerateBoundaryDirection', width=2),
            dict(type='mmrefine.PackSegFixInputs'),
        ]
    )(results | dict(img_path=str(tmp_path / 'image.png')))
    sample = packed['data_samples']
    labels = sample.gt_sem_seg.data[0].numpy()
    assert {26000, 26001} < set(np.unique(labels)) <= {0, 26000, 26001, 65535}
    expected = boundary_map(labels, 2)
    assert np.array_equal(sample.gt_boundary_map.data[0].numpy(), expected)
    # The two cars touch: the line between them is boundary, as it is not in a semantic map.
    semantic = boundary_map(np.where(labels // 1000 == 26, 26, labels), 2)
    assert (expected > semantic).sum() > 10


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r'rgb\.png: .*one number a pixel .*got RGB'):
        LoadInstanceMap().transform(save(np.zeros((5, 7, 3), np.uint8), tmp_path / 'rgb.png'))
    empty = tmp_path / 'empty.png'
    empty.touch()
    with pytest.raises(ValueError, match=r'empty\.png: expected a PNG, the file is broken'):
        LoadInstanceMap().transform(dict(seg_map_path=str(empty)))
    save(np.random.default_rng(0).integers(0, 999, (50, 70), np.uint16), tmp_path / 'cut.png')
    whole = (tmp_path / 'cut.png').read_bytes()
    (tmp_path / 'cut.png').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'cut\.png: expected a PNG, the file is broken'):
        LoadInstanceMap().transform(dict(seg_map_path=str(tmp_path / 'cut.png')))
    with pytest.raises(FileNotFoundError, match='missing'):
        LoadInstanceMap().transform(dict(seg_map_path=str(tmp_path / 'missing.png')))
