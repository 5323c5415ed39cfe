"""Label maps and masks drawn from a seed, of the sizes that street scenes have.

Legend: H, W = image; N = masks.
"""

import cv2
import numpy as np

VOID = 255


def draw_labels(size_hw: tuple[int, int], num_labels: int, seed: int = 0) -> np.ndarray:
    """Blobs with finer details, (H, W): at each pixel the strongest of some random fields."""
    rng = np.random.default_rng(seed)
    best = np.full(size_hw, -np.inf, np.float32)
    labels = np.zeros(size_hw, np.uint8)
    for label in range(num_labels):
        field = np.zeros(size_hw, np.float32)
        for rows, strength in ((5, 1.0), (40, 0.1)):
            grid = (rows, max(rows * size_hw[1] // size_hw[0], 1))
            noise = rng.standard_normal(grid).astype(np.float32)
            field += strength * cv2.resize(noise, size_hw[::-1], interpolation=cv2.INTER_CUBIC)
        stronger = field > best
        best[stronger] = field[stronger]
        labels[stronger] = label
    return labels


def waver(labels: np.ndarray, pixels: float = 3, seed: int = 1) -> np.ndarray:
    """The same label map with boundaries that waver by some pixels."""
    rng = np.random.default_rng(seed)
    height, width = labels.shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    shifts = [rng.standard_normal((48, 96)).astype(np.float32) * pixels for _ in range(2)]
    dy, dx = (cv2.resize(shift, (width, height), interpolation=cv2.INTER_CUBIC) for shift in shifts)
    return cv2.remap(labels, xs + dx, ys + dy, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def draw_masks(number: int, size_hw: tuple[int, int] = (1024, 2048), seed: int = 0) -> np.ndarray:
    """Irregular shapes of 40 to 300 pixels, bool (N, H, W), none near the border."""
    rng = np.random.default_rng(seed)
    masks = np.zeros((number, *size_hw), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    (top, bottom), (left, right) = ((min(320, s // 3), s - min(320, s // 3)) for s in size_hw)
    for mask in masks:
        height, width = np.exp(rng.uniform(np.log(40), np.log(300), 2))
        wobble = cv2.GaussianBlur(rng.uniform(0.6, 1.4, (1, 40)), (9, 1), 1.5)[0]
        y, x = rng.uniform(top, bottom), rng.uniform(left, right)
        points = [x + wobble * width * np.cos(angles) / 2, y + wobble * height * np.sin(angles) / 2]
        cv2.fillPoly(mask, [np.stack(points, 1).round().astype(np.int32)], 1)
    return masks.astype(bool)


def draw_image(size_hw: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Coarse and fine noise, BGR uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    scales = [(8, 16), (64, 128), (512, 1024)]
    layers = [cv2.resize(rng.random((*s, 3)), size_hw[::-1]) for s in scales]
    return (255 * (0.6 * layers[0] + 0.3 * layers[1] + 0.1 * layers[2])).astype(np.uint8)
