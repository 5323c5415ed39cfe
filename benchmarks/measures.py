"""Speed of the boundary measures against their plain definitions, in one run.

    python benchmarks/measures.py [--runs 5] [--json FILE]

The plain definitions take one class at a time over the full image, as the released code of
the benchmarks does: the boundary F-score dilates both boundary maps with a disk, boundary
IoU erodes both masks with a 3 x 3 square. Both are written with OpenCV. Every figure is checked
to be the same before its time is reported.

The maps are drawn from a random seed: 1024 x 2048, 19 classes in irregular regions, a strip
of ignored pixels, and a prediction whose boundaries waver by some pixels.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from mmrefine.measures import boundary_fscore, boundary_iou

SIZE_HW = (1024, 2048)
NUM_CLASSES = 19
VOID = 255


def draw_pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A prediction and its ground truth, (H, W) uint8."""
    rng = np.random.default_rng(seed)
    height, width = SIZE_HW

    def smooth(cells_hw: tuple[int, int]) -> np.ndarray:
        field = rng.standard_normal(cells_hw).astype(np.float32)
        return cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)

    fields = [smooth((12, 24)) + 0.1 * smooth((96, 192)) for _ in range(NUM_CLASSES)]
    target = np.argmax(fields, axis=0).astype(np.uint8)
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    waver = [3 * smooth((48, 96)) for _ in range(2)]
    prediction = cv2.remap(
        target, xs + waver[0], ys + waver[1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    target[-60:] = VOID
    return prediction, target


def plain_boundary(mask: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The ``seg2bmap`` boundary of one bool mask, uint8."""
    boundary = np.zeros_like(mask)
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
    ):
        boundary[here] |= (mask[here] ^ mask[there]) & usable[here] & usable[there]
    return boundary.view(np.uint8)


def plain_fscore(prediction: np.ndarray, target: np.ndarray, radius: int) -> np.ndarray:
    """F-score of each class by two dilations with a disk."""
    reach = np.arange(-radius, radius + 1)
    disk = (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.uint8)
    usable = target != VOID
    scores = []
    for c in range(NUM_CLASSES):
        p, t = (plain_boundary((m == c) & usable, usable) for m in (prediction, target))
        matched = np.sum(p & cv2.dilate(t, disk)), np.sum(t & cv2.dilate(p, disk))
        precision, recall = matched[0] / max(np.sum(p), 1), matched[1] / max(np.sum(t), 1)
        scores.append(2 * precision * recall / max(precision + recall, 1e-9))
    return np.array(scores)


def plain_boundary_iou(prediction: np.ndarray, target: np.ndarray, ratio: float) -> np.ndarray:
    """Boundary IoU of each class by two erosions, as in the authors' code."""
    height, width = target.shape
    dilation = max(1, round(ratio * np.hypot(height, width)))
    scores = []
    for c in range(NUM_CLASSES):
        bands = []
        for labels in (prediction, target):
            mask = (labels == c).astype(np.uint8)
            padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
            eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=dilation)
            bands.append(mask - eroded[1 : height + 1, 1 : width + 1])
        scores.append(np.sum(bands[0] & bands[1]) / max(np.sum(bands[0] | bands[1]), 1))
    return np.array(scores)


def best_seconds(calls: list[Callable[[], object]], runs: int) -> list[float]:
    """Shortest processor time of each call, taken in turns so that all meet the same load."""
    times = [[] for _ in calls]
    for _ in range(runs):
        for call, measured in zip(calls, times, strict=True):
            start = time.process_time()
            call()
            measured.append(time.process_time() - start)
    return [min(measured) for measured in times]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--runs', type=int, default=5, help='timed calls of each, the shortest taken'
    )
    parser.add_argument('--json', type=Path, help='also write the times there')
    args = parser.parse_args()
    # One thread each: the measures are spread over images, not within one.
    cv2.setNumThreads(1)
    prediction, target = draw_pair()
    # The authors' boundary IoU knows no ignored pixels.
    whole = np.where(target == VOID, 0, target)
    rows = []
    for radius in (1, 2, 3, 9):
        rows.append(
            (
                f'boundary F-score, {radius} px',
                lambda r=radius: plain_fscore(prediction, target, r),
                lambda r=radius: boundary_fscore(prediction, target, r, NUM_CLASSES).figures()[
                    'fscore_per_class'
                ],
            )
        )
    for ratio in (0.005, 0.02):
        rows.append(
            (
                f'boundary IoU, {ratio}',
                lambda r=ratio: plain_boundary_iou(prediction, whole, r),
                lambda r=ratio: boundary_iou(prediction, whole, r, NUM_CLASSES).figures()[
                    'boundary_iou_per_class'
                ],
            )
        )
    print(f'{SIZE_HW[0]} x {SIZE_HW[1]}, {NUM_CLASSES} classes, one thread, {platform.machine()}')
    print(f'{"measure":24} {"plain":>10} {"mmrefine":>10} {"times":>6}')
    report = []
    for name, plain, ours in rows:
        np.testing.assert_allclose(ours(), plain(), rtol=1e-9, err_msg=name)
        slow, fast = best_seconds([plain, ours], args.runs)
        print(f'{name:24} {1000 * slow:7.1f} ms {1000 * fast:7.1f} ms {slow / fast:6.1f}')
        report.append({'measure': name, 'plain_s': slow, 'mmrefine_s': fast})
    if args.json:
        args.json.write_text(json.dumps(report, indent=2))


if __name__ == '__main__':
    main()
