"""Pictures end up in files that are whole or not there."""

import sys

import cv2
import numpy as np
import pytest

from mmrefine.files.pictures import PictureFolder, PictureVideo, picture_sink


def picture(value, height=37, width=61):
    return np.full((height, width, 3), value, np.uint8)


def test_folder(tmp_path):
    with picture_sink(tmp_path / 'x') as sink:
        assert isinstance(sink, PictureFolder)
        sink.write('sub/a', picture(7))
    assert [p.name for p in (tmp_path / 'x' / 'sub').iterdir()] == ['a.png']
    assert np.array_equal(cv2.imread(str(tmp_path / 'x' / 'sub' / 'a.png')), picture(7))


def test_video_frames_in_order_without_the_odd_row(tmp_path):
    with picture_sink(tmp_path / 'new' / 'v.mp4', 10) as sink:
        assert isinstance(sink, PictureVideo)
        for value in (10, 120, 240):
            sink.write('x', picture(value))
        assert not (tmp_path / 'new' / 'v.mp4').exists(), 'before it is complete'
    assert [p.name for p in (tmp_path / 'new').iterdir()] == ['v.mp4']
    capture = cv2.VideoCapture(str(tmp_path / 'new' / 'v.mp4'))
    assert capture.get(cv2.CAP_PROP_FPS) == 10
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, 'little')
    assert code == b'h264', 'browsers play no other MPEG-4 video'
    means = []
    while (frame := capture.read())[0]:
        assert frame[1].shape == (36, 60, 3)
        means.append(frame[1].mean())
    assert np.allclose(means, [10, 120, 240], atol=6)


def test_nothing_is_left_of_a_video_after_an_error(tmp_path):
    (tmp_path / 'v.mp4').write_bytes(b'of before')
    sink = PictureVideo(tmp_path / 'v.mp4')
    sink.write('first', picture(1))
    with pytest.raises(ValueError, match=r'second: expected a picture of 36x60 .* got 36x58'), sink:
        sink.write('second', picture(1, width=59))
    assert [p.name for p in tmp_path.iterdir()] == ['v.mp4']
    assert (tmp_path / 'v.mp4').read_bytes() == b'of before'


def test_video_without_pictures(tmp_path):
    with PictureVideo(tmp_path / 'v.mp4'):
        pass
    assert not list(tmp_path.iterdir())


def test_rate_that_is_no_whole_number(tmp_path):
    with PictureVideo(tmp_path / 'v.mp4', 29.97) as sink:
        sink.write('x', picture(1))
    rate = cv2.VideoCapture(str(tmp_path / 'v.mp4')).get(cv2.CAP_PROP_FPS)
    assert rate == pytest.approx(29.97, abs=0.01)


def test_video_starts_before_it_is_loaded(tmp_path):
    with PictureVideo(tmp_path / 'v.mp4') as sink:
        sink.write('x', picture(1))
    content = (tmp_path / 'v.mp4').read_bytes()
    assert content.index(b'moov') < content.index(b'mdat')


def test_without_pyav(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(ImportError, match=r'PyAV.*mmrefine\[video\]'):
        PictureVideo(tmp_path / 'v.mp4')


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'expected a video \.mp4'):
        picture_sink(tmp_path / 'x.AVI')
    with pytest.raises(ValueError, match='fps: expected more than 0, got 0'):
        picture_sink(tmp_path / 'x.mp4', 0)
