"""How large a transform is: the two distances of InverseForm (arXiv 2104.02745, Section 3.2).

Legend: N transforms, P parameters (see ``mmrefine.ops.tile_transforms``).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from ...ops import transform_matrix

RESIDUAL_WEIGHT = 0.1  # of what is no rotation, as published


def euclidean_distance(parameters: Tensor) -> Tensor:
    """Norm of the parameters, (N, P) → (N,): 0 for the identity, whose parameters are 0."""
    return torch.linalg.vector_norm(parameters, dim=1)


def geodesic_distance(parameters: Tensor) -> Tensor:
    """Angle of the nearest rotation, and how far from it the matrix is; (N, P) → (N,).

    ``arccos((tr P - 1) / 2) + 0.1 tr(Rᵀ R)`` with P the rotation nearest to the matrix M and
    R = M - P. The angle is taken from its sine and cosine: the gradient of arccos is infinite at
    the identity, and that of a singular value decomposition is where singular values agree. The
    formula is the published one.
    """
    matrix = transform_matrix(parameters)
    rotation = nearest_rotation(matrix)
    axis = torch.stack(
        [rotation[:, i, j] - rotation[:, j, i] for i, j in ((2, 1), (0, 2), (1, 0))], dim=1
    )
    cosine = (rotation.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    angle = torch.atan2(torch.linalg.vector_norm(axis, dim=1) / 2, cosine)
    return angle + RESIDUAL_WEIGHT * (matrix - rotation).square().sum((1, 2))


def nearest_rotation(matrix: Tensor) -> Tensor:
    """The rotations that are nearest to matrices, (N, 3, 3) → (N, 3, 3)."""
    return _NearestRotation.apply(matrix)


class _NearestRotation(Function):
    """P = U diag(1, 1, det U Vᵀ) Vᵀ of M = U S Vᵀ.

    Its derivative has sums of singular values below the line, where that of U and V has
    differences, which are 0 at the identity.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        left, values, right = torch.linalg.svd(matrix)
        sign = torch.ones_like(values)
        sign[:, 2] = torch.linalg.det(left @ right).sign()
        left = left * sign[:, None]
        ctx.save_for_backward(left, values * sign, right)
        return left @ right

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        left, values, right = ctx.saved_tensors
        turned = left.mT @ grad_output @ right.mT
        sums = values[:, :, None] + values[:, None, :]
        return left @ ((turned - turned.mT) / sums.clamp(min=1e-3)) @ right
