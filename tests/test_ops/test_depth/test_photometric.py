import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity as skimage_ssim

from mmrefine.ops.depth import (
    least_error,
    photometric_error,
    roughness,
    structural_similarity,
)

GENERATOR = torch.Generator().manual_seed(0)


def images(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=GENERATOR, dtype=torch.float64)


def test_ssim_is_that_of_scikit_image():
    first, second = images(1, 1, 9, 13), images(1, 1, 9, 13)
    found = structural_similarity(first, second)[0, 0, 1:-1, 1:-1].numpy()
    _, expected = skimage_ssim(
        first[0, 0].numpy(), second[0, 0].numpy(), win_size=3, data_range=1, full=True,
        use_sample_covariance=False,
    )  # fmt: skip
    np.testing.assert_allclose(found, expected[1:-1, 1:-1], atol=1e-9)
    torch.testing.assert_close(structural_similarity(first, first), torch.ones_like(first))


@pytest.mark.parametrize('weight', [0, 0.85, 1])
def test_photometric_error_is_the_published_mix(weight):
    first, second = images(2, 3, 6, 9), images(2, 3, 6, 9)
    dissimilar = ((1 - structural_similarity(first, second)) / 2).clamp(0, 1)
    expected = weight * dissimilar + (1 - weight) * (first - second).abs()
    found = photometric_error(first, second, weight)
    torch.testing.assert_close(found, expected.mean(1, keepdim=True))
    assert not photometric_error(first, first, weight).any()


def test_least_error_and_still_pixels():
    errors = torch.tensor([[[[0.1, 0.5, 0.3]], [[0.4, 0.2, 0.3]]]])
    still = torch.tensor([[[[0.3, 0.1, 0.3]], [[0.2, 0.4, 0.9]]]])
    least, counts = least_error(errors, still)
    torch.testing.assert_close(least, torch.tensor([[[[0.1, 0.2, 0.3]]]]))
    assert counts.tolist() == [[[[True, False, False]]]]
    assert least_error(errors)[1].all()


def test_roughness_forgives_edges_of_the_image_and_any_scale():
    step = torch.ones(1, 1, 6, 10, dtype=torch.float64)
    step[..., 5:] = 2
    flat, same = torch.zeros(1, 3, 6, 10).double(), step.expand(1, 3, 6, 10)
    mean = 1.5
    torch.testing.assert_close(roughness(step, flat), torch.tensor(1 / mean / 9).double())
    torch.testing.assert_close(roughness(step, same), torch.tensor(np.exp(-1) / mean / 9).double())
    torch.testing.assert_close(roughness(7 * step, flat), roughness(step, flat))
    assert roughness(torch.ones(1, 1, 6, 10), flat) == 0
    rows = step.transpose(2, 3)
    torch.testing.assert_close(roughness(rows, flat.transpose(2, 3)), roughness(step, flat))
