"""Class names and colours: from mmseg, from mmrefine, from files."""

import json

import numpy as np
import pytest

from mmrefine.reports.classes import (
    class_list,
    dataset_classes,
    dataset_names,
    distinct_colours,
    read_classes,
)


def test_known_datasets_have_names_and_colours():
    assert len(dataset_names()) > 20
    for name in dataset_names():
        classes = dataset_classes(name)
        assert len(classes.names) == len(classes.palette) > 1
    assert dataset_classes('camvid').names[0] == 'sky'
    assert dataset_classes('cityscapes').palette[0] == (128, 64, 128)
    assert len(dataset_classes('ade20k').names) == 150
    with pytest.raises(ValueError, match=r"dataset: expected one of .*camvid.*, got 'camwid'"):
        dataset_classes('camwid')


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        ('{', r'classes.json: expected JSON, the file is broken'),
        ('{"names": []}', 'classes.json: expected a list of class names, or an object'),
        ('[]', 'classes.json: classes: expected a list of names'),
        ('[1]', r'classes: expected a list of names, got \[1\]'),
        ('["a", "b", "a"]', 'classes: every name once, got more of a'),
        ('{"classes": ["a"], "palette": [[0, 0, 300]]}', 'palette: expected 1 colours of 0 to 255'),
        ('{"classes": ["a"], "palette": [[0, 0, Infinity]]}', 'palette: expected a list of col'),
        ('[' * 10**5, 'expected JSON'),
        ('{"classes": ["a"], "palette": [[0, 0]]}', 'palette: expected a list of colours'),
    ],
)
def test_class_file_that_is_none(tmp_path, content, text):
    path = tmp_path / 'classes.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=text):
        read_classes(path)


def test_class_file(tmp_path):
    path = tmp_path / 'classes.json'
    path.write_text(json.dumps({'classes': ['a', 'b'], 'palette': [[1, 2, 3], [4, 5, 6]]}))
    assert read_classes(path) == class_list(['a', 'b'], [(1, 2, 3), (4, 5, 6)])
    path.write_text(json.dumps(['a', 'b']))
    assert read_classes(path).names == ('a', 'b')
    with pytest.raises(ValueError, match=r'none.json: cannot be read: No such file'):
        read_classes(tmp_path / 'none.json')


def test_colours_of_unnamed_palettes_differ():
    colours = np.array(distinct_colours(60))
    apart = np.abs(colours[:, None] - colours[None]).sum(-1) + 1000 * np.eye(60)
    assert colours.shape == (60, 3)
    assert apart.min() > 5
