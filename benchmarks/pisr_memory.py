"""What the relations of PISR cost on an image of 1024×2048: time and memory.

    python benchmarks/pisr_memory.py

Forward and backward of ``PISR`` with 256 channels, 133 classes and 50 instances on the feature map
of one image, at strides 8 and 4, each in a process of its own. Memory is the peak of that process
above what it held with the inputs made.
"""

import argparse
import resource
import subprocess
import sys
import time

import rich.table
import torch
from rich.console import Console

from mmrefine.models.necks import PISR

IMAGE = (1024, 2048)
CHANNELS, CLASSES, INSTANCES = 256, 133, 50


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(stride: int, train: bool) -> tuple[float, float]:
    """Processor seconds and MiB."""
    torch.manual_seed(0)
    size = [side // stride for side in IMAGE]
    module = PISR(CHANNELS)
    features = torch.randn(1, CHANNELS, *size, requires_grad=train)
    logits, heat = torch.randn(1, CLASSES, *size), torch.rand(1, INSTANCES, *size)
    before, start = peak_mib(), time.process_time()
    with torch.set_grad_enabled(train):
        related = module(features, logits, heat)
        if train:
            related.mean().backward()
    return time.process_time() - start, peak_mib() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--stride', type=int, help='run one case and print its numbers')
    parser.add_argument('--train', action='store_true', help='with --stride: backward, too')
    args = parser.parse_args()
    if args.stride:
        print(*run(args.stride, args.train))
        return
    table = rich.table.Table('', 'pixels', 'processor time, s', 'peak memory, MiB')
    for stride in (8, 4):
        for train in (False, True):
            command = [sys.executable, '-W', 'ignore', __file__, '--stride', str(stride)]
            command += ['--train'] * train
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, memory = map(float, done.stdout.split()[-2:])
            what = 'forward and backward' if train else 'forward'
            pixels = IMAGE[0] * IMAGE[1] // stride**2
            table.add_row(
                f'stride {stride}, {what}', f'{pixels:,}', f'{seconds:.1f}', f'{memory:.0f}'
            )
    Console(width=100).print(table)


if __name__ == '__main__':
    main()
