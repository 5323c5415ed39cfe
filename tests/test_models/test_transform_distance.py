"""Sizes of transforms, against the published formulas taken literally."""

import math

import pytest
import torch

from mmrefine.models.losses.transform_distance import (
    euclidean_distance,
    geodesic_distance,
    nearest_rotation,
)
from mmrefine.ops import transform_matrix

COUNTS = (4, 6, 8)


def draw(count: int, number: int = 5) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    return 2 * torch.rand(number, count, generator=generator, dtype=torch.float64) - 1


@pytest.mark.parametrize('count', COUNTS)
def test_geodesic_distance_is_the_published_formula(count):
    parameters = draw(count)
    for values, found in zip(parameters, geodesic_distance(parameters), strict=True):
        matrix = transform_matrix(values[None])[0]
        u, _, v = torch.linalg.svd(matrix)
        sign = torch.diag(torch.tensor([1, 1, torch.linalg.det(u @ v)], dtype=torch.float64))
        rotation = u @ sign @ v
        rest = matrix - rotation
        angle = math.acos(min(1.0, (rotation.trace().item() - 1) / 2))
        expected = angle + 0.1 * (rest.T @ rest).trace().item()
        assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize('distance', [euclidean_distance, geodesic_distance])
@pytest.mark.parametrize('count', COUNTS)
def test_identity_is_0_with_a_gradient_and_more_is_further(count, distance):
    for size in (0.0, 1e-6):
        parameters = torch.full((1, count), size, requires_grad=True)
        value = distance(parameters)
        value.sum().backward()
        assert value.item() == pytest.approx(0, abs=1e-5)
        assert parameters.grad.isfinite().all()
    direction = draw(count, 1)
    values = [distance(direction * k).item() for k in (0, 0.2, 0.5, 1)]
    assert values == sorted(values)
    assert values[1] > 0.01


@pytest.mark.parametrize('count', COUNTS)
def test_gradients(count):
    parameters = draw(count).requires_grad_()
    assert torch.autograd.gradcheck(geodesic_distance, parameters, atol=1e-5)
    assert torch.autograd.gradcheck(euclidean_distance, parameters)


def test_nearest_rotation_of_a_reflection_is_a_rotation():
    matrices = torch.randn(20, 3, 3, dtype=torch.float64).requires_grad_()
    found = nearest_rotation(matrices)
    torch.testing.assert_close(torch.linalg.det(found), torch.ones(20, dtype=torch.float64))
    torch.testing.assert_close(found @ found.mT, torch.eye(3, dtype=torch.float64).expand(20, 3, 3))
    assert (torch.linalg.det(matrices) < 0).any()
    assert torch.autograd.gradcheck(nearest_rotation, matrices, atol=1e-5)
