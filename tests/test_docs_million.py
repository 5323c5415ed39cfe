"""The example of docs/million.md, run as it stands there, on a local cluster."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from doc_blocks import blocks

from mmrefine.apis import build_refiner

ROOT = Path(__file__).parents[1]
SIZE = (60, 84)


def cut(name: str, left: int) -> np.ndarray:
    array = cv2.imread(str(ROOT / 'demo' / name), cv2.IMREAD_UNCHANGED)
    return array[60 : 60 + SIZE[0], left : left + SIZE[1]]


@pytest.mark.slow
def test_dask_refines_each_image_once(tmp_path, run_fresh):
    pytest.importorskip('dask.distributed')
    (text,) = [
        b.text
        for b in blocks(ROOT / 'docs/million.md')
        if 'dask' in b.text and b.language == 'python'
    ]
    script = tmp_path / 'refine_with_dask.py'
    script.write_text(text.replace('AT_A_TIME = 100', 'AT_A_TIME = 2'))
    for folder in ('photos', 'predictions', 'refined'):
        (tmp_path / folder).mkdir()
    names = 'abcde'
    for left, name in enumerate(names, 180):
        image = cut('images/coffee.png', left)
        cv2.imwrite(str(tmp_path / f'photos/{name}.jpg'), image)
        cv2.imwrite(str(tmp_path / f'predictions/{name}.png'), cut('coarse/coffee.png', left))
    there = b'is there already'
    (tmp_path / 'refined/c.png').write_bytes(there)
    done = run_fresh(str(script), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'refined 4 of 4' in done.stdout
    refiner, changed = build_refiner('segfix', device='cpu'), 0
    for name in names.replace('c', ''):
        coarse = cv2.imread(str(tmp_path / f'predictions/{name}.png'), cv2.IMREAD_UNCHANGED)
        found = cv2.imread(str(tmp_path / f'refined/{name}.png'), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(found, refiner.refine(tmp_path / f'photos/{name}.jpg', coarse))
        changed += np.count_nonzero(found != coarse)
    assert changed
    assert (tmp_path / 'refined/c.png').read_bytes() == there
