"""Video and number of frames, from names as data sets have them."""

import pytest

from mmrefine.ops import frame_key, order_frames
from mmrefine.ops.frame_names import usual_step

CITYSCAPES = r'(?P<video>.*)_(?P<frame>\d+)_leftImg8bit'


@pytest.mark.parametrize(
    ('path', 'expected'),
    [
        ('dogs/00012.jpg', ('dogs/', 12)),
        ('val/0016E5_07959.png', ('val/0016E5_', 7959)),
        ('clip2/frame3_gt.png', ('clip2/frame', 3)),
        ('7', ('', 7)),
        ('a.b/c1.x9.png', ('a.b/c1.x', 9)),
    ],
)
def test_last_number_counts(path, expected):
    assert frame_key(path) == expected


def test_other_names_by_pattern():
    path = 'val/ulm/ulm_000003_000019_leftImg8bit.png'
    assert frame_key(path, CITYSCAPES) == ('val/ulm/ulm_000003', 19)


def test_unsorted_names_come_in_order():
    paths = ['b/2.png', 'a/10.png', 'b/1.png', 'a/9.png', 'a/100.png']
    assert order_frames(paths) == {'a/': [3, 1, 4], 'b/': [2, 0]}
    assert order_frames(['x1.png']) == {'x': [0]}
    assert order_frames([]) == {}


def test_wrong_names_and_patterns_are_named():
    with pytest.raises(ValueError, match=r'video/first\.png: the name of a frame'):
        frame_key('video/first.png')
    with pytest.raises(ValueError, match='groups'):
        frame_key('1.png', r'(\d+)')
    with pytest.raises(ValueError, match='no regular expression'):
        frame_key('1.png', '(')
    with pytest.raises(ValueError, match='a frame must match'):
        frame_key('x.png', '(?P<video>)(?P<frame>x)')
    with pytest.raises(ValueError, match=r'a/01\.png and a/1\.png are both frame 1'):
        order_frames(['a/01.png', 'a/1.png'])


def test_the_usual_step_is_the_commonest_and_of_several_the_smallest():
    assert usual_step([30, 30, 60, 30]) == 30
    assert usual_step([2, 1, 2, 1]) == 1
    assert usual_step([7]) == 7
