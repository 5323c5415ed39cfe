"""Videos of a textured scene that moves, with label maps; drawn from a seed."""

from pathlib import Path

import cv2
import numpy as np

SIZE_HW = (48, 64)


def moving_scene(frames: int, seed: int = 0, step: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """BGR frames and label maps 0 to 3, the scene moving left by ``step`` pixels a frame."""
    height, width = SIZE_HW
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 4, (height // 12, (width + step * frames) // 16 + 1))
    labels = np.kron(cells, np.ones((12, 16), int)).astype(np.uint8)
    colours = np.array([[40, 60, 200], [200, 80, 40], [60, 180, 60], [150, 150, 150]])
    noise = cv2.GaussianBlur(rng.normal(0, 60, (*labels.shape, 3)), (0, 0), 1.5)
    image = (colours[labels] + noise).clip(0, 255).astype(np.uint8)
    return [
        (image[:, x : x + width].copy(), labels[:, x : x + width].copy())
        for x in range(0, step * frames, step)
    ]


def write_videos(folder: Path, lengths: dict[str, int], split: str = 'val') -> Path:
    """``img_dir/SPLIT/NAME_NUMBER.png`` and the same below ``ann_dir``, by name and length."""
    for seed, (name, length) in enumerate(lengths.items()):
        for number, (image, labels) in enumerate(moving_scene(length, seed)):
            labels[:2] = 255
            for kind, array in (('img_dir', image), ('ann_dir', labels)):
                path = folder / kind / split / f'{name}_{number:04}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(path), array)
    return folder
