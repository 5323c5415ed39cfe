"""What onnxruntime saves on a CPU: the network of each refiner, torch beside it.

    python benchmarks/backends.py --threads 1

Both compute the same inputs in turns. Times are processor time, which other work on the machine
changes little, summed over threads; medians, and the median of the ratios of each turn.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import rich.table
import torch
from rich.console import Console

from mmrefine.apis import build_refiner

# Method, number, height and width of the inputs, what that is.
CASES = (
    ('segfix', (1, 384, 480), 'an image'),
    ('segfix', (1, 512, 1024), 'an image'),
    ('bpr', (32, None, None), 'a batch of patches'),
)


def milliseconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--segfix', metavar='CHECKPOINT', help='default: the shipped one')
    parser.add_argument('--bpr', metavar='CHECKPOINT', help='default: the shipped one')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    table = rich.table.Table(
        'method', 'input', 'torch, ms', 'onnxruntime, ms', 'torch / onnxruntime', 'difference'
    )
    for method, (number, height, width), what in CASES:
        checkpoint = getattr(args, method)
        refiner = build_refiner(method, checkpoint, 'cpu')
        plain = refiner.model.predict_probabilities
        if method == 'bpr':
            height = width = refiner.input_size
            channels = refiner.model.data_preprocessor.num_channels
        else:
            channels = 3
        size = number, channels, height, width
        faster = build_refiner(
            method, checkpoint, backend='onnxruntime'
        ).model.predict_probabilities
        inputs = torch.randn(size, generator=torch.Generator().manual_seed(0))
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            difference = (plain(inputs) - faster(inputs)).abs().max()
            turns = [
                (milliseconds(lambda: plain(inputs)), milliseconds(lambda: faster(inputs)))  # noqa: B023
                for _ in range(args.turns)
            ]
        ours, theirs = (statistics.median(times) for times in zip(*turns, strict=True))
        ratio = statistics.median(a / b for a, b in turns)
        shape = ' × '.join(map(str, size))
        table.add_row(
            method,
            f'{shape}, {what}',
            f'{ours:.0f}',
            f'{theirs:.0f}',
            f'{ratio:.2f}',
            f'{difference:.1e}',
        )
    Console(width=120).print(table)


if __name__ == '__main__':
    main()
