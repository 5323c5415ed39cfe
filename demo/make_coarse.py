"""Make the coarse masks of the demo out of the hand-drawn ground truth: what real models give.

    python demo/make_coarse.py

Written to demo/coarse: ``coffee.png``, a label map as a small semantic network gives it, and
``astronaut.segm.json``, COCO results as an instance network's mask head gives them.
"""

import json
from pathlib import Path

import cv2
import numpy as np

from mmrefine.ops import degrade
from mmrefine.ops.run_lengths import encode_mask

DEMO = Path(__file__).parent


def read_labels(name: str) -> np.ndarray:
    """Ground truth, uint8 (H, W)."""
    return cv2.imread(str(DEMO / 'labels' / f'{name}.png'), cv2.IMREAD_UNCHANGED)


def coarse_label_map(labels: np.ndarray, stride: int = 16, error: float = 4) -> np.ndarray:
    """Label map (H, W) like that of a real network with this output stride.

    Outlines wander by ``error`` pixels (standard deviation), smoothly over some 16 pixels. With 4
    the boundary F-scores are about those of a small HRNet on CamVid: see docs/segfix.md.
    """
    height, width = labels.shape
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    shifts = [
        cv2.GaussianBlur(rng.standard_normal((height, width)).astype(np.float32), (0, 0), 16)
        for _ in range(2)
    ]
    shift_x, shift_y = (error * shift / shift.std() for shift in shifts)
    moved = cv2.remap(
        labels, x + shift_x, y + shift_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    scores = [
        cv2.resize(
            cv2.resize(
                (moved == label).astype(np.float32),
                (width // stride, height // stride),
                interpolation=cv2.INTER_AREA,
            ),
            (width, height),
            interpolation=cv2.INTER_LINEAR,
        )
        for label in range(labels.max() + 1)
    ]
    return np.argmax(scores, axis=0).astype(np.uint8)


def coarse_results(labels: np.ndarray, image_id: str) -> list[dict]:
    """COCO results like those of a mask head with 28 × 28 cells: one for each label but 0."""
    rng = np.random.default_rng(0)
    return [
        dict(
            image_id=image_id,
            category_id=label,
            score=0.9,
            segmentation=encode_mask(degrade(labels == label, rng)),
        )
        for label in range(1, int(labels.max()) + 1)
    ]


if __name__ == '__main__':
    cv2.imwrite(str(DEMO / 'coarse' / 'coffee.png'), coarse_label_map(read_labels('coffee')))
    results = coarse_results(read_labels('astronaut'), 'astronaut')
    (DEMO / 'coarse' / 'astronaut.segm.json').write_text(json.dumps(results, indent=1) + '\n')
