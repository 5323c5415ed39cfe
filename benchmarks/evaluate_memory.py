"""Peak memory of ``tools/evaluate.py`` on Cityscapes-size label maps, all its processes together.

    python benchmarks/evaluate_memory.py [--pairs 8 24] [--workers 4]

The maps are drawn: 1024 x 2048, 19 classes; two predictions of each. The memory is the proportional
set size (PSS), in which what processes share counts once; and the plain sum of their resident sets,
in which it counts in each. Needs Linux.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from drawn import draw_labels, waver

TOOL = Path(__file__).parent.parent / 'tools' / 'evaluate.py'
DRAWN = 4  # different pairs; the others are copies


def write_maps(folder: Path, pairs: int) -> None:
    for seed in range(min(DRAWN, pairs)):
        target = draw_labels((1024, 2048), 19, seed)
        before = waver(target)
        after = np.roll(before, 1, axis=1)
        for kind, labels in (('gt', target), ('before', before), ('after', after)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for number in range(seed, pairs, DRAWN):
                cv2.imwrite(str(folder / kind / f'{number:03d}.png'), labels)


def memory_of(process: int) -> tuple[int, int]:
    """PSS and RSS of a process and all it started, in kB."""
    sizes = {'Pss:': 0, 'Rss:': 0}
    try:
        for line in Path(f'/proc/{process}/smaps_rollup').read_text().splitlines():
            name, *values = line.split()
            if name in sizes:
                sizes[name] += int(values[0])
        children = Path(f'/proc/{process}/task/{process}/children').read_text().split()
    except OSError:  # it has just ended
        return 0, 0
    found = [memory_of(int(child)) for child in children]
    return sizes['Pss:'] + sum(p for p, _ in found), sizes['Rss:'] + sum(r for _, r in found)


def peak_memory(folder: Path, workers: int) -> tuple[int, int]:
    command = [
        sys.executable, TOOL, folder / 'gt', '--before', folder / 'before', '--after',
        folder / 'after', '--dataset', 'cityscapes', '--workers', str(workers),
        '--out', folder / 'report',
    ]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = (0, 0)
    while running.poll() is None:
        peak = tuple(map(max, peak, memory_of(running.pid)))
        time.sleep(0.05)
    if running.returncode:
        raise SystemExit(f'{TOOL.name} failed with status {running.returncode}')
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--pairs', type=int, nargs='+', default=[8, 24])
    parser.add_argument('--workers', type=int, default=4)
    args = parser.parse_args()
    for pairs in args.pairs:
        with tempfile.TemporaryDirectory() as folder:
            write_maps(Path(folder), pairs)
            pss, rss = (size / 1024 for size in peak_memory(Path(folder), args.workers))
        print(f'{pairs} pairs, {args.workers} workers: PSS {pss:.0f} MB, RSS {rss:.0f} MB')


if __name__ == '__main__':
    main()
