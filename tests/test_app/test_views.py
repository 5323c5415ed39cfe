"""What the page draws."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmrefine.apis import build_refiner
from mmrefine.app.uploads import refine_uploads
from mmrefine.app.views import WatchingSource, outline_path
from mmrefine.batch.source import ImageFile
from mmrefine.refiners.confidence import Refined

DEMO = Path(__file__).parents[2] / 'demo'


def drawn(path: str, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Edges below and beside pixels that a path draws, one at a time."""
    height, width = size_hw
    below, beside = np.zeros((height - 1, width), int), np.zeros((height, width - 1), int)
    for x, y, kind, length in re.findall(r'M(\d+) (\d+)([hv])(\d+)', path):
        x, y, length = int(x), int(y), int(length)
        if kind == 'h':
            below[y - 1, x : x + length] += 1
        else:
            beside[y : y + length, x - 1] += 1
    return below, beside


@pytest.mark.parametrize('seed', range(5))
def test_outlines_are_the_edges_between_pixels_each_once(seed):
    labels = np.random.default_rng(seed).integers(0, 3, (7, 11))
    below, beside = drawn(outline_path(labels), labels.shape)
    assert (below == (labels[1:] != labels[:-1])).all()
    assert (beside == (labels[:, 1:] != labels[:, :-1])).all()


def test_a_drawn_outline():
    labels = np.zeros((4, 6), int)
    labels[1:3, 2:5] = 1
    assert outline_path(labels) == 'M2 1h3M2 3h3M2 1v2M5 1v2'
    assert outline_path(np.ones((4, 6), int)) == '', 'the border of the image is no edge'


def test_a_stack_is_shown_with_changes_and_doubt(tmp_path, photo, shift):
    class Sure(type(shift)):
        def refine(self, image, masks, *, return_confidence=False):
            refined = super().refine(image, masks)
            doubt = np.where(masks != refined, 0.75, 1).astype(np.float32)
            return Refined(refined, doubt, {}) if return_confidence else refined

    (tmp_path / 'a.png').write_bytes(photo)
    stack = np.zeros((2, 40, 60), np.uint8)
    stack[0, 5:10, 5:20] = stack[1, 20:30, 30:40] = 1
    source = WatchingSource(Sure(), tmp_path / 'views')
    with source.open(ImageFile(tmp_path / 'a.png', ['a'])) as opened:
        refined = opened.refine(stack)
    (view,) = source.views
    assert (view.name, view.changed, view.has_confidence) == ('a.png', 2 * (15 + 10), True)
    changed = cv2.imread(str(view.folder / 'changed.png'), cv2.IMREAD_UNCHANGED)
    added, removed = (refined & ~stack & 1).any(0), (stack & ~refined & 1).any(0)
    assert ((changed[..., 3] > 0) == (added | removed)).all()
    assert len({tuple(colour) for colour in changed[added]}) == 1
    assert tuple(changed[added][0]) != tuple(changed[removed][0])
    doubt = cv2.imread(str(view.folder / 'confidence.png'), cv2.IMREAD_UNCHANGED)[..., 3]
    assert (doubt[added] == 127).all()
    assert (doubt[~(added | removed)] == 0).all()
    outlines = json.loads((view.folder / 'outlines.json').read_text())
    assert outlines['size'] == [60, 40]
    assert outlines['after'].startswith('M5 6h15')


def test_instances_are_seen_whatever_refines_them_in_parts(tmp_path):
    """BPR takes each instance with its part of the image; the page must see the masks."""
    refiner = build_refiner('bpr', device='cpu')
    for kind, name in (('images', 'astronaut.png'), ('masks', 'astronaut.segm.json')):
        (tmp_path / kind).mkdir()
        source = DEMO / ('images' if kind == 'images' else 'coarse') / name
        shutil.copy(source, tmp_path / kind / name)
    outcome = refine_uploads(tmp_path, refiner, 10**7, lambda done, total: None)
    (view,) = outcome.views
    assert view.changed > 1000
    assert json.loads((view.folder / 'outlines.json').read_text())['before']
