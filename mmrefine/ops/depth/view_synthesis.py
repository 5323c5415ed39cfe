"""One frame as seen from the camera of another: how depth and motion are learned from video.

Shapes: N = batch, C = channels, H, W = rows and columns. A pixel's coordinates are (x, y), column
first, whole numbers at pixel centres. Camera axes are x to the right, y down, z forward; depth is
the coordinate along z, in any unit. Intrinsics are (N, 3, 3), in pixels. A motion is (N, 4, 4) and
takes a point from the axes of one camera to those of another.

The equations are those of Zhou et al. (CVPR 2017, Section 3.1) and Monodepth2 (ICCV 2019,
Section 3.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NEAR = 1e-3  # what lies closer to the camera plane, or behind it, counts as this far in front


def disparity_to_depth(disparity: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """A network's answer between 0 and 1, linear in inverse depth → depth.

    Args:
        disparity: Any shape; 0 is ``max_depth``, 1 is ``min_depth``.
        min_depth: Least depth, positive.
        max_depth: Greatest depth.
    """
    far, near = 1 / max_depth, 1 / min_depth
    return 1 / (far + (near - far) * disparity)


def motion_matrix(rotation: Tensor, translation: Tensor) -> Tensor:
    """Rotation vector and translation → motion.

    Args:
        rotation: (N, 3), axis times angle in radians.
        translation: (N, 3), in units of depth; added after the rotation.

    Returns:
        (N, 4, 4).
    """
    x, y, z = rotation.unbind(1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    upper = torch.cat([torch.linalg.matrix_exp(skew), translation[:, :, None]], 2)
    last = upper.new_tensor([0, 0, 0, 1]).expand(len(upper), 1, 4)
    return torch.cat([upper, last], 1)


def inverse_motion(motion: Tensor) -> Tensor:
    """The way back: (N, 4, 4) → (N, 4, 4), exact for rotation and translation."""
    back = motion[:, :3, :3].transpose(1, 2)
    upper = torch.cat([back, -back @ motion[:, :3, 3:]], 2)
    return torch.cat([upper, motion[:, 3:]], 1)


def backproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Depth (N, 1, H, W) → the points that the pixels show, (N, 3, H, W)."""
    count, _, height, width = depth.shape
    rows, columns = torch.meshgrid(
        torch.arange(height, device=depth.device),
        torch.arange(width, device=depth.device),
        indexing='ij',
    )
    pixels = torch.stack([columns, rows, torch.ones_like(rows)]).flatten(1).to(depth.dtype)
    rays = torch.linalg.inv(intrinsics) @ pixels
    return (depth.flatten(2) * rays).view(count, 3, height, width)


def project(points: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Where a camera sees points of its own axes.

    Args:
        points: (N, 3, H, W).
        intrinsics: (N, 3, 3).

    Returns:
        Pixel coordinates (N, 2, H, W), x first; and whether the point is in front, bool
        (N, 1, H, W).
    """
    count, _, height, width = points.shape
    seen = (intrinsics @ points.flatten(2)).view(count, 3, height, width)
    ahead = points[:, 2:]
    return seen[:, :2] / seen[:, 2:].clamp(min=NEAR), ahead > NEAR


def synthesize_view(
    source: Tensor, depth: Tensor, intrinsics: Tensor, motion: Tensor
) -> tuple[Tensor, Tensor]:
    """The target frame, put together from the pixels of a source frame.

    Args:
        source: (N, C, H, W), the frame that is looked up in, bilinearly; beyond its border the
            border goes on, as in Monodepth2.
        depth: (N, 1, H, W), depth of the target frame.
        intrinsics: (N, 3, 3), of both frames.
        motion: (N, 4, 4), from the axes of the target's camera to those of the source's.

    Returns:
        The view (N, C, H, W); and where the source shows it, bool (N, 1, H, W): in front of the
        camera and inside the image. Occlusion is not known here.
    """
    count, _, height, width = depth.shape
    points = backproject(depth, intrinsics).flatten(2)
    points = motion[:, :3, :3] @ points + motion[:, :3, 3:]
    places, ahead = project(points.view(count, 3, height, width), intrinsics)
    last = places.new_tensor([width - 1, height - 1]).clamp(min=1).view(1, 2, 1, 1)
    grid = (2 * places / last - 1).permute(0, 2, 3, 1)
    # Pixel centres are whole numbers, the first and last of them -1 and 1: align_corners.
    view = F.grid_sample(source, grid, padding_mode='border', align_corners=True)
    inside = (grid.abs() <= 1).all(-1)[:, None]
    return view, ahead & inside
