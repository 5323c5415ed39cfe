"""Peak memory of ``mmrefine refine`` on a large label map with its image.

    python benchmarks/large_map.py FOLDER --method segfix bpr

Draws an image of ``--side`` × ``--side`` pixels with objects scattered over it, and a label map of
16 bits with a number for each object, shifted by 3 pixels; refines it by the command that a user
runs; and prints the peak memory of that process, its time, and how many pixels changed. Memory does
not depend on how many objects there are, time does: only where labels meet is looked at.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

TILE = 1000  # pixels of texture that are drawn once


def draw(folder: Path, side: int, number: int) -> None:
    """Write ``images/large.png`` and ``masks/large.png``."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, (TILE, TILE, 3), np.uint8)
    repeats = -(-side // TILE)
    image = np.tile(cv2.GaussianBlur(noise, (0, 0), 2), (repeats, repeats, 1))[:side, :side]
    image = np.ascontiguousarray(image)
    labels = np.zeros((side, side), np.uint16)
    for label in range(1, number + 1):
        centre = rng.integers(0, side, 2)
        axes = rng.integers(side // 800, side // 60, 2)
        shape = (0, 0, 360)
        colour = [int(c) for c in rng.integers(110, 250, 3)]
        cv2.ellipse(image, centre.tolist(), axes.tolist(), *shape, colour, -1)
        cv2.ellipse(labels, (centre + 3).tolist(), axes.tolist(), *shape, label, -1)
    for name, array in (('images', image), ('masks', labels)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name / 'large.png'), array, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--side', type=int, default=20_000)
    parser.add_argument('--objects', type=int, default=12)
    parser.add_argument('--method', nargs='+', default=['segfix', 'bpr'])
    args = parser.parse_args()
    if not (args.folder / 'masks' / 'large.png').exists():
        command = [sys.executable, __file__, str(args.folder), '--method', 'draw']
        command += ['--side', str(args.side), '--objects', str(args.objects)]
        if args.method == ['draw']:
            draw(args.folder, args.side, args.objects)
            return
        subprocess.run(command, check=True)  # its memory is not to be counted
    for method in args.method:
        out = args.folder / f'refined_{method}'
        command = [sys.executable, '-m', 'mmrefine', 'refine', 'label-maps', '--method', method]
        command += [str(args.folder / name) for name in ('images', 'masks')]
        start = time.perf_counter()
        process = subprocess.Popen([*command, str(out), '--overwrite', '--device', 'cpu'])
        _, status, usage = os.wait4(process.pid, 0)  # the peak of this process alone
        seconds = time.perf_counter() - start
        print(
            f'{method}: status {status}, peak {usage.ru_maxrss / 2**20:.2f} GiB, {seconds:.0f} s',
            flush=True,
        )


if __name__ == '__main__':
    main()
