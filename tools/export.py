"""Write a refiner's network as ONNX or TorchScript: ``export.py segfix segfix.onnx``."""

import argparse
import sys
from pathlib import Path

from mmrefine.apis import build_refiner
from mmrefine.refiners.export import export_refiner


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Write the network of a refiner as ONNX or TorchScript, for batches and images '
        'of any size; its input is normalised images, its output probabilities'
    )
    parser.add_argument('refiner', help='segfix, bpr, or a config as for tools/refine.py')
    parser.add_argument('out', help='file to write: .onnx, or .pt for TorchScript')
    parser.add_argument('--checkpoint', help='weights; default: those that come with the method')
    return parser


def main() -> None:
    args = build_parser().parse_args()
    try:
        export_refiner(build_refiner(args.refiner, args.checkpoint, 'cpu'), args.out)
    except (ValueError, TypeError, ImportError) as error:
        print(f'export.py: error: {error}', file=sys.stderr)
        sys.exit(1)
    print(f'{args.out}: {Path(args.out).stat().st_size / 2**20:.1f} MiB')


if __name__ == '__main__':
    main()
