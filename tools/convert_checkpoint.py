"""Turn a released SegFix or BPR checkpoint into ours: ``convert_checkpoint.py IN OUT``."""

import argparse
from pathlib import Path

from mmrefine.models.convert_checkpoint import convert_checkpoint


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Turn the checkpoints that the authors of SegFix (HRNet-2x-W20, HRNet-W48) and '
        'BPR (HRNet-W18-small, HRNet-W48) released into self-contained ones of this package'
    )
    parser.add_argument('checkpoint', metavar='IN', help='released checkpoint')
    parser.add_argument('out', metavar='OUT', help='file to write')
    parser.add_argument(
        '--config',
        help='config of the network, where it is none of those: for weights trained with the '
        'released code on other settings',
    )
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    try:
        digest = convert_checkpoint(args.checkpoint, args.out, args.config)
    except ValueError as error:
        parser.error(str(error))
    size = Path(args.out).stat().st_size / 2**20
    print(f'{args.out}: {size:.1f} MiB, sha256 {digest}')


if __name__ == '__main__':
    main()
