"""Masks of many kinds: H ≠ W, noise, blobs, touching borders, empty, full, thin."""

from collections.abc import Iterator

import cv2
import numpy as np


def blob(rng: np.random.Generator, size_hw: tuple[int, int], smooth: float = 3) -> np.ndarray:
    noise = cv2.GaussianBlur(rng.random(size_hw), (0, 0), smooth)
    return noise > np.quantile(noise, rng.uniform(0.3, 0.9))


def random_masks(number: int, seed: int = 0, largest: int = 40) -> Iterator[np.ndarray]:
    """Bool masks (H, W), H ≠ W, one kind after the other."""
    rng = np.random.default_rng(seed)
    for index in range(number):
        height, width = rng.choice(np.arange(1, largest + 1), 2, replace=False)
        mask = np.zeros((height, width), bool)
        kind = index % 8
        if kind == 0:
            mask = rng.random((height, width)) < rng.random() ** 2
        elif kind == 1:
            mask = blob(rng, (height, width))
        elif kind == 2:
            mask[rng.integers(height), rng.integers(width)] = True
        elif kind == 3:
            mask[:, rng.integers(width)] = True
        elif kind == 4:
            mask[rng.integers(height) :, rng.integers(width) :] = True
        elif kind == 5:
            mask[rng.integers(height)] = mask[:, -1] = True
        elif kind == 6:
            mask[0] = mask[-1] = mask[:, 0] = mask[:, -1] = True
        else:
            mask[:] = index % 16 == 7
        yield mask
