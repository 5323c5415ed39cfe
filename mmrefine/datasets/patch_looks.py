"""Other colours, sharpness and compression for patches, so that a network does not rely on them."""

import cv2
import numpy as np


def change_looks(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A patch as another camera or file might have it.

    Args:
        patch: BGR uint8 (S, S, 3).
        rng: Source of randomness.

    Returns:
        uint8 (S, S, 3). Nothing moves.
    """
    patch = np.ascontiguousarray(patch)
    if rng.random() < 0.1:
        patch = cv2.GaussianBlur(patch, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.7:
        patch = _light(patch, rng)
    if rng.random() < 0.1:
        noise = rng.normal(0, rng.uniform(2, 10), patch.shape)
        patch = np.clip(patch + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        quality = int(rng.integers(40, 95))
        _, content = cv2.imencode('.jpg', patch, [cv2.IMWRITE_JPEG_QUALITY, quality])
        patch = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    return patch


def _light(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Contrast, brightness, saturation and white balance."""
    grey = patch.mean(axis=2, keepdims=True)
    saturation = rng.uniform(0, 1) if rng.random() < 0.15 else rng.uniform(0.6, 1.4)
    changed = grey + saturation * (patch - grey)
    gains = rng.uniform(0.65, 1.35) * rng.uniform(0.92, 1.08, 3)
    changed = (changed - 128) * gains + 128 + rng.uniform(-32, 32)
    return np.clip(changed, 0, 255).astype(np.uint8)
