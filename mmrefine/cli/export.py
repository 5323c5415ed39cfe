"""``mmrefine export``: write a refiner's network as ONNX or TorchScript."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..methods import shipped_methods

DESCRIPTION = (
    'Write the network of a refiner as ONNX or TorchScript, for batches of any size; sides are '
    'free too, but those of the package take multiples of 16. Its input is normalised images, its '
    'output probabilities'
)
EPILOG = """
example:
  mmrefine export segfix segfix.onnx
"""


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    names = ', '.join(shipped_methods())
    parser.add_argument('refiner', help=f'{names}, or a config as for mmrefine refine')
    parser.add_argument('out', help='file to write: .onnx, or .pt for TorchScript')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--checkpoint', help='weights; default: those that come with the method')
    which.add_argument('--weights', help='which of those: research (default), or open')


def run(args: argparse.Namespace) -> int:
    """Write the file."""
    from ..apis import build_refiner
    from ..refiners.export import export_refiner

    options = {} if args.weights is None else dict(weights=args.weights)
    export_refiner(build_refiner(args.refiner, args.checkpoint, 'cpu', **options), args.out)
    print(f'{args.out}: {Path(args.out).stat().st_size / 2**20:.1f} MiB')
    return 0
