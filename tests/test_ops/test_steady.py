"""Averages along flow: moving scenes, cuts, and what does not fit."""

import cv2
import numpy as np
import pytest

from mmrefine.ops import average_along_flow

SIZE = (60, 90)


def scene(seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (SIZE[0] + 20, SIZE[1] + 40, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2).astype(float)
    return ((smooth - 127) * 4 + 127).clip(0, 255).astype(np.uint8)


def view(large, by):
    return np.ascontiguousarray(large[10 : 10 + SIZE[0], 20 + by : 20 + by + SIZE[1]])


def test_without_neighbours_nothing_changes():
    values = np.random.default_rng(0).random(SIZE).astype(np.float16)
    found = average_along_flow(view(scene(), 0), {'a': values}, [])
    assert found['a'].dtype == np.float32
    np.testing.assert_array_equal(found['a'], values.astype(np.float32))


def test_noise_on_a_moving_scene_averages_out():
    """The truth moves with the scene; its noise is new in every frame."""
    large, rng = scene(), np.random.default_rng(1)
    truth = cv2.GaussianBlur(rng.random(large.shape[:2], dtype=np.float32), (0, 0), 4)
    frames = [
        (view(large, by), {0: (view(truth, by) + rng.normal(0, 0.1, SIZE)).astype(np.float32)})
        for by in (0, 3, -3)
    ]
    mean = average_along_flow(*frames[0], frames[1:])[0]
    inner = slice(8, -8), slice(8, -8)
    noise = [np.std((v - view(truth, 0))[inner]) for v in (frames[0][1][0], mean)]
    # Three frames of equal weight: 1 / sqrt(3) = 0.58.
    assert noise[1] < 0.75 * noise[0]


def test_nothing_comes_over_a_cut_or_from_outside():
    large = scene()
    zeros, ones = np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)
    cut = average_along_flow(view(large, 0), {0: zeros}, [(view(scene(5), 0), {0: ones})])
    assert cut[0].mean() < 0.2  # half of it is what a neighbour counts that is trusted
    same = average_along_flow(view(large, 0), {0: zeros}, [(view(large, 0), {0: ones})])
    np.testing.assert_allclose(same[0], 0.5, atol=0.02)
    moved = average_along_flow(view(large, 0), {0: zeros}, [(view(large, 4), {0: ones})])
    assert moved[0][:, :3].mean() < 0.15  # these left the frame
    assert moved[0][8:-8, 16:-8].mean() > 0.4


def test_weight_and_missing_names():
    image = view(scene(), 0)
    zeros, ones = np.zeros(SIZE, np.float32), np.ones(SIZE, np.float32)
    heavy = average_along_flow(image, {0: zeros}, [(image, {0: ones})], weight=3)
    np.testing.assert_allclose(heavy[0], 0.75, atol=0.02)
    found = average_along_flow(image, {'a': ones}, [(image, {'b': ones})])
    np.testing.assert_allclose(found['a'], 0.5, atol=0.02)
    assert list(found) == ['a']


def test_wrong_input_is_named():
    image, ones = view(scene(), 0), np.ones(SIZE, np.float32)
    with pytest.raises(ValueError, match='of one size'):
        average_along_flow(image, {0: ones}, [(image[1:], {0: ones[1:]})])
    with pytest.raises(ValueError, match='values: 0 is'):
        average_along_flow(image, {0: ones[1:]}, [])
    with pytest.raises(ValueError, match='values: 0 is'):
        average_along_flow(image, {0: ones}, [(image, {0: ones[1:]})])
    with pytest.raises(ValueError, match='weight'):
        average_along_flow(image, {0: ones}, [], weight=-1)
