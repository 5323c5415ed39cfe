"""Mistakes that need no network are told at once; the next step is named."""

import json
import socket

import cv2
import numpy as np
import pytest

from mmrefine.cli import main
from mmrefine.ops.run_lengths import encode_mask

# What they cost, and what is imported for them.
ASK = """
import resource, sys
from mmrefine.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
used = resource.getrusage(resource.RUSAGE_SELF)
heavy = [name for name in ('torch', 'mmengine', 'mmseg') if name in sys.modules]
print(status, used.ru_utime + used.ru_stime, heavy, file=sys.stderr)
"""
REFINE = ('refine', 'label-maps')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('mistakes')
    photo = np.random.default_rng(0).integers(0, 255, (40, 56, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / 'photo.jpg'), photo)
    cv2.imwrite(str(folder / 'mask.png'), np.eye(40, 56, dtype=np.uint8))
    cv2.imwrite(str(folder / 'small.png'), np.eye(20, 28, dtype=np.uint8))
    (folder / 'config.py').write_text('')
    (folder / 'page.pth').write_text('<!DOCTYPE html>')
    mask = encode_mask(np.ones((20, 28), bool))
    (folder / 'r.json').write_text(json.dumps([dict(image_id='photo', segmentation=mask)]))
    return folder


@pytest.mark.parametrize(
    ('words', 'text'),
    [
        ((*REFINE, 'photo.jpg', 'small.png', 'o.png'), '40x56 (height x width), got 20x28'),
        ((*REFINE, 'mask.png', 'photo.jpg', 'o.png'), 'are they swapped?'),
        ((*REFINE, 'photo.jpg', 'lost.png', 'o.png'), 'lost.png: no such file or folder'),
        (('refine', 'coco', 'photo.jpg', 'r.json', 'o.json'), 'got 20x28; --resize-masks'),
        (
            (*REFINE, 'photo.jpg', 'mask.png', 'o.png', '--checkpoint', 'page.pth'),
            'page.pth is not a torch checkpoint',
        ),
        (('train', 'lost.py'), 'lost.py is none'),
        (('test', 'lost.py', 'page.pth'), 'lost.py is none'),
        (('test', 'config.py', 'page.pth'), 'page.pth is not a torch checkpoint'),
        (('app', '--checkpoint', 'page.pth'), 'page.pth is not a torch checkpoint'),
        (('refine', 'label-map', 'photo.jpg', 'mask.png'), 'did you mean label-maps?'),
        (('evaluate', 'label-map', 'mask.png', 'mask.png'), 'did you mean label-maps?'),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_mistake_is_told_at_once(words, text, folder, run_fresh):
    done = run_fresh('-c', ASK, *words, cwd=folder)
    *message, last = done.stderr.splitlines()
    status, seconds, heavy = last.split(maxsplit=2)
    assert text in '\n'.join(message)
    assert (status, heavy) == ('1', '[]')
    assert float(seconds) < 1
    assert not list(folder.glob('o.*'))


def test_a_folder_may_be_called_almost_as_a_kind(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ('label-map', 'masks'):
        (tmp_path / name).mkdir()
    assert main(['refine', 'label-map', 'masks', 'out']) == 1
    assert 'label-map: found no file' in capsys.readouterr().err


def test_a_port_in_use(capsys):
    pytest.importorskip('uvicorn', reason='pip install -r requirements/app.txt')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        assert main(['app', '--port', str(port)]) == 1
    error = capsys.readouterr().err
    assert f'--port {port}: is in use' in error
    assert f'--port {port + 1}' in error
