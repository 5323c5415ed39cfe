"""Consistency over time of folders: the figures of the metric, and a page with the worst pairs."""

import csv
import json

import cv2
import numpy as np
import pytest
from moving_scene import write_videos

from mmrefine.cli import main
from mmrefine.measures import perceptual_consistency
from mmrefine.models import PerceptualFeatures
from mmrefine.reports.videos import Videos

NAMES = {'a': 3, 'b': 4}


@pytest.fixture
def folders(tmp_path):
    """Frames, true labels, and labels of which one frame is wrong."""
    write_videos(tmp_path, NAMES)
    wrong = tmp_path / 'wrong'
    wrong.mkdir()
    for path in sorted((tmp_path / 'ann_dir/val').iterdir()):
        labels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if path.name == 'b_0002.png':
            labels[10:, 30:] = (labels[10:, 30:] + 1) % 4
        cv2.imwrite(str(wrong / path.name), labels)
    (tmp_path / 'classes.json').write_text(json.dumps(['w', 'x', 'y', 'z']))
    return tmp_path


def command(folders, *more):
    places = '--before', folders / 'wrong', '--after', folders / 'ann_dir/val'
    words = ['evaluate', 'video', *places, folders / 'img_dir/val', *more]
    classes = '--classes', folders / 'classes.json', '--out', folders / 'report'
    return main([str(word) for word in (*words, *classes)])


def test_report_of_two_predictions(folders, capsys):
    assert command(folders, '--pictures', 2) == 0
    assert 'before: perceptual consistency' in capsys.readouterr().out
    content = json.loads((folders / 'report/video.json').read_text())
    before, after = (content[name]['figures'] for name in ('before', 'after'))
    assert set(content['before']['pairs']) == {'a', 'b'}
    assert all(before[key] < after[key] for key in before)

    network = PerceptualFeatures()
    frames = [folders / 'img_dir/val' / f'b_{n:04}.png' for n in (1, 2)]
    labels = [cv2.imread(str(folders / 'wrong' / path.name), -1) for path in frames]
    features = [network.of_image(cv2.imread(str(path))) for path in frames]
    score = perceptual_consistency(tuple(features), tuple(labels)).scores()[0]
    assert content['before']['pairs']['b'][1] == ['b_0001', 'b_0002', pytest.approx(100 * score)]
    scores = [pair[2] for pairs in content['before']['pairs'].values() for pair in pairs]
    assert before['perceptual_consistency'] == pytest.approx(np.mean(scores))

    rows = list(csv.DictReader((folders / 'report/video.csv').open()))
    assert len(rows) == 2 * (2 + 3)
    page = (folders / 'report/video.html').read_text()
    assert page.count('data:image/jpeg') == 2 * 2 * 3
    assert 'data:image/svg' in page


def test_worst_pairs_come_first(folders):
    videos = Videos(folders / 'img_dir/val', {'wrong': folders / 'wrong'}, 4)
    found = videos.score(pictures=2)['wrong']
    assert {pair.names for pair in found.worst} == {('b_0001', 'b_0002'), ('b_0002', 'b_0003')}
    assert found.worst[0].perceptual <= found.worst[1].perceptual
    assert found.worst[0].labels[0].shape == (48, 64)
    assert len(found.worst[0].labels) == 3


def test_what_cannot_be_measured_is_said(folders, capsys):
    assert command(folders, '--pattern', 'x') != 0
    assert 'pattern' in capsys.readouterr().err
    (folders / 'wrong/b_0003.png').unlink()
    assert command(folders) != 0
    assert 'b_0003' in capsys.readouterr().err
    (folders / 'alone').mkdir()
    cv2.imwrite(str(folders / 'alone/1.png'), np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ValueError, match='two frames or more'):
        Videos(folders / 'alone', {'wrong': folders / 'wrong'}, 4)


def test_a_pair_around_missing_frames_is_left_out(folders, capsys):
    def pairs(name):
        return json.loads((folders / 'report/video.json').read_text())[name]['pairs']['b']

    assert command(folders) == 0
    whole = pairs('after')
    assert 'note' not in capsys.readouterr().err
    write_videos(folders, {'a': 3, 'b': 4, 'c': 6})  # c: as many steps of 1 as it takes
    for name in ('c_0002', 'c_0003'):
        (folders / f'img_dir/val/{name}.png').unlink()
    for path in (folders / 'ann_dir/val').glob('c_*.png'):
        cv2.imwrite(str(folders / 'wrong' / path.name), cv2.imread(str(path), -1))
    assert command(folders) == 0
    assert 'note: pairs of frames around missing ones, left out: 1' in capsys.readouterr().err
    assert pairs('after') == whole
    content = json.loads((folders / 'report/video.json').read_text())
    names = [pair[:2] for pair in content['after']['pairs']['c']]
    assert names == [['c_0000', 'c_0001'], ['c_0004', 'c_0005']]


def test_wrong_frames_are_named(folders, capsys):
    path = folders / 'img_dir/val/b_0001.png'
    image = cv2.imread(str(path))
    for kind in ('img_dir/val', 'ann_dir/val', 'wrong'):
        name = str(folders / kind / path.name)
        cv2.imwrite(name, cv2.imread(name, -1)[:40])
    assert command(folders) == 1
    text = capsys.readouterr().err
    assert 'b_0001.png: (40, 64), the frame before is (48, 64)' in text
    assert 'of one size' in text
    cv2.imwrite(str(path), image)
    assert command(folders) == 1
    assert 'b_0001.png: (40, 64), its frame is (48, 64)' in capsys.readouterr().err
    path.write_bytes(b'no image')
    assert command(folders) == 1
    assert 'b_0001.png is not an image' in capsys.readouterr().err
    path.rename(path.with_name('b_00004.png'))
    assert command(folders) == 1
    assert 'no label map for the frame' in capsys.readouterr().err


def test_masks_of_0_and_255_are_masks(folders, capsys):
    """Not pixels that are left out."""
    found = {}
    for object_ in (1, 255):
        for path in (folders / 'wrong').iterdir():
            mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) > 0
            cv2.imwrite(str(path), mask.astype(np.uint8) * object_)
        places = folders / 'wrong', folders / 'img_dir/val', '--out', folders / 'report'
        assert main(['evaluate', 'video', *map(str, places), '--pictures', '0']) == 0
        content = json.loads((folders / 'report/video.json').read_text())
        found[object_] = content['prediction']['figures']
    assert found[1] == found[255]
    assert 0 < found[1]['perceptual_consistency'] < 100
    capsys.readouterr()
    assert main(['evaluate', 'video', *map(str, places), '--dataset', 'camvid']) == 1
    assert 'all label maps hold only 0 and 255' in capsys.readouterr().err
