"""The demo of the README, run as ``make demo`` runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from mmrefine.ops.run_lengths import decode_mask

ROOT = Path(__file__).parents[1]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


def test_demo_refines_both_photographs_with_both_methods(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, 'demo/run_demo.py', '--out', str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    results = json.loads((ROOT / 'demo/coarse/astronaut.segm.json').read_text())
    labels = read(ROOT / 'demo/labels/astronaut.png')
    masks = np.stack([decode_mask(r['segmentation'], labels.shape) for r in results])
    truths = np.stack([labels == r['category_id'] for r in results])
    coffee = read(ROOT / 'demo/coarse/coffee.png'), read(ROOT / 'demo/labels/coffee.png')
    for name, coarse, truth in (('coffee', *coffee), ('astronaut', masks, truths)):
        for method in ('segfix', 'bpr'):
            refined = np.load(tmp_path / f'{name}_{method}.npy')
            assert refined.shape == coarse.shape
            assert (refined == truth).mean() > (coarse == truth).mean(), (name, method)
            assert read(tmp_path / f'{name}_{method}.png').ndim == 3


def test_coarse_masks_are_those_that_the_script_makes(tmp_path: Path) -> None:
    code = (
        'import json, numpy as np, make_coarse as m\n'
        "print(json.dumps(m.coarse_results(m.read_labels('astronaut'), 'astronaut')))\n"
        "np.save('coffee.npy', m.coarse_label_map(m.read_labels('coffee')))\n"
    )
    run = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': f'{ROOT}:{ROOT / "demo"}'},
        capture_output=True,
        text=True,
        check=True,
    )
    expected = json.loads((ROOT / 'demo/coarse/astronaut.segm.json').read_text())
    made = json.loads(run.stdout.splitlines()[-1])
    size = read(ROOT / 'demo/labels/astronaut.png').shape
    for ours, theirs in zip(made, expected, strict=True):
        one, other = (decode_mask(entry['segmentation'], size) for entry in (ours, theirs))
        assert (one != other).mean() < 1e-3  # OpenCV's versions round differently
    coffee = np.load(tmp_path / 'coffee.npy')
    assert (coffee != read(ROOT / 'demo/coarse/coffee.png')).mean() < 1e-3
