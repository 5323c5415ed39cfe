"""docs/add_a_method.md: the refiner made there works in all the places the page names."""

import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from doc_blocks import blocks, commands
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.runner import Runner
from mmengine.structures import PixelData

from mmrefine.registry import REFINERS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / 'docs' / 'add_a_method.md'
SIZE = (40, 56)
# A project that predicts what lies in predictions/ for the images in photos/.
YOUR_CONFIG = """
default_scope = 'mmseg'
model = dict(type='PredictionsOnDisk')
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=dict(classes=('a', 'b', 'c')),
        data_prefix=dict(img_path='photos', seg_map_path='predictions'),
        img_suffix='.png',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='IoUMetric', output_dir='saved')
work_dir = 'work'
"""


class PredictionsOnDisk(BaseModel):
    """A model without a network."""

    def __init__(self, data_preprocessor: dict | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, inputs: list, data_samples: list, mode: str) -> list:
        for sample in data_samples:
            labels = cv2.imread(sample.img_path.replace('photos', 'predictions'), 0)
            sample.pred_sem_seg = PixelData(data=torch.from_numpy(labels)[None].long())
        return data_samples


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project's folder: photographs, predictions, and the files that the page shows."""
    rng = np.random.default_rng(0)
    for name in 'ab':
        labels = np.zeros(SIZE, np.uint8)
        labels[8:30, 10:40] = 1
        labels[20:, 25:50] = 2
        noise = rng.random(SIZE) < 0.1
        labels[noise] = rng.integers(0, 3, noise.sum())
        labels[:2] = 255
        for place, array in (('photos', labels[..., None].repeat(3, 2)), ('predictions', labels)):
            (tmp_path / place).mkdir(exist_ok=True)
            assert cv2.imwrite(str(tmp_path / place / f'{name}.png'), array)
    cv2.imwrite(str(tmp_path / 'photo.jpg'), labels[..., None].repeat(3, 2))
    for block in blocks(PAGE):
        if block.text.startswith('# '):
            name = block.text.splitlines()[0].removeprefix('# ')
            (tmp_path / name).write_text(block.text)
    (tmp_path / 'your_config.py').write_text(YOUR_CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    MODELS.register_module(module=PredictionsOnDisk, force=True)
    yield tmp_path
    sys.modules.pop('my_refiners', None)
    REFINERS._module_dict.pop('MajorityRefiner', None)
    MODELS._module_dict.pop('PredictionsOnDisk', None)


@pytest.fixture
def majority(folder):
    import my_refiners

    return my_refiners.MajorityRefiner(window=7)


def read(place: str) -> np.ndarray:
    return cv2.imread(place, cv2.IMREAD_UNCHANGED)


def test_refiner_does_what_the_page_says(majority) -> None:
    labels = np.zeros((9, 12), np.uint8)
    labels[:, 6:] = 4
    labels[4, 2] = 4  # a speck
    labels[0] = 255
    kept = labels.copy()
    refined = majority.refine(np.zeros((9, 12, 3), np.uint8), labels)
    assert (labels == kept).all(), 'the given masks are not changed'
    expected = np.zeros((9, 12), np.uint8)
    expected[:, 6:] = 4
    expected[0] = 255
    assert np.array_equal(refined, expected)
    stack = np.stack([labels == 4, labels == 9])
    refined = majority.refine(np.zeros((9, 12, 3), np.uint8), stack)
    assert refined.dtype == np.bool_
    assert np.array_equal(refined[0, 4:], (expected == 4)[4:]), 'in stacks nothing is ignored'
    assert not refined[1].any()
    empty = majority.refine(np.zeros((9, 12, 3), np.uint8), np.zeros((0, 9, 12), bool))
    assert empty.shape == (0, 9, 12)


def test_far_pixels_stay(majority) -> None:
    labels = read('predictions/a.png')
    other = type(majority)(window=7, width=1)
    refined = other.refine('photos/a.png', labels)
    near = cv2.dilate((cv2.Laplacian(labels.astype(np.float32), -1) != 0).astype(np.uint8), None)
    assert (refined != labels).any()
    assert not ((refined != labels) & (near == 0)).any()


def test_from_python(folder, majority) -> None:
    (text,) = [b.text for b in blocks(PAGE) if b.text.startswith('import my_refiners')]
    names = dict(label_map=read('predictions/b.png'))
    exec(text, names)
    expected = majority.refine('photo.jpg', names['label_map'])
    assert np.array_equal(names['refined'], expected)
    assert np.array_equal(names['result']['predictions'], expected)


def test_from_the_shell(folder, majority, monkeypatch) -> None:
    (command,) = commands(PAGE)
    assert command.environment == {'PYTHONPATH': '.'}
    assert command.words[0] == 'python'
    monkeypatch.setattr(sys, 'argv', command.words[1:])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / command.words[1]), run_name='__main__')
    assert not ended.value.code
    for name in ('a.png', 'b.png'):
        expected = majority.refine(f'photos/{name}', read(f'predictions/{name}'))
        assert np.array_equal(read(f'refined/{name}'), expected)
        assert (expected != read(f'predictions/{name}')).any()


def test_behind_a_model(folder, majority) -> None:
    cfg = Config.fromfile('majority_hook.py')
    Runner.from_cfg(cfg).test()
    for name in ('a.png', 'b.png'):
        expected = majority.refine(f'photos/{name}', read(f'predictions/{name}'))
        assert np.array_equal(read(f'saved/{name}'), expected)
