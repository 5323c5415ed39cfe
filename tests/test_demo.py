"""The demo of the README, run as ``make demo`` runs it."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image


def test_demo_refines_the_photograph(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, 'demo/run_demo.py', '--out', str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    coarse, refined, labels = (
        read(path)
        for path in (
            ROOT / 'demo/coarse/coffee.png',
            tmp_path / 'coffee_refined.png',
            ROOT / 'demo/labels/coffee.png',
        )
    )
    assert refined.shape == coarse.shape == labels.shape
    assert (refined == labels).mean() > (coarse == labels).mean()
    assert read(tmp_path / 'coffee.png').ndim == 3
