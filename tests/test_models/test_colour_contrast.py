"""Colour contrast against the sums written out, and on pictures with a known answer."""

import numpy as np
import pytest
import torch

from mmrefine.models.data_preprocessors import PatchDataPreProcessor
from mmrefine.models.data_preprocessors.colour_contrast import (
    LEAST_VARIANCE,
    LEAST_WEIGHT,
    SOFTNESS,
    colour_contrast,
)


def plain_contrast(image: np.ndarray, mask: np.ndarray, radius: int, margin: int) -> np.ndarray:
    """One image (3, H, W): the weighted mean and variance of each side, pixel by pixel."""
    red, green, blue = image
    colours = np.stack([image.mean(0), red - green, (red + green) / 2 - blue])
    height, width = mask.shape
    triangle = np.convolve(*[np.full(2 * radius + 1, 1 / (2 * radius + 1))] * 2)
    reach = 2 * radius
    scores, weights = [], []
    for side in (mask, 1 - mask):
        sure = np.zeros((height, width))
        for y, x in np.ndindex(height, width):
            near = side[max(y - margin, 0) : y + margin + 1, max(x - margin, 0) : x + margin + 1]
            sure[y, x] = near.min()
        score, weight = np.zeros((2, height, width))
        for y, x in np.ndindex(height, width):
            rows = np.arange(max(y - reach, 0), min(y + reach + 1, height))
            columns = np.arange(max(x - reach, 0), min(x + reach + 1, width))
            share = triangle[rows - y + reach][:, None] * triangle[columns - x + reach]
            share = share * sure[np.ix_(rows, columns)]
            weight[y, x] = share.sum()
            around = colours[:, rows][:, :, columns]
            mean = (share * around).sum((1, 2)) / (share.sum() + 1e-6)
            square = (share * around**2).sum((1, 2)) / (share.sum() + 1e-6)
            variance = np.maximum(square - mean**2, 0) + LEAST_VARIANCE
            distance = (colours[:, y, x] - mean) ** 2 / variance
            score[y, x] = -0.5 * (distance + np.log(variance)).sum()
        scores.append(score)
        weights.append(weight)
    both = weights[0] * weights[1]
    return np.tanh((scores[0] - scores[1]) / SOFTNESS) * both / (both + LEAST_WEIGHT)


@pytest.mark.parametrize(('radius', 'margin'), [(1, 0), (2, 1), (5, 2)])
def test_equals_the_sums_written_out(radius, margin):
    """A full window is the convolution of two boxes; cut off at the border, it is nearly so."""
    rng = np.random.default_rng(radius)
    image = rng.normal(size=(3, 24, 31)).astype(np.float32)
    blocks = (rng.random((6, 8)) < 0.5).astype(np.float32)
    mask = np.kron(blocks, np.ones((4, 4), np.float32))[:, :31]
    ours = colour_contrast(
        torch.from_numpy(image)[None], torch.from_numpy(mask)[None], [radius], margin
    )[0, 0].numpy()
    inner = np.s_[2 * radius : 24 - 2 * radius, 2 * radius : 31 - 2 * radius]
    expected = plain_contrast(image.astype(float), mask.astype(float), radius, margin)
    np.testing.assert_allclose(ours[inner], expected[inner], atol=2e-3)


def test_tells_the_object_from_the_background_where_the_mask_is_wrong():
    truth = torch.zeros(30, 40)
    truth[:, :18] = 1
    image = torch.stack([truth * 2 - 1, 1 - 2 * truth, truth * 0])[None]
    coarse = torch.zeros(1, 30, 40)
    coarse[..., :22] = 1  # four columns too many
    contrast = colour_contrast(image, coarse, [8])[0, 0]
    assert (contrast[:, 8:18] > 0.5).all()
    assert (contrast[:, 18:30] < -0.5).all()


def test_says_nothing_where_one_side_is_missing():
    image = torch.randn(2, 3, 20, 26)
    masks = torch.stack([torch.zeros(20, 26), torch.ones(20, 26)])
    assert colour_contrast(image, masks, [4]).abs().max() == 0
    half = torch.zeros(1, 20, 200)
    half[..., :20] = 1
    far = colour_contrast(torch.randn(1, 3, 20, 200), half, [4])[..., 60:]
    assert far.abs().max() == 0


def test_patches_do_not_depend_on_their_batch():
    images, masks = torch.randn(5, 3, 16, 22), (torch.rand(5, 16, 22) < 0.5).float()
    together = colour_contrast(images, masks, [3, 5])
    for i in range(5):
        assert torch.allclose(
            together[i : i + 1], colour_contrast(images[i:][:1], masks[i:][:1], [3, 5])
        )


def test_preprocessor_appends_a_channel_for_each_radius():
    preprocessor = PatchDataPreProcessor(contrast_radii=(3, 6))
    images = torch.randint(0, 256, (2, 3, 16, 22), dtype=torch.uint8)
    masks = (torch.rand(2, 16, 22) < 0.5).to(torch.uint8)
    inputs = preprocessor.assemble(images, masks)
    assert inputs.shape[1] == preprocessor.num_channels == 6
    plain = PatchDataPreProcessor().assemble(images, masks)
    assert torch.equal(inputs[:, :4], plain)
    for channel, radius in ((4, 3), (5, 6)):
        expected = colour_contrast(plain[:, :3], masks.float(), [radius])[:, 0]
        assert torch.allclose(inputs[:, channel], expected)
