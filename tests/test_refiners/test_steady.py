"""Videos refined steadily, and what refiners find before their threshold."""

import numpy as np
import pytest
from moving_scene import moving_scene
from small_bpr import small_bpr
from small_segfix import small_segfix

from mmrefine.ops.vanished import keep_vanished
from mmrefine.refiners import BPRRefiner, Refiner, SegFixRefiner
from mmrefine.refiners.steady import refine_video

SIZE = (48, 64)


class Noisy(Refiner):
    """Finds what it is given, but is unsure near it, otherwise in every frame."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.seen = 0

    def refine(self, image, masks):
        raise AssertionError

    def soft_masks(self, image, masks):
        self.seen += 1
        noise = self.rng.normal(0, 0.3, masks.shape)
        return (0.5 + (masks != 0) * 0.4 - 0.2 + noise).clip(0, 1).astype(np.float32)


def masks_at_random(seed, number=3):
    rng = np.random.default_rng(seed)
    coarse = rng.random((number, SIZE[0] // 8, SIZE[1] // 8)) < 0.4
    return np.kron(coarse, np.ones((8, 8), bool))


@pytest.mark.parametrize('gain', [0.0, 0.3])
def test_soft_masks_of_bpr_decide_as_it_does(gain):
    refiner = BPRRefiner(small_bpr(), device='cpu', min_score_gain=gain)
    image, masks = moving_scene(1)[0][0], masks_at_random(0)
    soft = refiner.soft_masks(image, masks)
    assert soft.dtype == np.float32
    assert ((soft > 0) & (soft < 1)).any()
    np.testing.assert_array_equal(keep_vanished(masks, soft > 0.5), refiner.refine(image, masks))


@pytest.mark.parametrize('confidence', [0, 0.3, 0.5, 0.6])
def test_soft_masks_of_segfix_decide_as_it_does(confidence):
    refiner = SegFixRefiner(small_segfix(), device='cpu', min_confidence=confidence)
    image, masks = moving_scene(1)[0][0], masks_at_random(1)
    soft = refiner.soft_masks(image, masks)
    assert soft.shape == masks.shape
    np.testing.assert_array_equal(soft > 0.5, refiner.refine(image, masks))
    assert ((soft > 0) & (soft < 1)).any() == (confidence > 0)


def test_reach_0_is_frame_by_frame():
    refiner = BPRRefiner(small_bpr(), device='cpu')
    images = [image for image, _ in moving_scene(3)]
    frames = [(image, masks_at_random(k)) for k, image in enumerate(images)]
    for found, (image, masks) in zip(refine_video(refiner, frames, 0), frames, strict=True):
        np.testing.assert_array_equal(found, refiner.refine(image, masks))


@pytest.mark.parametrize('form', ['labels', 'stack'])
def test_averages_decide_better_than_single_frames(form):
    frames = moving_scene(6, seed=3)
    given = [
        (image, labels if form == 'labels' else np.stack([labels == k for k in range(4)]))
        for image, labels in frames
    ]
    wrong = []
    for reach in (0, 2):
        found = list(refine_video(Noisy(), given, reach))
        assert [f.dtype for f in found] == [m.dtype for _, m in given]
        wrong.append(np.mean([(f != m).mean() for f, (_, m) in zip(found, given, strict=True)]))
    assert 0 < wrong[1] < 0.7 * wrong[0]


@pytest.mark.parametrize('length', [0, 1, 2, 5])
@pytest.mark.parametrize('reach', [0, 1, 3])
def test_a_stream_gives_each_frame_and_reads_few_ahead(length, reach):
    refiner, read = Noisy(), []

    def frames():
        for k, pair in enumerate(moving_scene(length)):
            read.append(k)
            yield pair

    given = []
    for found in refine_video(refiner, frames(), reach):
        given.append(found)
        assert len(read) <= len(given) + reach
    assert len(given) == refiner.seen == length


def test_ignored_pixels_stay_and_nothing_vanishes():
    image, labels = moving_scene(1)[0]
    labels[:5], labels[20, 30] = 255, 9

    class Nothing(Refiner):
        def refine(self, image, masks):
            raise AssertionError

        def soft_masks(self, image, masks):
            return np.stack([np.full(SIZE, 0.9 if m[30, 5] else 0.1) for m in masks])

    (found,) = refine_video(Nothing(), [(image, labels)])
    assert (found[:5] == 255).all()
    assert set(np.unique(found)) == set(np.unique(labels))
    (empty,) = refine_video(Noisy(), [(image, np.full(SIZE, 255, np.uint8))])
    assert (empty == 255).all()
    (none,) = refine_video(Noisy(), [(image, np.zeros((0, *SIZE), bool))])
    assert none.shape == (0, *SIZE)


def test_wrong_input_is_named():
    frames = moving_scene(2)
    with pytest.raises(ValueError, match='reach'):
        list(refine_video(Noisy(), frames, -1))
    with pytest.raises(ValueError, match='of one size'):
        list(refine_video(Noisy(), [frames[0], tuple(a[:40] for a in frames[1])]))
    with pytest.raises(ValueError, match='stack'):
        BPRRefiner(small_bpr(), device='cpu').soft_masks(*frames[0])
