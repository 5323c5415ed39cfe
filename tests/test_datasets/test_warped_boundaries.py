import cv2
import numpy as np
import pytest
import torch

from mmrefine.ops import semantic_edge_map
from mmrefine.registry import DATASETS

MAPS = dict(type='mmrefine.DrawnLabelMapDataset', num_classes=4, length=30, size_hw=(60, 80))


def build(**options):
    cfg = dict(type='mmrefine.WarpedBoundaryDataset', label_maps=MAPS, tile_size=(32, 40))
    return DATASETS.build(cfg | options)


@pytest.mark.parametrize('num_outputs', [4, 6, 8])
def test_items(num_outputs):
    dataset = build(num_outputs=num_outputs)
    items = [dataset[k] for k in range(len(dataset))]
    assert len(items) == 30
    transforms = torch.stack([item['transform'] for item in items])
    pairs = torch.stack([item['inputs'] for item in items])
    assert transforms.shape == (30, num_outputs)
    assert transforms.abs().max() <= 1
    assert 1 <= (transforms == 0).all(1).sum() <= 15  # some without a transform
    assert pairs.shape == (30, 2, 32, 40)
    assert pairs.dtype == transforms.dtype == torch.float32
    assert 0 <= pairs.min() <= pairs.max() <= 1
    assert set(pairs[:, 1].unique().tolist()) == {0, 1}
    assert (pairs[:, 1].flatten(1).sum(1) >= 16).all()


def test_prediction_is_the_truth_moved_by_the_transform(tmp_path):
    """A square whose middle moves and whose sides grow as the parameters say."""
    labels = np.zeros((64, 80), np.uint8)
    labels[26:38, 34:46] = 1
    cv2.imwrite(str(tmp_path / 'a.png'), labels)
    maps = dict(type='mmrefine.LabelMapDataset', data_root=str(tmp_path))
    np.random.seed(0)
    dataset = build(label_maps=maps, tile_size=(64, 80), clean=True)
    for _ in range(10):
        item = dataset[0]
        moved, truth = (cv2.boundingRect(m.numpy().astype(np.uint8)) for m in item['inputs'])
        assert truth == (32, 24, 16, 16)  # 2 pixels on each side of the square
        y, x, log_scale_y, log_scale_x = item['transform'].tolist()
        left, top, width, height = moved
        if min(left, top) <= 0 or left + width >= 80 or top + height >= 64:
            continue
        assert left + width / 2 == pytest.approx(40 + 20 * x, abs=1.5)
        assert top + height / 2 == pytest.approx(32 + 16 * y, abs=1.5)
        assert width - 4 == pytest.approx(12 * np.exp(log_scale_x / 5), abs=1.5)
        assert height - 4 == pytest.approx(12 * np.exp(log_scale_y / 5), abs=1.5)


def test_no_transform_and_clean_means_equal_sides():
    dataset = build(clean=True)
    items = [dataset[k] for k in range(30)]
    same = [item for item in items if not item['transform'].any()]
    assert same
    assert all(torch.equal(*item['inputs']) for item in same)


def test_seed_makes_pairs_repeatable():
    first, second = build(seed=1), build(seed=1)
    assert all(torch.equal(first[k]['inputs'], second[k]['inputs']) for k in range(5))
    assert not torch.equal(build(seed=2)[0]['transform'], first[0]['transform'])
    free = build()
    assert not torch.equal(free[0]['transform'], free[0]['transform'])


def test_ignored_pixels_have_no_boundary(tmp_path):
    labels = np.zeros((40, 50), np.uint8)
    labels[:, 25:] = 1
    labels[10:20] = 255
    cv2.imwrite(str(tmp_path / 'a.png'), labels)
    maps = dict(type='mmrefine.LabelMapDataset', data_root=str(tmp_path))
    truth = build(label_maps=maps, tile_size=(40, 50), boundary_width=1, clean=True)[0]['inputs'][1]
    expected = semantic_edge_map(labels) == 1
    assert expected[:10, 24:26].all()
    assert np.array_equal(truth.numpy(), expected.astype(np.float32))


def test_maps_without_boundaries(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((40, 50), np.uint8))
    maps = dict(type='mmrefine.LabelMapDataset', data_root=str(tmp_path))
    with pytest.raises(ValueError, match='label_maps: hardly a boundary in 100 tiles from map 0'):
        build(label_maps=maps)[0]


def test_wrong_options():
    for options, text in (
        (dict(num_outputs=3), r'num_outputs must be one of \(4, 6, 8\), got 3'),
        (dict(tile_size=0), 'tile_size: expected one or two positive numbers, got 0'),
    ):
        with pytest.raises(ValueError, match=text):
            build(**options)
    with pytest.raises(ValueError, match='a label map of 60×80 is smaller than tiles of 64×64'):
        build(tile_size=64)[0]
    with pytest.raises(IndexError, match='index must be from 0 to 29, got 30'):
        build()[30]
