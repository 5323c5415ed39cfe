"""Masks of an image, each refined in its part of it: as on the whole image."""

import json

import cv2
import numpy as np
import pytest
import torch
from small_bpr import small_bpr
from small_segfix import make_lively

from mmrefine.batch.instance_files import ResultFile
from mmrefine.batch.source import RefinerSource
from mmrefine.batch.tasks import run_tasks
from mmrefine.ops.colour_odds import surroundings
from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.refiners import BPRRefiner

SIZE = (310, 420)


def discs() -> np.ndarray:
    """In the middle, over each border, in a corner, one of the whole image, none; (N, H, W)."""
    masks = np.zeros((8, *SIZE), np.uint8)
    places = [(150, 200, 30), (0, 100, 25), (309, 300, 25), (100, 0, 20), (200, 419, 20)]
    for mask, (y, x, radius) in zip(masks, [*places, (5, 415, 40)], strict=False):
        cv2.circle(mask, (x, y), radius, 1, -1)
    masks[6] = 1
    return masks


@pytest.mark.parametrize('sizes', [(16,), (24, 16)])
def test_parts_are_refined_as_on_the_whole_image(tmp_path, sizes):
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (*SIZE, 3), np.uint8), (9, 9), 3)
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    network = make_lively(small_bpr(), seed=3)
    refiner = BPRRefiner(network, device='cpu', patch_size=sizes, batch_size=16)
    masks = discs()
    expected = refiner.refine(image, masks)
    assert (expected != masks).any((1, 2)).sum() >= 4
    results = [
        dict(image_id='a', category_id=1, score=1.0, segmentation=encode_mask(mask))
        for mask in masks
    ]
    (tmp_path / 'r.json').write_text(json.dumps(results))
    work = ResultFile(tmp_path / 'a.png', tmp_path / 'r.json', None, tmp_path / 'out.json')
    report = run_tasks(work.tasks, RefinerSource(refiner))
    notes = work.finish().notes
    assert report.ok
    assert report.changed == np.count_nonzero(expected != masks)
    assert report.pixels == np.count_nonzero(masks)
    assert len(notes) == 1
    assert 'entry 7: the mask is all zero' in notes[0]
    for entry, mask in zip(json.loads((tmp_path / 'out.json').read_text()), expected, strict=True):
        np.testing.assert_array_equal(decode_mask(entry['segmentation'], SIZE), mask)


def test_nothing_beyond_its_reach_changes_a_mask():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (400, 460, 3), np.uint8)
    refiner = BPRRefiner(make_lively(small_bpr()), device='cpu', patch_size=16)
    mask = np.zeros((400, 460), bool)
    mask[180:200, 210:240] = True
    window = surroundings(mask, refiner.reach)
    assert mask[window].shape < mask.shape
    other = 255 - image
    other[window] = image[window]
    torch.manual_seed(0)
    found = refiner.refine(image, mask[None])
    np.testing.assert_array_equal(refiner.refine(other, mask[None]), found)
    assert (found[0] != mask).any()
