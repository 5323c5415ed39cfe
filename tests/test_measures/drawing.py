"""Label maps drawn as text, and random ones."""

import numpy as np
from hypothesis import strategies as st

VOID = 255


def draw(text):
    """'.' is 0, digits are labels, '#' is ignored; one line a row."""
    code = {'.': 0, '#': VOID} | {str(d): d for d in range(10)}
    return np.array([[code[c] for c in line.strip()] for line in text.split()], np.uint8)


def blobs(rng, size_hw, num_classes, void=0.0, grain=3):
    """Blocks of random labels: regions of some size, with a share of ignored blocks."""
    height, width = size_hw
    coarse = rng.integers(0, num_classes, (height // grain + 1, width // grain + 1))
    coarse[rng.random(coarse.shape) < void] = VOID
    return np.kron(coarse, np.ones((grain, grain), int))[:height, :width].astype(np.uint8)


@st.composite
def map_pairs(draw_from, num_classes=4, void=True, equal_sizes=True):
    """A prediction and a ground truth, H and W drawn apart, some pixels wrong."""
    height, width = draw_from(st.integers(1, 14)), draw_from(st.integers(1, 17))
    rng = np.random.default_rng(draw_from(st.integers(0, 2**32 - 1)))
    grain = draw_from(st.integers(1, 5))
    share = draw_from(st.sampled_from([0.0, 0.2])) if void else 0.0
    target = blobs(rng, (height, width), num_classes, share, grain)
    prediction = blobs(rng, (height, width), num_classes, 0, grain)
    keep = rng.random((height, width)) < draw_from(st.sampled_from([0.0, 0.5, 0.95]))
    return np.where(keep & (target != VOID), target, prediction), target
