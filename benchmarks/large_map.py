"""Peak memory of ``mmrefine refine`` on a large label map with its image.

    python benchmarks/large_map.py FOLDER --method segfix bpr
    python benchmarks/large_map.py FOLDER --method segfix bpr --geotiff

Draws an image of ``--side`` × ``--side`` pixels with objects scattered over it, and a label map of
16 bits with a number for each object, shifted by 3 pixels; refines it by the command that a user
runs; and prints the peak memory of that process, its time, and how many pixels changed. Memory does
not depend on how many objects there are, time does: only where labels meet is looked at. Files are
PNGs, or GeoTIFFs with ``--geotiff``.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import tifffile

TILE = 1000  # pixels of texture that are drawn once


# WGS 84, a millionth of a degree a pixel, from 10 east and 50 north.
GEO = [
    (33550, 12, 3, (1e-6, 1e-6, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 10.0, 50.0, 0.0), True),
    (34735, 3, 16, (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326), True),
]


def draw(folder: Path, side: int, number: int, geotiff: bool) -> None:
    """Write ``images/large.png`` and ``masks/large.png``, or ``.tif``."""
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
        if geotiff:
            path, colours = folder / name / 'large.tif', array.ndim == 3
            stored = dict(tile=(512, 512), compression='deflate', extratags=GEO)
            photometric = 'rgb' if colours else 'minisblack'
            pixels = array[..., ::-1] if colours else array
            tifffile.imwrite(path, pixels, photometric=photometric, **stored)
        else:
            path = folder / name / 'large.png'
            cv2.imwrite(str(path), array, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--side', type=int, default=20_000)
    parser.add_argument('--objects', type=int, default=12)
    parser.add_argument('--method', nargs='+', default=['segfix', 'bpr'])
    parser.add_argument('--geotiff', action='store_true')
    args = parser.parse_args()
    name = 'large.tif' if args.geotiff else 'large.png'
    if not (args.folder / 'masks' / name).exists():
        command = [sys.executable, __file__, str(args.folder), '--method', 'draw']
        command += ['--side', str(args.side), '--objects', str(args.objects)]
        command += ['--geotiff'] if args.geotiff else []
        if args.method == ['draw']:
            draw(args.folder, args.side, args.objects, args.geotiff)
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
