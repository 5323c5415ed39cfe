"""Make a boundary map look as if a network had predicted it."""

from __future__ import annotations

import cv2
import numpy as np

MAX_BLUR = 2.0  # standard deviation, pixels
MAX_NOISE = 0.1
MAX_GAPS = 0.4  # of smooth noise from 0 to 1; below it boundaries grow weak or go missing
MAX_FALSE = 3  # lines where there is no boundary


def look_predicted(edges: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur a boundary map, weaken it, leave gaps, add false boundaries and noise.

    Args:
        edges: float32 (H, W) from 0 to 1.
        rng: where chance comes from.

    Returns:
        float32 (H, W) from 0 to 1; now and then ``edges`` as they are.
    """
    if rng.random() < 0.1:
        return edges
    size = edges.shape
    maps = edges.copy()
    for _ in range(rng.integers(0, MAX_FALSE + 1)):
        ends = rng.integers(0, size[::-1], (2, 2)).tolist()
        drawn = cv2.line(np.zeros(size, np.uint8), *ends, 1, 2)  # type: ignore[call-overload]
        maps = np.maximum(maps, np.float32(rng.uniform(0, 0.7)) * drawn)
    smooth = cv2.resize(rng.random((5, 5), dtype=np.float32), size[::-1])
    maps[smooth < rng.uniform(0, MAX_GAPS)] *= rng.uniform(0, 1)
    blur = rng.uniform(0, MAX_BLUR)
    if blur > 0.2:
        maps = cv2.GaussianBlur(maps, (0, 0), blur)
        maps = maps * np.float32(rng.uniform(0.5, 1.2) / max(maps.max(), 1e-3))
    noise = rng.standard_normal(size, np.float32) * np.float32(rng.uniform(0, MAX_NOISE))
    return np.clip(maps + noise, 0, 1, dtype=np.float32)
