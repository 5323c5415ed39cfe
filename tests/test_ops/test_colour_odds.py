"""Colours of a whole object against those around it."""

import numpy as np

from mmrefine.ops.colour_odds import colour_odds, surroundings

RED, GREEN, BLUE = (40, 40, 200), (40, 160, 40), (190, 60, 40)


def picture(noise=6):
    """A red and green square object on blue ground, and its mask (H, W)."""
    rng = np.random.default_rng(0)
    image = np.full((120, 170, 3), BLUE, float)
    truth = np.zeros((120, 170), bool)
    truth[30:90, 50:110] = True
    image[30:90, 50:80], image[30:90, 80:110] = RED, GREEN
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8), truth


def test_a_rough_mask_tells_the_colours_apart():
    image, truth = picture()
    rough = np.roll(truth, (5, -6), axis=(0, 1))
    odds = colour_odds(image, rough)
    assert odds.dtype == np.uint8
    assert odds.shape == truth.shape
    assert odds[truth].mean() > 230
    near = np.zeros_like(truth)
    near[10:110, 20:150] = True
    assert odds[near & ~truth].mean() < 25


def test_object_and_background_are_opposites():
    image, truth = picture()
    around = surroundings(truth, 30)
    odds = colour_odds(image[around], truth[around]).astype(int)
    inverse = colour_odds(image[around], ~truth[around]).astype(int)
    assert np.abs(odds + inverse - 255).max() <= 1


def test_dark_images_have_colours_too():
    image, truth = picture(noise=0)
    odds = colour_odds(image // 8, truth)
    assert odds[truth].min() > 200
    assert odds[25:30, 50:110].max() < 50


def test_nothing_is_known_of_colours_that_are_nowhere_and_far_away():
    image, truth = picture(noise=0)
    image[60, 112] = (255, 255, 255)  # within the margin, on neither side
    odds = colour_odds(image, truth)
    assert 100 < odds[60, 112] < 156
    far = np.zeros((300, 400), bool)
    far[:120, :170] = truth
    large = np.zeros((300, 400, 3), np.uint8)
    large[:120, :170] = image
    assert (colour_odds(large, far)[90 + 48 :] == 128).all()


def test_empty_full_and_thin_masks():
    image, truth = picture()
    assert (colour_odds(image, np.zeros_like(truth)) == 128).all()
    assert colour_odds(image, np.ones_like(truth)).shape == truth.shape
    thin = np.zeros_like(truth)
    thin[:, 60:62] = True
    image[:, 60:62] = (0, 255, 255)
    assert colour_odds(image, thin)[thin].mean() > 200


def test_surroundings_end_at_the_image():
    mask = np.zeros((20, 30), bool)
    mask[0:3, 25:30] = True
    assert surroundings(mask, 4) == (slice(0, 7), slice(21, 34))
    assert mask[surroundings(mask, 4)].sum() == mask.sum()
