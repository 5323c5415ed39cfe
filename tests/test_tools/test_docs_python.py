"""Every example of docs/python.md and of the docstrings it leads to, run as it stands there."""

import doctest
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.apis import inferencer, predictions
from mmrefine.cli import main

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs' / 'python.md'
TOP, LEFT, SIZE = 40, 180, (96, 128)  # a small part of the photograph


def cut(name: str) -> np.ndarray:
    array = cv2.imread(str(ROOT / 'demo' / name), cv2.IMREAD_UNCHANGED)
    return array[TOP : TOP + SIZE[0], LEFT : LEFT + SIZE[1]].copy()


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the page speaks of: files in the working directory, and values by their names."""
    sv = pytest.importorskip('supervision')
    monkeypatch.chdir(tmp_path)
    image, labels = cut('images/coffee.png'), cut('coarse/coffee.png')
    cv2.imwrite('photo.png', image)
    for folder in ('photos', 'predictions', 'clip_labels'):
        Path(folder).mkdir()
    writer = cv2.VideoWriter('clip.mp4', cv2.VideoWriter.fourcc(*'mp4v'), 25, SIZE[::-1])
    for name in 'ab':
        cv2.imwrite(f'photos/{name}.png', image)
        for folder in ('predictions', 'clip_labels'):
            cv2.imwrite(f'{folder}/{name}.png', labels)
        writer.write(image)
    writer.release()
    masks = np.stack([labels == label for label in np.unique(labels)])
    boxes = sv.mask_to_xyxy(masks).astype(float) - 0.5
    sample = SegDataSample(pred_sem_seg=PixelData(data=torch.from_numpy(labels)[None].long()))
    return dict(
        image=image,
        label_map=labels,
        truth=cut('labels/coffee.png'),
        tensor=torch.from_numpy(labels),
        sample=sample,
        detections=sv.Detections(boxes, masks, np.linspace(0.9, 0.5, len(masks))),
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf'^```{language}\n(.*?)^```', PAGE.read_text('utf-8'), re.M | re.S)


def test_python_examples(names, capsys):
    given = {name: names[name] for name in ('detections', 'sample', 'label_map')}
    assert len(blocks('python')) == 7
    for block in blocks('python'):
        exec(block, names)
    assert type(names['refined']) is np.ndarray
    assert (names['refined'] != given['label_map']).any()
    detections = names['detections']
    assert len(detections) == len(given['detections'])
    assert (detections.confidence == given['detections'].confidence).all()
    assert (detections.xyxy != given['detections'].xyxy).any(), 'boxes follow the masks'
    assert type(names['results']['predictions'][1]) is type(detections)
    for path in (
        'picture.png',
        'directions.png',
        'refined/pred/a.png',
        'refined/pred/b.png',
        'refined/vis/a.png',
        'refined_clip/pred/b.png',
        'refined_clip/refined.mp4',
    ):
        assert Path(path).stat().st_size > 100, path


def test_shell_examples(names):
    (block,) = blocks('bash')
    lines = block.splitlines()
    assert len(lines) == 2
    for line in lines:
        program, *words = line.split()
        assert program == 'mmrefine'
        assert main(words) == 0
    assert sorted(path.name for path in Path('pictures').iterdir()) == ['a.png', 'b.png']
    assert Path('refined.mp4').stat().st_size > 1000


@pytest.mark.parametrize('module', [predictions, inferencer])
def test_docstrings(names, module):
    found = doctest.DocTestFinder().find(module, extraglobs=names)
    runner = doctest.DocTestRunner()
    for test in found:
        runner.run(test)
    assert runner.tries >= 4
    assert runner.failures == 0


def test_anchors_and_links_of_the_page():
    text = PAGE.read_text('utf-8')
    headings = {
        re.sub(r'[^a-z -]', '', line.lower()).strip().replace(' ', '-')
        for line in re.findall(r'^#+ (.*)$', text, re.M)
    }
    links = re.findall(r'\]\(([^)]+)\)', text)
    assert len(links) > 8
    for link in links:
        if link.startswith('#'):
            assert link[1:] in headings, link
        else:
            assert (PAGE.parent / link).is_file(), link
