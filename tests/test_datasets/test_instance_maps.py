"""CocoInstanceMapDataset and PaintInstanceMap: instances of a COCO file become a map of ids."""

import json

import cv2
import numpy as np
import pytest

from mmrefine.datasets import CocoInstanceMapDataset
from mmrefine.datasets.transforms import PaintInstanceMap
from mmrefine.files.instances import Instance
from mmrefine.ops.run_lengths import encode_mask

SIZE = (40, 60)


def paint(instances, **options):
    results = dict(img=np.zeros((*SIZE, 3), np.uint8), instances=instances)
    return PaintInstanceMap(**options).transform(results)


def square(top, left, side, crowd=False):
    mask = np.zeros(SIZE, bool)
    mask[top : top + side, left : left + side] = True
    return mask, Instance(1, encode_mask(mask), crowd)


@pytest.mark.quick
def test_small_ones_are_in_front_and_crowds_are_ignored():
    (large, a), (small, b), (crowd, c) = (
        square(5, 5, 20),
        square(10, 10, 5),
        square(20, 20, 9, True),
    )
    results = paint([b, a, c])
    ids = results['gt_seg_map']
    assert ids.dtype == np.int32
    assert results['seg_fields'] == ['gt_seg_map']
    assert (ids[crowd] == 255).all()
    assert len(np.unique(ids[small])) == 1
    assert set(np.unique(ids)) == {0, *ids[small], *ids[large & ~small & ~crowd], 255}
    assert ids[small][0] != ids[large & ~small & ~crowd][0]
    assert (ids[~large & ~crowd] == 0).all()


def test_nobody_gets_the_id_of_ignored_pixels():
    mask = np.zeros(SIZE, bool)
    instances = []
    for k in range(300):
        mask[:] = False
        mask.reshape(-1)[k * 7 : k * 7 + 5] = True
        instances.append(Instance(1, encode_mask(mask)))
    ids = paint(instances)['gt_seg_map']
    assert 255 not in ids
    assert len(np.unique(ids)) == 301


def write(tmp_path, annotations):
    (tmp_path / 'img').mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(tmp_path / 'img' / name), np.zeros((*SIZE, 3), np.uint8))
    images = [
        dict(id=i, file_name=f'{name}.png', height=SIZE[0], width=SIZE[1])
        for i, name in enumerate('ab')
    ]
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(dict(images=images, annotations=annotations, categories=[])))
    return dict(ann_file='truth.json', data_root=str(tmp_path), data_prefix=dict(img_path='img'))


def test_from_a_file(tmp_path):
    polygon = [[10.0, 10, 30, 10, 30, 25, 10, 25]]
    annotation = dict(id=1, image_id=1, category_id=3, segmentation=polygon, iscrowd=0)
    pipeline = [dict(type='LoadImageFromFile'), dict(type='mmrefine.PaintInstanceMap')]
    dataset = CocoInstanceMapDataset(**write(tmp_path, [annotation]), pipeline=pipeline)
    assert len(dataset) == 1  # an image without instances says nothing
    item = dataset[0]
    assert item['img_path'].endswith('b.png')
    drawn = np.zeros(SIZE, bool)
    drawn[10:25, 10:30] = True
    assert np.array_equal(item['gt_seg_map'] == 1, drawn)


def test_nothing_to_learn_from(tmp_path):
    with pytest.raises(ValueError, match=r'truth\.json: no image has instances'):
        CocoInstanceMapDataset(**write(tmp_path, []))
    broken = Instance(1, dict(size=[3, 4], counts='x'))
    with pytest.raises(ValueError, match='size'):
        paint([broken])
