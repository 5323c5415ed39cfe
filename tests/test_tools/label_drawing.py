"""Label maps to refine."""

import cv2
import numpy as np


def random_labels(seed: int, height: int, width: int, count: int = 4) -> np.ndarray:
    """Label map of blobs, uint8 (height, width), the first two rows ignored."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.random((height, width)).astype(np.float32), (0, 0), 3)
    order = noise.ravel().argsort().argsort().reshape(height, width)
    labels = (order * count // order.size).astype(np.uint8)
    labels[:2] = 255
    return labels
