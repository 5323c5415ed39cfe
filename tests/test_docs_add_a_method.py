"""docs/add_a_method.md: the refiner made there works in all the places the page names."""

import os
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

from mmrefine.cli import main
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


def check_refined(majority, out: str) -> None:
    for name in ('a.png', 'b.png'):
        expected = majority.refine(f'photos/{name}', read(f'predictions/{name}'))
        assert np.array_equal(read(f'{out}/{name}'), expected)
        assert (expected != read(f'predictions/{name}')).any()


def test_from_the_shell(folder, run_fresh) -> None:
    """In a process that knows nothing of the refiner: ``mmrefine`` is not touched."""
    with_config = [c for c in commands(PAGE) if '--config' in c.words]
    assert len(with_config) == 2
    for command in with_config:
        assert command.words[0] == 'mmrefine'
        assert command.environment == {'PYTHONPATH': '.'}
        path = os.pathsep.join([str(ROOT), *command.environment.values()])
        done = run_fresh('-m', *command.words, cwd=folder, PYTHONPATH=path)
        assert done.returncode == 0, done.stderr
    from my_refiners import MajorityRefiner

    check_refined(MajorityRefiner(window=7), 'refined')
    check_refined(MajorityRefiner(window=9), 'refined_wide')


def test_its_options_in_help(folder, capsys) -> None:
    with pytest.raises(SystemExit):
        main(['refine', 'label-maps', '--config', 'majority.py', '--help'])
    text = capsys.readouterr().out
    assert 'options of majority:' in text
    assert 'side of the square that votes' in text
    assert '--min-confidence' not in text


def test_by_its_name_once_installed(folder, run_fresh) -> None:
    (toml,) = [block.text for block in blocks(PAGE) if block.language == 'toml']
    group, line = toml.splitlines()
    assert group.startswith('[project.entry-points."')
    info = folder / 'my_refiners-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: my-refiners\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        f'[{group.split(chr(34))[1]}]\n{line.replace(chr(34), "")}\n'
    )
    (command,) = [c for c in commands(PAGE) if '--method' in c.words]
    path = os.pathsep.join([str(ROOT), str(folder)])
    done = run_fresh('-m', *command.words, cwd=folder, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    from my_refiners import MajorityRefiner

    check_refined(MajorityRefiner(window=9), 'refined_by_name')


def test_behind_a_model(folder, majority) -> None:
    cfg = Config.fromfile('majority_hook.py')
    Runner.from_cfg(cfg).test()
    for name in ('a.png', 'b.png'):
        expected = majority.refine(f'photos/{name}', read(f'predictions/{name}'))
        assert np.array_equal(read(f'saved/{name}'), expected)
