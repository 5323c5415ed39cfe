from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmrefine.ops.depth import (
    backproject,
    disparity_to_depth,
    inverse_motion,
    motion_matrix,
    project,
    synthesize_view,
)
from mmrefine.ops.depth.draw_scene import (
    CAMERA_HEIGHT,
    GROUND,
    camera_path,
    draw_scene,
    render_scene,
    scene_intrinsics,
)

SIZE = (60, 100)
RNG = np.random.default_rng(0)


def as_batch(array: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(np.atleast_3d(array).astype(np.float64))
    return tensor.permute(2, 0, 1)[None]


def motion_between(first: np.ndarray, second: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.linalg.inv(second) @ first)[None]


def test_rotation_is_that_of_scipy():
    rotation = RNG.normal(size=(4, 3))
    translation = RNG.normal(size=(4, 3))
    found = motion_matrix(torch.from_numpy(rotation), torch.from_numpy(translation)).numpy()
    np.testing.assert_allclose(found[:, :3, :3], Rotation.from_rotvec(rotation).as_matrix())
    np.testing.assert_array_equal(found[:, :3, 3], translation)
    np.testing.assert_array_equal(found[:, 3], [[0, 0, 0, 1]] * 4)


def test_inverse_is_the_way_back():
    motion = motion_matrix(*torch.from_numpy(RNG.normal(size=(2, 3, 3))))
    torch.testing.assert_close(inverse_motion(motion), torch.linalg.inv(motion))


def test_points_are_projected_to_where_they_came_from():
    depth = torch.from_numpy(RNG.uniform(1, 9, (2, 1, 5, 7)))
    intrinsics = torch.tensor([[[6.0, 0, 3], [0, 5, 2], [0, 0, 1]]] * 2, dtype=torch.float64)
    points = backproject(depth, intrinsics)
    torch.testing.assert_close(points[:, 2:], depth)
    # Column 6 of row 1: (6 - 3) / 6 to the right, (1 - 2) / 5 down.
    torch.testing.assert_close(points[0, 0, 1, 6], 0.5 * depth[0, 0, 1, 6])
    torch.testing.assert_close(points[0, 1, 1, 6], -0.2 * depth[0, 0, 1, 6])
    places, ahead = project(points, intrinsics)
    columns, rows = torch.arange(7).expand(5, 7), torch.arange(5)[:, None].expand(5, 7)
    torch.testing.assert_close(places[1], torch.stack([columns, rows]).double())
    assert ahead.all()
    assert not project(-points, intrinsics)[1].any()


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('neighbour', [0, 2])
def test_known_scene_and_pose_give_the_frame(seed, neighbour):
    """Within a steps level, where the scene is seen in both frames and no boundary is near."""
    rng = np.random.default_rng(seed)
    scene, path = draw_scene(rng), camera_path(3, rng)
    scene = replace(scene, waves=scene.waves / 5)  # nothing finer than a pixel
    frames = [render_scene(scene, pose, SIZE) for pose in path]
    (source, source_depth, _), (target, depth, _) = frames[neighbour], frames[1]
    motion = motion_between(path[1], path[neighbour])
    intrinsics = torch.from_numpy(scene_intrinsics(SIZE))[None]
    view, seen = synthesize_view(as_batch(source), as_batch(depth), intrinsics, motion)
    # What the depth of the source says about the same points: else something is in front of them.
    there, _ = synthesize_view(as_batch(source_depth), as_batch(depth), intrinsics, motion)
    points = backproject(as_batch(depth), intrinsics).flatten(2)
    expected = (motion[:, :3, :3] @ points + motion[:, :3, 3:])[:, 2].view(SIZE)
    same = (there[0, 0] / expected - 1).abs() < 0.01
    steps = cv2.morphologyEx(np.log(depth), cv2.MORPH_GRADIENT, np.ones((5, 5)))
    interior = seen[0, 0] & same & torch.from_numpy(steps < 0.2)
    assert interior.double().mean() > 0.4
    error = (view - as_batch(target)).abs().mean(1)[0]
    still = (as_batch(source) - as_batch(target)).abs().mean(1)[0]
    assert error[interior].mean() < 1
    assert error[interior].mean() < still[interior].mean() / 4


def test_no_motion_changes_nothing():
    image = torch.from_numpy(RNG.uniform(size=(1, 3, 6, 9)))
    depth = torch.from_numpy(RNG.uniform(1, 9, (1, 1, 6, 9)))
    intrinsics = torch.tensor([[[7.0, 0, 4], [0, 7, 2.5], [0, 0, 1]]], dtype=torch.float64)
    view, seen = synthesize_view(image, depth, intrinsics, torch.eye(4).double()[None])
    torch.testing.assert_close(view, image)
    assert seen.double().mean() > 0.5  # rounding may put the border a hair outside


def test_what_is_outside_or_behind_is_not_seen():
    image, depth = torch.rand(1, 3, 6, 9), torch.ones(1, 1, 6, 9)
    intrinsics = torch.tensor([[[8.0, 0, 4], [0, 8, 2.5], [0, 0, 1]]])
    motion = torch.eye(4)[None].clone()
    motion[0, 0, 3] = 0.5  # half a unit to the right: 4 columns
    view, seen = synthesize_view(image, depth, intrinsics, motion)
    assert seen[0, 0, 2].tolist() == [True] * 4 + [seen[0, 0, 2, 4].item()] + [False] * 4
    torch.testing.assert_close(view[..., :4], image[..., 4:8])
    motion[0, 2, 3] = -2
    view, seen = synthesize_view(image, depth, intrinsics, motion)
    assert not seen.any()
    assert view.isfinite().all()


def test_gradients_point_the_right_way():
    """Moving depth and motion against their gradient lowers the difference."""
    rng = np.random.default_rng(3)
    scene, path = draw_scene(rng), camera_path(2, rng)
    (target, depth, _), (source, _, _) = (render_scene(scene, pose, SIZE) for pose in path)
    intrinsics = torch.from_numpy(scene_intrinsics(SIZE))[None]
    truth = motion_between(path[0], path[1])

    def error(depth: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
        view, seen = synthesize_view(as_batch(source), depth, intrinsics, motion)
        return ((view - as_batch(target)).abs() * seen).mean()

    factor = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    error(factor * as_batch(depth), truth).backward()
    assert factor.grad > 0  # too far: less would be better
    factor = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
    error(factor * as_batch(depth), truth).backward()
    assert factor.grad < 0
    for shift in (0.05, -0.05):
        move = torch.tensor(shift, dtype=torch.float64, requires_grad=True)
        zero = torch.zeros_like(move)
        change = motion_matrix(torch.zeros(1, 3).double(), torch.stack([move, zero, zero])[None])
        error(as_batch(depth), change @ truth).backward()
        assert move.grad.sign() == np.sign(shift)


def test_disparity_ends_are_the_depths_and_the_middle_is_linear_in_inverse_depth():
    depth = disparity_to_depth(torch.tensor([0, 0.5, 1]), 0.5, 10)
    torch.testing.assert_close(depth, torch.tensor([10, 1 / 1.05, 0.5]))


def test_drawn_scene_is_where_it_should_be():
    scene = draw_scene(np.random.default_rng(5))
    image, depth, surfaces = render_scene(scene, np.eye(4), SIZE)
    assert image.shape == (*SIZE, 3)
    focal, middle = scene_intrinsics(SIZE)[1, 1:]
    rows = np.arange(SIZE[0])[:, None] + np.zeros(SIZE)
    ground = surfaces == GROUND
    assert 0.1 < ground.mean() < 0.9
    np.testing.assert_allclose(
        depth[ground], CAMERA_HEIGHT * focal / (rows[ground] - middle), rtol=1e-5
    )
    assert depth.max() <= np.float32(scene.wall_z)
    assert set(np.unique(surfaces)) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match='size_hw must be two positive'):
        render_scene(scene, np.eye(4), (0, 5))
