"""Classes that nobody names are counted."""

import numpy as np
import pytest
from PIL import Image

from mmrefine.reports.numbered_classes import count_classes


@pytest.fixture
def write(tmp_path):
    def make(name: str, *labels: int, dtype: type = np.uint8):
        array = np.array(labels, dtype)[None].repeat(3, 0)
        Image.fromarray(array).save(tmp_path / f'{name}.png')
        return tmp_path / f'{name}.png'

    return make


def test_largest_label_of_truth_or_prediction_decides(write):
    truth, prediction = write('t', 0, 2, 255), write('p', 4, 255)
    found = count_classes([truth], [prediction])
    assert found.classes.names == ('0', '1', '2', '3', '4')
    assert found.ignore_index == 255
    assert 'numbered 0 to 4' in found.remark
    assert count_classes([truth], [truth]).classes.names == ('0', '1', '2')
    assert count_classes([truth], [truth], ignore_index=2).classes.names[-1] == '255'


def test_masks_of_0_and_255_are_two_classes_and_nothing_is_ignored(write):
    found = count_classes([write('t', 0, 255), write('e', 0, 0)], [write('p', 255, 0)])
    assert (found.classes.names, found.ignore_index) == (('background', 'object'), None)
    assert len(count_classes([write('z', 0, 0)], []).classes.names) == 1


@pytest.mark.parametrize(
    ('reduced', 'number'), [((), 5), (('truth',), 5), (('truth', 'predictions'), 4)]
)
def test_labels_that_are_one_too_large(write, reduced, number):
    truth, prediction = write('t', 0, 4), write('p', 1, 4)
    assert len(count_classes([truth], [prediction], 255, reduced).classes.names) == number


def test_what_are_no_classes(write, tmp_path):
    with pytest.raises(
        ValueError, match=r'labels must be 0 to 255, the largest is 26001; instance'
    ):
        count_classes([write('i', 7, 26001, dtype=np.uint16)], [])
    with pytest.raises(ValueError, match='no file holds a label that is judged'):
        count_classes([write('v', 255, 255, dtype=np.uint16)], [], 255, ('truth',))
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(tmp_path / 'rgb.png')
    with pytest.raises(ValueError, match=r'rgb\.png: colours stand for classes only with'):
        count_classes([tmp_path / 'rgb.png'], [])
