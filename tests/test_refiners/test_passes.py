"""BPR in several passes, with evidence from colours, and with how sure it is."""

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from mmrefine.models.segmentors import PatchRefiner
from mmrefine.ops.colour_odds import colour_odds
from mmrefine.refiners import BPRRefiner
from mmrefine.registry import MODELS

SIZE = (90, 130)
SETTINGS = dict(
    mode='whole',
    patch_size=(48, 32),
    padding=0,
    input_size=32,
    iou_threshold=0.25,
    leave_alone=dict(change=1.0, here=0.0, whole=2.0, bias=0.0),
)


class Knowing(PatchRefiner):
    """Sees the object in red, and how far off the coarse mask is in blue; keeps its input."""

    def predict_probabilities(self, inputs):
        self.__dict__.setdefault('seen', []).append(inputs)
        red, blue = inputs[:, 0], inputs[:, 2]
        return torch.stack([0.5 + 0.49 * red.sign(), 0.5 + 0.49 * blue], dim=1)


def knowing(**settings):
    model = MODELS.build(
        ConfigDict(
            type='mmrefine.PatchRefiner',
            data_preprocessor=dict(
                type='mmrefine.PatchDataPreProcessor', mean=[128] * 3, std=[128] * 3, with_odds=True
            ),
            backbone=dict(type='mmrefine.PatchEfficientNet', in_channels=5),
            decode_head=dict(type='mmrefine.PatchHead', align_corners=False),
            test_cfg=SETTINGS | settings,
        )
    )
    model.__class__ = Knowing
    return BPRRefiner(model.eval(), device='cpu')


def scene(off, rows=slice(20, 70), columns=slice(30, 100)):
    """Image whose red is the object and whose blue is ``off``, 0 to 1; the object's mask."""
    truth = np.zeros(SIZE, bool)
    truth[rows, columns] = True
    image = np.zeros((*SIZE, 3), np.uint8)
    image[..., 2] = truth * 255
    image[..., 0] = round(255 * off)
    return image, truth


def test_a_mask_that_is_off_is_refined_and_one_that_is_not_is_left_alone():
    for off in (0.99, 0.01):
        image, truth = scene(off)
        coarse = np.roll(truth, 4, axis=1)[None]
        refined = knowing().refine(image, coarse, return_confidence=True)
        assert (refined.masks[0] == (truth if off > 0.5 else coarse[0])).all()
        assert refined.objects[0].off == pytest.approx(off, abs=0.02)
        assert refined.objects[0].changed == np.count_nonzero(refined.masks != coarse)
        assert refined.confidence.shape == coarse.shape
        assert refined.confidence.dtype == np.float32
        assert refined.confidence.min() >= 0
        assert refined.confidence.max() <= 1
        assert refined.confidence[0, 0, 0] == 1


def test_confidence_is_that_of_the_label_that_is_given():
    image, truth = scene(0.8)
    coarse = np.roll(truth, 4, axis=1)[None]
    refined = knowing(patch_size=48).refine(image, coarse, return_confidence=True)
    # log-odds of the change, 0.99, and of the mask being off
    off = 0.5 + 0.49 * (204 - 128) / 128
    odds = np.log(0.99 / 0.01) + 2 * np.log(off / (1 - off))
    assert refined.confidence[0, 40, 31] == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-3)


def test_every_pass_starts_from_the_one_before():
    """6 px off; the second pass sees what the first has made."""
    image, truth = scene(0.99)
    coarse = np.roll(truth, 6, axis=1)[None]
    refiner = knowing()
    assert refiner.patch_sizes == (48, 32)
    assert (refiner.refine(image, coarse)[0] == truth).all()
    masks = torch.cat([inputs[:, 3] > 0 for inputs in refiner.model.seen])
    objects = torch.cat([inputs[:, 0] > 0 for inputs in refiner.model.seen])
    agreement = (masks == objects).float().mean((1, 2))
    assert agreement[0] < 0.95
    assert agreement[-1] > 0.95


def test_colour_odds_are_those_of_the_whole_image():
    image, truth = scene(0.3)
    image[:, 60:, 1] = 200
    refiner = knowing(patch_size=32)
    refiner.refine(image, truth[None])
    seen = torch.cat([inputs[:, 4] for inputs in refiner.model.seen])
    odds = (colour_odds(image, truth).astype(np.float32) - 128) / 128
    windows = {
        odds[y : y + 32, x : x + 32].tobytes()
        for y in range(SIZE[0] - 31)
        for x in range(SIZE[1] - 31)
    }
    assert len(seen) > 5
    assert all(np.ascontiguousarray(patch.numpy()).tobytes() in windows for patch in seen)


def test_label_maps_have_one_answer_a_label():
    image, truth = scene(0.99)
    labels = np.where(np.roll(truth, 3, axis=1), 7, 2).astype(np.uint8)
    labels[:5] = 255
    refined = knowing().refine(image, labels, return_confidence=True)
    assert set(refined.objects) == {2, 7}
    assert refined.masks.dtype == np.uint8
    assert (refined.masks[:5] == 255).all()
    assert refined.confidence.shape == labels.shape
    assert refined.objects[7].changed > 0


def test_empty_masks_and_bool_maps():
    image, truth = scene(0.99)
    refined = knowing().refine(image, np.zeros((2, *SIZE), bool), return_confidence=True)
    assert not refined.masks.any()
    assert {entry.off for entry in refined.objects.values()} == {None}
    one = knowing().refine(image, truth, return_confidence=True)
    assert one.masks.shape == one.confidence.shape == SIZE
    assert one.objects[0].changed == 0


def test_without_a_rule_every_change_is_believed():
    image, truth = scene(0.01)
    coarse = np.roll(truth, 4, axis=1)[None]
    for refiner in (
        knowing(leave_alone=None),
        BPRRefiner(knowing().model, device='cpu', leave_alone=False),
    ):
        assert (refiner.refine(image, coarse)[0] == truth).all()


def test_patch_sizes_are_checked():
    with pytest.raises(ValueError, match='patch_size: expected an integer'):
        BPRRefiner(knowing().model, device='cpu', patch_size=(64, 0))
