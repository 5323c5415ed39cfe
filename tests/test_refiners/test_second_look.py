"""Masks that are off all around, before networks that see the truth in a part of the image."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_bpr import knowing_bpr

from mmrefine.refiners import BPRRefiner, second_look

SIZE = (96, 130)
UNSEEN = 128


def see(inputs):
    """The truth where it is seen, else the coarse mask; off where what is seen differs nearby."""
    shown = (inputs[:, 0] * 58.395 + 123.675) / 255
    coarse = (inputs[:, 3] + 1) / 2
    is_seen = (shown - 0.5).abs() > 0.25
    found = torch.where(is_seen, shown, 0.2 + 0.6 * coarse)
    wrong = (is_seen & ((shown > 0.5) != (coarse > 0.5))).float()
    off = F.max_pool2d(wrong, 9, 1, 4).clamp(0.1, 0.9)
    return torch.stack([found, off], dim=1)


def refiner(answer=see, **options):
    test_cfg = dict(mode='whole', patch_size=16, padding=0, input_size=32, iou_threshold=0.4)
    test_cfg['leave_alone'] = dict(change=1.0, here=0.0, whole=0.5, bias=0.0)
    return BPRRefiner(knowing_bpr(answer, test_cfg=test_cfg), device='cpu', **options)


@pytest.fixture
def truth():
    drawn = np.zeros(SIZE, np.uint8)
    cv2.ellipse(drawn, (64, 46), (38, 26), 15, 0, 360, 1, -1)
    return drawn > 0


@pytest.fixture
def image(truth):
    """Red where the object is; of the lowest third, nothing is seen."""
    shown = np.zeros((*SIZE, 3), np.uint8)
    shown[..., 2] = truth * 255
    shown[55:] = UNSEEN
    return shown


def iou(one, other):
    one, other = one[55:], other[55:]
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize('shift', [(0, 3), (0, -2)])
def test_what_is_not_seen_follows_what_is(truth, image, shift):
    coarse = np.roll(truth, shift, (0, 1))
    once = refiner(second_look=False).refine(image, coarse[None])[0]
    twice = refiner().refine(image, coarse[None])[0]
    assert iou(once, truth) < iou(coarse, truth) + 0.03
    assert iou(twice, truth) > 0.96


def test_label_maps(truth, image):
    coarse = np.roll(truth, 3, 1)
    refined = refiner().refine(image, np.where(coarse, 7, 2).astype(np.uint8))
    assert iou(refined == 7, truth) > 0.96
    assert set(np.unique(refined)) == {2, 7}


def test_the_coarse_mask_is_what_is_called_off(truth, image):
    coarse = np.roll(truth, 3, 1)
    found = refiner().refine(image, coarse[None], return_confidence=True)
    assert found.objects[0].off > 0.5
    assert found.objects[0].changed == (found.masks[0] != coarse).sum()
    assert found.confidence[0][found.masks[0] != coarse].min() >= 0.5


def test_a_move_that_is_no_better_is_not_taken(truth, image, monkeypatch):
    coarse = np.roll(truth, 3, 1)
    once = refiner(second_look=False).refine(image, coarse[None])
    monkeypatch.setattr(second_look, 'FARTHER', -1.0)  # to the wrong side
    np.testing.assert_array_equal(refiner().refine(image, coarse[None]), once)


def test_masks_that_are_right_are_looked_at_once(truth, image):
    one, two = refiner(), refiner(second_look=False)
    for masks in (truth[None], np.zeros((1, *SIZE), bool), np.ones((1, *SIZE), bool)):
        np.testing.assert_array_equal(one.refine(image, masks), masks)
        two.refine(image, masks)
    assert one.model.batches == two.model.batches


def test_many_images_as_one_by_one(truth, image):
    coarse = [np.roll(truth, (0, k), (0, 1)) for k in (3, 0, -3)]
    pairs = [(image, np.stack(coarse)), (image[:, ::-1], truth[None, :, ::-1]), (image, coarse[2])]
    shared = refiner(batch_size=7)
    for found, pair in zip(shared.refine_each(pairs), pairs, strict=True):
        np.testing.assert_array_equal(found, refiner().refine(*pair))


def test_second_looks_wait_for_no_other_image(truth, image):
    read = []

    def pairs():
        for k in range(30):
            read.append(k)
            yield image, np.roll(truth, 3, 1)[None] if k == 0 else truth[None]

    done = refiner().refine_each(pairs())
    next(done)
    assert len(read) < 8
