"""Whether BPR is as sure as it should be: reliability and expected calibration error.

    python benchmarks/confidence.py data [--checkpoint WEIGHTS] [--every 8] [--plot reliability.png]

Images and coarse masks are those of benchmarks/mistakes.py. Pixels: those within 8 px of a coarse
outline; of all that are given a confidence in a bin, how many carry the true label. Objects: the
probability that a mask is off, and the share of its outline that is off by more than 2 px.
"""

import argparse
import zlib
from pathlib import Path

import cv2
import numpy as np
import rich.table
from mistakes import MADE, SOURCES, Case
from rich.console import Console
from rich.progress import track

from mmrefine.apis import build_refiner
from mmrefine.datasets.mask_errors import grow
from mmrefine.ops.boxes import boundary_scores

BINS = np.linspace(0.5, 1, 11)
BAND = 8


def coarse_masks(case: Case, kind: str) -> np.ndarray | None:
    """Stack (N, H, W) of one kind of coarse masks, None if there is none."""
    if kind not in MADE:
        return case.predicted.get(kind)
    seed = zlib.crc32(case.image.name.encode())
    return np.stack([MADE[kind](mask, seed + i) for i, mask in enumerate(case.truth)])


def off_share(coarse: np.ndarray, truth: np.ndarray) -> float:
    """Share of a coarse outline that lies more than 2 px from the true one."""
    outline = boundary_scores(coarse) > 0
    near = cv2.dilate((boundary_scores(truth) > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float((outline & ~near).sum() / max(outline.sum(), 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', type=Path)
    parser.add_argument('--checkpoint')
    parser.add_argument('--every', type=int, default=8, help='take every so many images')
    parser.add_argument('--plot', type=Path, help='reliability plot to draw')
    args = parser.parse_args()
    refiner = build_refiner('bpr', args.checkpoint, 'cpu')
    counts, right, sums = (np.zeros(len(BINS) - 1) for _ in range(3))
    objects = []
    for source in SOURCES:
        for case in track(list(SOURCES[source](args.data, slice(None, None, args.every))), source):
            image = cv2.imread(str(case.image))
            for kind in ('osvos', 'rvos', 'fcn', *MADE):
                coarse = coarse_masks(case, kind)
                if coarse is None:
                    continue
                refined = refiner.refine(image, coarse, return_confidence=True)
                for i, (mask, truth) in enumerate(zip(refined.masks, case.truth, strict=True)):
                    band = grow(coarse[i], BAND) & ~grow(coarse[i], -BAND)
                    sure = refined.confidence[i][band]
                    place = np.clip(np.digitize(sure, BINS) - 1, 0, len(counts) - 1)
                    counts += np.bincount(place, minlength=len(counts))
                    sums += np.bincount(place, sure, len(counts))
                    right += np.bincount(place, (mask == truth)[band], len(counts))
                    objects.append((refined.objects[i].off, off_share(coarse[i], truth)))
    table = rich.table.Table('confidence', 'mean', 'right', 'share of pixels')
    for i, number in enumerate(counts):
        if number:
            label = f'{BINS[i]:.2f} to {BINS[i + 1]:.2f}'
            values = sums[i] / number, right[i] / number, number / counts.sum()
            table.add_row(label, *(f'{v:.3f}' for v in values))
    error = np.abs(sums - right).sum() / counts.sum()
    shares = np.array([(off, share) for off, share in objects if off is not None])
    table2 = rich.table.Table('off, of objects', 'share of the outline off by > 2 px', 'objects')
    for low in np.arange(0, 1, 0.2):
        inside = shares[(shares[:, 0] >= low) & (shares[:, 0] < low + 0.2)]
        if len(inside):
            table2.add_row(
                f'{low:.1f} to {low + 0.2:.1f}', f'{inside[:, 1].mean():.2f}', str(len(inside))
            )
    Console().print(table, f'expected calibration error {error:.3f}', table2, sep='\n')
    if args.plot:
        draw(args.plot, sums / np.maximum(counts, 1), right / np.maximum(counts, 1), counts)


def draw(path: Path, mean: np.ndarray, right: np.ndarray, counts: np.ndarray) -> None:
    """Reliability: how often right, by how sure."""
    import matplotlib as mpl

    mpl.use('Agg')
    from matplotlib import pyplot

    there = counts > 0
    figure, axes = pyplot.subplots(figsize=(4, 4), layout='constrained')
    axes.plot([0.5, 1], [0.5, 1], color='grey', linewidth=1)
    axes.plot(mean[there], right[there], marker='o')
    axes.set(xlabel='confidence', ylabel='share that is right', xlim=(0.5, 1), ylim=(0.4, 1.01))
    figure.savefig(path, dpi=100)


if __name__ == '__main__':
    main()
