"""Annotations that hold what no annotation should: named with their file, not a traceback."""

import json

import pytest

from mmrefine.files.coco_annotations import read_annotation_file


def content() -> dict:
    entry = dict(id=5, image_id=1, category_id=2, iscrowd=0, segmentation=[[1, 1, 9, 1, 9, 9]])
    return dict(
        images=[dict(id=1, height=20, width=30, file_name='a.jpg')],
        annotations=[entry],
        categories=[dict(id=2, name='cat')],
    )


@pytest.mark.parametrize(
    ('part', 'values', 'text'),
    [
        (
            'images',
            dict(height=float('inf')),
            'expected a whole number as height, got inf',
        ),
        (
            'images',
            dict(height=float('nan')),
            'expected a whole number as height, got nan',
        ),
        ('images', dict(width='30'), "image 1: expected a whole number as width, got '30'"),
        ('images', dict(width=None), 'image 1: expected a whole number as width, got None'),
        ('images', dict(height=True), 'image 1: expected a whole number as height, got True'),
        ('images', dict(height=0), 'image 1: expected a whole number as height, got 0'),
        ('images', dict(id=[1]), "unhashable type: 'list'"),
        ('annotations', dict(category_id=[2]), "unhashable type: 'list'"),
        ('annotations', dict(iscrowd='no'), "annotation 5: expected 0 or 1 as iscrowd, got 'no'"),
        ('annotations', dict(area='big'), "5: expected a number of pixels as area, got 'big'"),
        ('annotations', dict(area=float('nan')), 'expected a number of pixels as area, got nan'),
        ('images', dict(file_name=7), 'image 1: expected a text as file_name, got 7'),
        ('images', dict(file_name=None), 'image 1: expected a text as file_name, got None'),
        ('categories', dict(id={}), "unhashable type: 'dict'"),
    ],
)
def test_values_of_the_wrong_kind_are_named(tmp_path, part, values, text):
    path, spoiled = tmp_path / 'ann.json', content()
    spoiled[part][0].update(values)
    path.write_text(json.dumps(spoiled))
    with pytest.raises(ValueError, match=r'ann\.json: ') as caught:
        read_annotation_file(path)
    assert text in str(caught.value)


def test_whole_numbers_of_other_programs(tmp_path):
    path, given = tmp_path / 'ann.json', content()
    given['images'][0]['height'] = 20.0  # pandas
    given['annotations'][0]['iscrowd'] = None
    path.write_text(json.dumps(given))
    assert read_annotation_file(path) == given


def test_masks_are_asked_for_or_not(tmp_path):
    path, given = tmp_path / 'ann.json', content()
    del given['annotations'][0]['segmentation']
    path.write_text(json.dumps(given))
    assert read_annotation_file(path, with_masks=False) == given
    with pytest.raises(ValueError, match="'segmentation' missing"):
        read_annotation_file(path)
