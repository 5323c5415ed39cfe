"""What SegFix costs an image: network, shift, memory.

    python benchmarks/segfix_cost.py --sizes 360x480 512x1024 1024x2048

Times are the best of several runs on a random image and a blocky random label
map; memory is the peak of the process above what it held before the first run.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
import rich.table
import torch
from rich.console import Console

from mmrefine.refiners import SegFixRefiner


def best_ms(function: Callable[[], object], repeats: int) -> float:
    """Shortest run in milliseconds, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def peak_mib() -> float:
    """Highest memory of this process (or of the GPU) so far."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def size(text: str) -> tuple[int, int]:
    """HEIGHTxWIDTH."""
    height, width = text.split('x')
    return int(height), int(width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--config', help='config of the network; else the shipped one')
    parser.add_argument('--checkpoint')
    parser.add_argument('--sizes', type=size, nargs='+', default=[(360, 480)], metavar='HxW')
    parser.add_argument('--repeats', type=int, default=3)
    args = parser.parse_args()
    refiner = SegFixRefiner(args.config, args.checkpoint)
    rng = np.random.default_rng(0)
    table = rich.table.Table('size', 'network, ms', 'shift, ms', 'peak memory, MiB')
    # Small to large, as the process's peak never falls.
    before = peak_mib()
    for height, width in sorted(args.sizes):
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        blocks = rng.integers(0, 19, (height // 32 + 1, width // 32 + 1), dtype=np.uint8)
        labels = blocks.repeat(32, 0).repeat(32, 1)[:height, :width]
        network = best_ms(lambda image=image: refiner.predict_offset(image), args.repeats)
        offset = refiner.predict_offset(image)
        shift = best_ms(lambda: refiner.shift(labels, offset), args.repeats)  # noqa: B023
        table.add_row(
            f'{height}x{width}', f'{network:.0f}', f'{shift:.1f}', f'{peak_mib() - before:.0f}'
        )
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU'
    Console().print(
        table, f'{device}, {torch.get_num_threads()} threads, torch {torch.__version__}'
    )


if __name__ == '__main__':
    main()
