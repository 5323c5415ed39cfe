"""What several test files share: fresh processes, a tiny data set, the quick part of the suite."""

import os

# Two cores are shared by data loaders and processes under test.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
# Run on OpenMMLab's original packages too, beside the tests marked `quick` themselves.
QUICK = ('test_versions.py', 'test_registry.py', 'test_layering.py', 'test_ops', 'test_measures')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the quick part of the suite."""
    for item in items:
        if item.path.relative_to(ROOT / 'tests').parts[0] in QUICK:
            item.add_marker('quick')


@pytest.fixture(scope='session')
def run_fresh() -> Callable[..., subprocess.CompletedProcess]:
    """Run Python code or a script in a process that has imported nothing yet."""

    def run(*args: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get('PYTHONPATH')]))
        return subprocess.run(
            [sys.executable, *args],
            cwd=cwd,
            env={**os.environ, 'PYTHONPATH': path, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope='session')
def camvid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder laid out like CamVid: 4 images of 48×64 to train with, 3 to validate.

    Two classes meet along a slanted line; the first rows are ignored.
    """
    folder = tmp_path_factory.mktemp('camvid')
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :64]
    for split, count in (('train', 4), ('val', 3)):
        for kind in ('img_dir', 'ann_dir'):
            (folder / kind / split).mkdir(parents=True)
        for index in range(count):
            labels = np.where(rows + columns // 2 > 30 + 4 * index, 3, 1).astype(np.uint8)
            image = labels[..., None] * 60 + rng.integers(0, 40, (48, 64, 3), dtype=np.uint8)
            labels[:3] = 255
            cv2.imwrite(str(folder / 'img_dir' / split / f'{index}.png'), image)
            cv2.imwrite(str(folder / 'ann_dir' / split / f'{index}.png'), labels)
    return folder


@pytest.fixture(scope='session')
def small_config() -> Path:
    """Return the config of the smallest network, on CamVid."""
    return ROOT / 'configs' / 'segfix' / 'segfix_hrnet2x-small_1xb8-2k_camvid-192x192.py'


@pytest.fixture(scope='session')
def small_run(camvid_folder: Path) -> Callable[[int], list[str]]:
    """Return the command-line options that make ``small_config`` run in seconds."""

    def options(iterations: int) -> list[str]:
        settings: dict[str, object] = {
            'train_cfg.max_iters': iterations,
            'train_dataloader.dataset.pipeline.3.crop_size': '(32,48)',
            'model.data_preprocessor.size': '(32,48)',
            'default_hooks.checkpoint.interval': 1,
        }
        for split in ('train', 'val', 'test'):
            settings |= {
                f'{split}_dataloader.num_workers': 0,
                f'{split}_dataloader.persistent_workers': False,
                f'{split}_dataloader.dataset.data_root': camvid_folder,
            }
        settings['train_dataloader.batch_size'] = 2
        return ['--cfg-options', *(f'{key}={value}' for key, value in settings.items())]

    return options
