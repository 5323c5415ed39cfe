import cv2
import numpy as np
import pytest
import torch
from mmseg.datasets.transforms import LoadAnnotations
from PIL import Image

from mmrefine.datasets import DrawnLabelMapDataset, LabelMapDataset
from mmrefine.ops import draw_label_map


@pytest.fixture
def folder(tmp_path):
    """Two label maps in different folders, and a file of another kind."""
    (tmp_path / 'a').mkdir()
    for name, value in (('a/1.png', 4), ('2.png', 7)):
        labels = np.full((10, 14), value, np.uint8)
        labels[:, 0] = 0
        cv2.imwrite(str(tmp_path / name), labels)
    (tmp_path / 'notes.txt').touch()
    return tmp_path


def test_drawn_maps_are_those_of_the_function():
    dataset = DrawnLabelMapDataset(5, length=3, size_hw=(6, 9), seed=2)
    assert len(dataset) == 3
    items = [dataset[k]['inputs'] for k in range(3)]
    for k, item in enumerate(items):
        expected = draw_label_map((6, 9), 5, np.random.default_rng((2, k)))
        assert np.array_equal(item.numpy(), expected)
    assert not torch.equal(items[0], items[1])
    with pytest.raises(IndexError, match='from 0 to 2, got 3'):
        dataset[3]


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(num_classes=1, length=3), 'num_classes must be at least 2'),
        (dict(num_classes=3, length=0), 'length must be positive, got 0'),
        (dict(num_classes=3, length=3, size_hw=(0, 4)), 'size_hw must be'),
    ],
)
def test_drawn_maps_wrong_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        DrawnLabelMapDataset(**options)


def test_folder_is_read_whole_in_order(folder):
    dataset = LabelMapDataset(str(folder))
    assert [dataset[k]['inputs'].max().item() for k in range(len(dataset))] == [7, 4]
    assert dataset[0]['inputs'].shape == (10, 14)
    assert dataset[0]['inputs'].dtype == torch.int64


def test_zero_label_can_be_reduced(folder):
    labels = LabelMapDataset(str(folder), reduce_zero_label=True)[0]['inputs']
    assert set(labels.unique().tolist()) == {6, 255}


def test_255_stays_ignored_where_zero_is_reduced(tmp_path):
    """As mmseg's own LoadAnnotations has it, for files of 8 and of 16 bits."""
    ids = np.array([[0, 1, 2, 150, 254, 255]] * 3)
    for dtype in (np.uint8, np.uint16):
        cv2.imwrite(str(tmp_path / 'a.png'), ids.astype(dtype))
        found = LabelMapDataset(str(tmp_path), reduce_zero_label=True)[0]['inputs']
        assert found[1].tolist() == [255, 0, 1, 149, 253, 255]
    cv2.imwrite(str(tmp_path / 'a.png'), ids.astype(np.uint8))
    loaded = LoadAnnotations(reduce_zero_label=True, imdecode_backend='cv2').transform(
        dict(seg_map_path=str(tmp_path / 'a.png'), seg_fields=[], reduce_zero_label=True)
    )
    found = LabelMapDataset(str(tmp_path), reduce_zero_label=True)[0]['inputs']
    assert np.array_equal(loaded['gt_seg_map'], found.numpy())


def test_maps_with_a_palette_are_read_as_indices(tmp_path):
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.fromarray(labels, 'P')
    image.putpalette([9] * 768)
    image.save(tmp_path / 'a.png')
    assert np.array_equal(LabelMapDataset(str(tmp_path))[0]['inputs'].numpy(), labels)


def test_pieces_lie_anywhere_in_the_map(folder):
    dataset = LabelMapDataset(str(folder), crop_size=(10, 5))
    np.random.seed(0)
    pieces = [dataset[0]['inputs'] for _ in range(40)]
    assert {tuple(p.shape) for p in pieces} == {(10, 5)}
    assert {bool((p[:, 0] == 0).all()) for p in pieces} == {True, False}  # first column, or not
    assert LabelMapDataset(str(folder), crop_size=(99, 5))[0]['inputs'].shape == (10, 5)


def test_wrong_folders_and_files(folder):
    with pytest.raises(ValueError, match=r'no file below .* ends in \.gif'):
        LabelMapDataset(str(folder), suffix='.gif')
    cv2.imwrite(str(folder / '2.png'), np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match=r'2\.png: expected a label map .* got RGB colours'):
        LabelMapDataset(str(folder))[0]
