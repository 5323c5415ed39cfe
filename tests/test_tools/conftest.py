"""A folder of images and label maps, a network, and the tools called as users call them."""

import runpy
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from label_drawing import random_labels
from PIL import Image
from small_bpr import bpr_config, lively_bpr
from small_segfix import segfix_config, small_segfix

TOOLS = Path(__file__).parents[2] / 'tools'
COLOURS = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]


@dataclass
class Outcome:
    """How a tool ended and what it said."""

    status: int
    out: str
    err: str


@pytest.fixture
def run_tool(monkeypatch, capsys):
    """Run a script of ``tools/`` in this process; ``Outcome`` of it."""

    def run(name: str, *args: object) -> Outcome:
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(TOOLS / name), run_name='__main__')
        captured = capsys.readouterr()
        assert 'Traceback' not in captured.err
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory) -> Path:
    """Return a self-contained checkpoint; its weights are random and move many labels."""
    path = tmp_path_factory.mktemp('checkpoint') / 'small.pth'
    content = {'state_dict': small_segfix().state_dict(), 'meta': {'model': segfix_config()}}
    torch.save(content, path)
    return path


@pytest.fixture(scope='session')
def bpr_checkpoint(tmp_path_factory) -> Path:
    """Return a self-contained checkpoint of BPR; its weights are random and move boundaries."""
    path = tmp_path_factory.mktemp('checkpoint') / 'small_bpr.pth'
    content = {'state_dict': lively_bpr().state_dict(), 'meta': {'model': bpr_config()}}
    torch.save(content, path)
    return path


@pytest.fixture
def folders(tmp_path) -> Path:
    """Return a folder with ``images`` and ``masks`` in every form, no two of one size."""
    rng = np.random.default_rng(0)
    for index, name in enumerate(['a', 'x/b', 'x/c', 'd']):
        height, width = 40 + 4 * index, 57 - 3 * index
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        labels = random_labels(index, height, width)
        for kind in ('images', 'masks'):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / 'images' / f'{name}.jpg'), image)
        mask = tmp_path / 'masks' / name
        if name == 'a':
            picture = Image.fromarray(labels)
            picture.putpalette(COLOURS)
            picture.save(mask.with_suffix('.png'))
        elif name == 'x/b':
            Image.fromarray(labels).save(mask.with_suffix('.png'))
        elif name == 'x/c':
            Image.fromarray(labels.astype(np.uint16) * 200).save(mask.with_suffix('.png'))
        else:
            np.save(mask.with_suffix('.npy'), labels.astype(np.int32) - 1)
    return tmp_path
