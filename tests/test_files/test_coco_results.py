"""COCO result files: reading, refusing, writing."""

import json

import pytest

from mmrefine.files.coco_results import read_image_names, read_results, write_results

RESULTS = [
    {
        'image_id': 7,
        'category_id': 1,
        'score': 0.25,
        'segmentation': {'size': [2, 3], 'counts': [6]},
    },
    {
        'image_id': 'b',
        'category_id': 2,
        'score': 0.1 + 0.2,
        'bbox': [0, 0.5, 1, 1],
        'segmentation': [],
    },
]


def test_results_survive_a_round_trip(tmp_path):
    write_results(tmp_path / 'deep' / 'a.json', RESULTS)
    assert read_results(tmp_path / 'deep' / 'a.json') == RESULTS
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['a.json']


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        (json.dumps({'images': []}), 'expected COCO results, a list of detections, got dict'),
        (json.dumps([{'image_id': 1, 'bbox': [0, 0, 1, 1]}]), 'no entry has a segmentation'),
        (json.dumps([*RESULTS, {'bbox': [0, 0, 1, 1]}]), 'entry 2: expected COCO'),
        (json.dumps([7]), 'entry 0: expected COCO results'),
        (json.dumps([{'image_id': [], 'segmentation': []}]), 'entry 0: image_id must be'),
        (json.dumps(RESULTS)[:-9], 'expected JSON, the file is broken or cut off'),
        ('', 'expected JSON'),
        ('\x89PNG', 'expected JSON'),
    ],
)
def test_other_results_are_refused(tmp_path, content, text):
    (tmp_path / 'a.json').write_bytes(content.encode('latin-1'))
    with pytest.raises(ValueError, match=rf'a\.json: {text}'):
        read_results(tmp_path / 'a.json')


def test_missing_results_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'a\.json: cannot be read: No such file'):
        read_results(tmp_path / 'a.json')


def test_image_names(tmp_path):
    images = [{'id': 7, 'file_name': 'x/a.jpg', 'height': 2}, {'id': 'b', 'file_name': 'b.jpg'}]
    (tmp_path / 'a.json').write_text(json.dumps({'images': images, 'annotations': []}))
    assert read_image_names(tmp_path / 'a.json') == {7: 'x/a.jpg', 'b': 'b.jpg'}
    lvis = {'id': 9, 'coco_url': 'http://images.cocodataset.org/val2017/000000000139.jpg'}
    (tmp_path / 'a.json').write_text(json.dumps({'images': [lvis, images[0]]}))
    assert read_image_names(tmp_path / 'a.json') == {9: 'val2017/000000000139.jpg', 7: 'x/a.jpg'}
    for wrong in ({'annotations': []}, [1], {'images': [{'id': 1}]}, {'images': 3}):
        (tmp_path / 'b.json').write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match=r'b\.json: expected COCO annotations'):
            read_image_names(tmp_path / 'b.json')
