"""COCO's panoptic format: read, and given new areas and boxes; nothing else changes."""

import json

import numpy as np
import pytest
from small_coco_panoptic import BIG, SIZE, SMALL, content, drawn, save

from mmrefine.files.panoptic import PanopticFiles, names_segments, segment_facts
from mmrefine.ops.run_lengths import decode_mask


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'val.json'
    path.write_text(json.dumps(content()))
    save(tmp_path / 'val' / 'a.png', drawn())
    return path


def test_only_areas_and_boxes_of_segments_change(file):
    files = PanopticFiles(file)
    labels = files.labels(files.annotations[0]).labels
    np.testing.assert_array_equal(labels, drawn())
    facts = segment_facts(labels, [BIG, SMALL, 5])
    assert facts == {BIG: (140, [6, 4, 14, 10]), SMALL: (15, [25, 16, 5, 3])}
    expected = content()
    segments = expected['annotations'][0]['segments_info']
    segments[0] |= dict(area=140, bbox=[6, 4, 14, 10])
    segments[1] |= dict(area=15, bbox=[25, 16, 5, 3])
    assert files.content({0: facts}) == json.dumps(expected, ensure_ascii=False).encode()


def test_segments_as_instances(file):
    instances = PanopticFiles(file).as_instances()
    first, second, lost = instances['annotations']
    np.testing.assert_array_equal(decode_mask(first['segmentation'], SIZE), drawn() == BIG)
    assert (first['category_id'], second['iscrowd']) == (1, 1)
    assert not decode_mask(lost['segmentation'], SIZE).any()
    assert instances['categories'] == content()['categories']


def test_seen_from_its_content(file, tmp_path):
    (tmp_path / 'other.json').write_text('{"annotations": []}')
    found = [names_segments(path) for path in (file, tmp_path / 'other.json', tmp_path / 'none')]
    assert found == [True, False, False]


@pytest.mark.parametrize(
    ('spoil', 'text'),
    [
        (lambda c: c['annotations'][0].update(file_name='../a.png'), "file_name '../a.png'"),
        (lambda c: c['annotations'][0].update(file_name='b.png'), 'its PNGs, b.png'),
        (lambda c: c['annotations'][0].update(image_id=5), 'expected panoptic annotations'),
        (lambda c: c['annotations'][0]['segments_info'][0].pop('id'), "'id'"),
    ],
)
def test_broken_files_are_named(file, spoil, text):
    spoiled = content()
    spoil(spoiled)
    file.write_text(json.dumps(spoiled))
    with pytest.raises(ValueError, match=f'val.json: .*{text}'):
        PanopticFiles(file)
