"""A sum over strips is the sum over the whole, and so is its gradient."""

import pytest
import torch
import torch.nn.functional as F

from mmrefine.models.losses.strips import sum_of_strips

N, C, H, W = 2, 3, 11, 13


@pytest.mark.parametrize('margin', [0, 1, 3])
@pytest.mark.parametrize('strip', [1, N * W, 2 * N * W, 5 * N * W, 10**6])
def test_value_and_gradient_are_those_of_the_whole(margin, strip):
    """From one row a strip to a single strip; rows near a border count for several strips."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(N, C, H, W, generator=generator, dtype=torch.float64).requires_grad_()
    kernel = torch.randn(4, C, 2 * margin + 1, 1, generator=generator, dtype=torch.float64)
    weight = torch.rand(N, 1, H, W, generator=generator, dtype=torch.float64)
    padded = F.pad(maps, (0, 0, margin, margin), mode='replicate') if margin else maps
    expected = (F.conv2d(padded, kernel).square() * weight).sum()
    (gradient,) = torch.autograd.grad(expected, maps)

    def of_rows(piece, rows, inside):
        assert piece.shape[2] == len(rows) == inside.stop - inside.start + 2 * margin
        return (F.conv2d(piece, kernel).square() * weight[:, :, inside]).sum()

    found = sum_of_strips(of_rows, maps, margin, strip)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(3 * found, maps)[0], 3 * gradient)
