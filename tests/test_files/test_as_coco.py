"""Every format of instances as COCO annotations and results, to be judged."""

import json
import pickle

import numpy as np
import pytest

pytest.importorskip('shapely')

from small_coco_panoptic import BIG, SMALL, save

from mmrefine.files.as_coco import has_classes, results_of, truth_of
from mmrefine.ops.polygons import mask_polygons
from mmrefine.ops.run_lengths import decode_mask, encode_mask

SIZE = (40, 56)


def mask_of(right: int = 30) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[10:30, 10:right] = True
    return mask


def truth() -> dict:
    images = [dict(id=7, file_name='s/a.jpg', height=40, width=56)]
    entry = dict(id=1, image_id=7, category_id=3, segmentation=encode_mask(mask_of()), iscrowd=0)
    return dict(images=images, annotations=[entry], categories=[dict(id=8, name='dog'), dict(id=3, name='cat')])  # fmt: skip  # noqa: E501


def shares(mask: np.ndarray) -> str:
    xy = np.array(mask_polygons(mask)[0]).reshape(-1, 2) / SIZE[::-1]
    return ' '.join(f'{value:.7f}' for value in xy.ravel())


def write(folder, format):
    """The mask of a cat in a file of some format, and the score that it has there."""
    coded = encode_mask(mask_of())
    points = np.reshape(mask_polygons(mask_of())[0], (-1, 2)).tolist()
    shape = dict(label='cat', points=points, shape_type='polygon')
    size = dict(imagePath='..\\a.jpg', imageHeight=40, imageWidth=56)
    entry = dict(segmentation=coded, area=400, bbox=[10, 10, 20, 20], predicted_iou=0.75)
    predicted = dict(masks=[coded], labels=np.array([1]), scores=np.array([0.5]))
    (folder / 'in').mkdir(exist_ok=True)
    contents = {
        'coco.json': [dict(image_id=7, category_id=3, score=0.25, segmentation=coded)],
        'annotations.json': truth(),
        'in/a.txt': f'1 {shares(mask_of())} 0.875\n0 0.5 0.5 0.1 0.1\n',
        'in/b.json': dict(
            shapes=[shape, dict(label='x', points=[[1, 1], [2, 2]], shape_type='line')], **size
        ),
        'sa.json': dict(image=dict(file_name='a.jpg', height=40, width=56), annotations=[entry]),
        'a.json': [entry],
        'r.pkl': [dict(img_path='data/s/a.jpg', pred_instances=predicted)],
        'panoptic.json': dict(
            images=truth()['images'],
            categories=truth()['categories'],
            annotations=[
                dict(image_id=7, file_name='a.png', segments_info=[dict(id=BIG, category_id=3)])
            ],
        ),
    }
    name, score = {
        'coco': ('coco.json', 0.25),
        'annotations': ('annotations.json', 1),
        'yolo': ('in/a.txt', 0.875),
        'labelme': ('in/b.json', 1),
        'sa-1b': ('sa.json', 0.75),
        'amg': ('a.json', 0.75),
        'mmdet': ('r.pkl', 0.5),
        'panoptic': ('panoptic.json', 1),
    }[format]
    path, content = folder / name, contents[name]
    if format == 'panoptic':
        save(folder / 'panoptic' / 'a.png', np.where(mask_of(), BIG, SMALL).astype(np.int32))
    if name.endswith('.pkl'):
        path.write_bytes(pickle.dumps(content))
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return (path.parent if name.startswith('in/') else path), score


FORMATS = ['coco', 'annotations', 'yolo', 'labelme', 'sa-1b', 'amg', 'mmdet', 'panoptic']


@pytest.mark.parametrize('format', FORMATS)
def test_predictions_of_every_format(tmp_path, format):
    path, score = write(tmp_path, format)
    [found] = results_of(path, truth())
    assert found['image_id'] == 7
    assert found['score'] == pytest.approx(score)
    assert has_classes(path) == (format not in ('sa-1b', 'amg'))
    if has_classes(path):
        assert found['category_id'] == 3
    np.testing.assert_array_equal(decode_mask(found['segmentation'], SIZE), mask_of())


@pytest.mark.parametrize('format', [f for f in FORMATS if f not in ('coco', 'mmdet')])
def test_truth_of_every_format(tmp_path, format):
    path, _ = write(tmp_path, format)
    content = truth_of(path, lambda name: SIZE)
    [entry] = content['annotations']
    [image] = [i for i in content['images'] if i['id'] == entry['image_id']]
    assert (image['height'], image['width']) == SIZE
    assert entry['category_id'] in [c['id'] for c in content['categories']]
    np.testing.assert_array_equal(decode_mask(entry['segmentation'], SIZE), mask_of())
    predicted = results_of(path, content)
    assert [(p['image_id'], p['category_id']) for p in predicted] == [
        (entry['image_id'], entry['category_id'])
    ]


def test_sizes_that_no_file_has(tmp_path):
    path, _ = write(tmp_path, 'yolo')
    with pytest.raises(ValueError, match=r'a\.txt: does not say how large its image is.*--images'):
        truth_of(path)


@pytest.mark.parametrize(
    ('spoil', 'text'),
    [
        (lambda t: t['images'][0].update(file_name='b.jpg'), "in/a.txt: its image 'a' is a"),
        (lambda t: t['categories'].pop(), 'in/a.txt: line 1: class 1 is not in the annotations'),
    ],
)
def test_images_and_classes_that_are_unknown(tmp_path, spoil, text):
    path, _ = write(tmp_path, 'yolo')
    other = truth()
    spoil(other)
    with pytest.raises(ValueError, match=text):
        results_of(path, other)
