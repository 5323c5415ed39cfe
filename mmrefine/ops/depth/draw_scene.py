"""A small ray caster: frames of drawn scenes with their true depth, surfaces and camera motion.

Shapes: H, W = rows and columns, B = boxes. Camera axes are x to the right, y down, z forward; a
scene's axes are those of a camera that looks straight ahead. Lengths are metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SURFACES = ('ground', 'wall', 'box', 'post')
GROUND, WALL, BOX, POST = range(len(SURFACES))
CAMERA_HEIGHT = 1.5
WAVES = 10  # a texture is a sum of so many waves
FINER = 3  # rays for each pixel, along each side: without, far textures would flicker


@dataclass(frozen=True, eq=False)
class Scene:
    """A ground plane, a wall at its end, and boxes and posts that stand on it.

    Attributes:
        wall_z: Where the wall is.
        corners: (B, 2, 3), least and greatest x, y, z of each box.
        kinds: (B,), ``BOX`` or ``POST``.
        colours: (B + 2, 3), BGR, 0 to 255: ground, wall, boxes.
        contrasts: (B + 2,), amplitude of each texture in grey levels.
        waves: (B + 2, WAVES, 4), wave vector in radians a metre, and phase.
    """

    wall_z: float
    corners: np.ndarray
    kinds: np.ndarray
    colours: np.ndarray
    contrasts: np.ndarray
    waves: np.ndarray


def draw_scene(rng: np.random.Generator) -> Scene:
    """Draw a scene: 3 to 6 boxes and 1 to 4 posts, each with a texture of its own."""
    boxes, posts = rng.integers(3, 7), rng.integers(1, 5)
    kinds = np.repeat([BOX, POST], [boxes, posts])
    near = rng.uniform(4, 11, len(kinds))
    side = rng.uniform(-0.55, 0.55, len(kinds)) * near
    is_box = kinds == BOX
    width = np.where(is_box, rng.uniform(0.8, 2.2, len(kinds)), rng.uniform(0.15, 0.3, len(kinds)))
    length = np.where(is_box, rng.uniform(0.8, 2.2, len(kinds)), width)
    height = np.where(is_box, rng.uniform(0.7, 2.2, len(kinds)), rng.uniform(2, 3, len(kinds)))
    low = np.stack([side - width / 2, CAMERA_HEIGHT - height, near], -1)
    high = np.stack([side + width / 2, np.full(len(kinds), CAMERA_HEIGHT), near + length], -1)
    number = len(kinds) + 2
    directions = rng.normal(size=(number, WAVES, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    lengths = np.exp(rng.uniform(np.log(1.5), np.log(14), (number, WAVES, 1)))
    phases = rng.uniform(0, 2 * np.pi, (number, WAVES, 1))
    return Scene(
        wall_z=float(rng.uniform(14, 20)),
        corners=np.stack([low, high], 1),
        kinds=kinds,
        colours=rng.uniform(60, 195, (number, 3)),
        contrasts=rng.uniform(12, 45, number),
        waves=np.concatenate([directions * lengths, phases], -1),
    )


def scene_intrinsics(size_hw: tuple[int, int]) -> np.ndarray:
    """Intrinsics (3, 3) of a camera that sees about 75 degrees across; the horizon is high up."""
    height, width = size_hw
    focal = 0.65 * width
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, 0.4 * (height - 1)], [0, 0, 1]])


def camera_path(length: int, rng: np.random.Generator) -> np.ndarray:
    """Motions (length, 4, 4) from camera to scene: to the right and ahead, never quite even."""
    poses = np.tile(np.eye(4), (length, 1, 1))
    yaw, place = 0.0, np.zeros(3)
    for pose in poses:
        cos, sin = np.cos(yaw), np.sin(yaw)
        pose[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
        pose[:3, 3] = place
        yaw += rng.uniform(-0.005, 0.005)
        place += rng.uniform((0.15, -0.02, 0), (0.3, 0.02, 0.1))
    return poses


def render_scene(
    scene: Scene, pose: np.ndarray, size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a camera sees.

    Args:
        scene: The scene.
        pose: (4, 4), motion from the camera to the scene.
        size_hw: Rows and columns.

    Returns:
        Image, BGR uint8 (H, W, 3), mean of several rays a pixel; depth, float32 (H, W), and
        surface, uint8 (H, W) as in ``SURFACES``, of the ray through the pixel's centre.

    Raises:
        ValueError: ``size_hw`` is not positive.
    """
    height, width = size_hw
    if min(size_hw) < 1:
        raise ValueError(f'size_hw must be two positive numbers, got {size_hw}')
    steps = [(np.arange(n * FINER) + 0.5) / FINER - 0.5 for n in (height, width)]
    rows, columns = np.meshgrid(*steps, indexing='ij')
    pixels = np.stack([columns, rows, np.ones_like(rows)], -1)
    rays = pixels @ np.linalg.inv(scene_intrinsics(size_hw)).T @ pose[:3, :3].T
    distance, surface = _first_hit(scene, pose[:3, 3], rays)
    points = pose[:3, 3] + distance[..., None] * rays
    fine = _texture(scene, points, surface)
    image = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    middle = (slice(FINER // 2, None, FINER),) * 2
    kinds = np.concatenate([[GROUND, WALL], scene.kinds]).astype(np.uint8)
    return (
        image.round().astype(np.uint8),
        distance[middle].astype(np.float32),
        kinds[surface[middle]],
    )


def _first_hit(scene: Scene, origin: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along each ray (H, W, 3) the first surface is, and its number."""
    with np.errstate(divide='ignore', invalid='ignore'):
        ground = (CAMERA_HEIGHT - origin[1]) / rays[..., 1]
        wall = (scene.wall_z - origin[2]) / rays[..., 2]
        hits = [np.where(ground > 0, ground, np.inf), np.where(wall > 0, wall, np.inf)]
        for low, high in scene.corners:
            times = np.stack([(low - origin) / rays, (high - origin) / rays])
            enter, leave = times.min(0).max(-1), times.max(0).min(-1)
            hits.append(np.where((enter <= leave) & (enter > 0), enter, np.inf))
    surface = np.argmin(hits, axis=0)
    return np.min(hits, axis=0), surface


def _texture(scene: Scene, points: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Colour of points (H, W, 3) on numbered surfaces, float32 (H, W, 3)."""
    colour = np.empty(points.shape, np.float32)
    for number in np.unique(surface):
        here = surface == number
        waves = scene.waves[number]
        shade = np.sin(points[here] @ waves[:, :3].T + waves[:, 3]).sum(-1) / np.sqrt(WAVES / 2)
        shade = scene.contrasts[number] * shade
        colour[here] = np.clip(scene.colours[number] + shade[:, None], 0, 255)
    return colour
