"""Annotations and results as plain records, and what can be wrong with the files."""

import json

import cv2
import numpy as np
import pytest
from bpr_data import INSTANCES, NAMES, SIZE, write_data
from PIL import Image

from mmrefine.files.instances import (
    Instance,
    read_annotations,
    read_coarse,
    read_mask,
    read_prediction_list,
)


@pytest.fixture
def folder(tmp_path):
    return write_data(tmp_path / 'data')


def test_annotations(folder):
    images = read_annotations(folder / 'annotations/train.json')
    assert [i.file_name for i in images] == list(NAMES.values())
    assert [i.size_hw for i in images] == [SIZE] * 3
    for image in images:
        assert [i.category for i in image.instances] == [c for c, _, _ in INSTANCES[image.image_id]]
        for instance, (_, truth, _) in zip(image.instances, INSTANCES[image.image_id], strict=True):
            np.testing.assert_array_equal(instance.mask(SIZE), truth)


def test_names_of_lvis(tmp_path):
    content = dict(
        images=[dict(id=7, coco_url='http://images.cocodataset.org/train2017/000000000007.jpg')],
        annotations=[dict(image_id=7, category_id=3, segmentation=[[0, 0, 4, 0, 4, 4]])],
    )
    (tmp_path / 'lvis.json').write_text(json.dumps(content))
    image = read_annotations(tmp_path / 'lvis.json')[0]
    assert image.file_name == 'train2017/000000000007.jpg'
    assert image.size_hw is None
    assert image.instances[0].mask((9, 9)).any()


@pytest.mark.parametrize('source', ['results/train.segm.json', 'results/pngs'])
def test_both_kinds_of_results(folder, source):
    images = read_annotations(folder / 'annotations/train.json')
    coarse = read_coarse(folder / source, images)
    assert set(coarse) == set(INSTANCES)
    for image_id, instances in INSTANCES.items():
        for found, (category, _, mask) in zip(coarse[image_id], instances, strict=True):
            assert found.category == category
            np.testing.assert_array_equal(found.mask(SIZE), mask)
            assert found.run_lengths(SIZE)['size'] == list(SIZE)


def change_results(folder, change):
    path = folder / 'results/train.segm.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_results_of_unknown_images(folder):
    change_results(folder, lambda content: content[3].update(image_id=99))
    images = read_annotations(folder / 'annotations/train.json')
    with pytest.raises(ValueError, match='entry 3: image_id 99 is not in the annotations'):
        read_coarse(folder / 'results/train.segm.json', images)


def test_results_without_masks(folder):
    change_results(folder, lambda content: content[1].pop('segmentation'))
    images = read_annotations(folder / 'annotations/train.json')
    with pytest.raises(ValueError, match=r"entry 1: expected .* missing: 'segmentation'"):
        read_coarse(folder / 'results/train.segm.json', images)


def test_a_prediction_list_of_an_unknown_frame(folder):
    (folder / 'results/pngs/other_000001_000019_leftImg8bit_pred.txt').write_text('a.png 24 0.5\n')
    images = read_annotations(folder / 'annotations/train.json')
    with pytest.raises(ValueError, match="there is no image 'other_000001_000019'"):
        read_coarse(folder / 'results/pngs', images)


def test_lines_of_a_prediction_list(tmp_path):
    path = tmp_path / 'x_pred.txt'
    path.write_text('a.png 24 0.5\n\nb.png 26 1e-3\n')
    assert read_prediction_list(path) == [
        (tmp_path / 'a.png', 24, 0.5),
        (tmp_path / 'b.png', 26, 1e-3),
    ]
    path.write_text('a.png 24 0.5\nb.png car 0.1\n')
    with pytest.raises(ValueError, match='line 2: expected "PNG LABEL SCORE"'):
        read_prediction_list(path)


def test_masks_in_files(tmp_path):
    with pytest.raises(ValueError, match=r'missing\.png: no such label map'):
        Instance(1, str(tmp_path / 'missing.png')).mask(SIZE)
    cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((5, 6), np.uint8))
    with pytest.raises(ValueError, match=r'size \(5, 6\) is not the size \(60, 90\)'):
        Instance(1, str(tmp_path / 'small.png')).mask(SIZE)


def test_annotations_of_another_kind(tmp_path):
    (tmp_path / 'list.json').write_text('[]')
    with pytest.raises(ValueError, match='expected COCO annotations'):
        read_annotations(tmp_path / 'list.json')


@pytest.mark.parametrize(('dtype', 'value'), [(np.uint8, 1), (np.uint16, 1), (np.uint16, 256)])
def test_anything_but_zero_is_object(tmp_path, dtype, value):
    mask = np.zeros((4, 6), dtype)
    mask[1:3, 2:5] = value
    cv2.imwrite(str(tmp_path / 'a.png'), mask)
    np.testing.assert_array_equal(read_mask(tmp_path / 'a.png', (4, 6)), mask != 0)
    with pytest.raises(ValueError, match=r'a\.png: size \(4, 6\) is not the size \(6, 4\)'):
        read_mask(tmp_path / 'a.png', (6, 4))


def test_masks_with_palette_and_one_bit(tmp_path):
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2:5] = 1
    palette = Image.fromarray(mask, 'P')
    palette.putpalette([7, 7, 7, 0, 0, 0, *[9] * 762])  # the object is black
    for image in (palette, Image.fromarray(mask > 0)):
        image.save(tmp_path / 'a.png')
        np.testing.assert_array_equal(read_mask(tmp_path / 'a.png', (4, 6)), mask != 0)


def test_masks_in_colour_are_refused(tmp_path):
    mask = np.zeros((4, 6, 3), np.uint8)
    mask[1:3, 2:5, 0] = 1
    cv2.imwrite(str(tmp_path / 'a.png'), mask)
    with pytest.raises(ValueError, match=r'a\.png: expected .* one number a pixel .* RGB colours'):
        read_mask(tmp_path / 'a.png', (4, 6))
