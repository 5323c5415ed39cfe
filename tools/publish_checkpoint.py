"""Make a training checkpoint small and self-contained: ``publish_checkpoint.py CONFIG IN OUT``."""

import argparse
from pathlib import Path

from mmrefine.models.checkpoint import publish_checkpoint

# Names that the file, or the function that writes it, uses itself.
RESERVED = ('checkpoint', 'half', 'mmrefine_version', 'model', 'out')


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Strip a training checkpoint to its weights and their model config, so that '
        'the one file is enough to refine with'
    )
    parser.add_argument('config', help='config file it was trained with')
    parser.add_argument('checkpoint', help='training checkpoint')
    parser.add_argument('out', help='file to write')
    parser.add_argument(
        '--half',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='store weights in half precision; they are loaded in single precision again (default)',
    )
    parser.add_argument(
        '--meta',
        nargs='+',
        default=[],
        metavar='KEY=TEXT',
        help='facts to keep in the file, e.g. data=CamVid licence="research use"',
    )
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    meta = dict(entry.partition('=')[::2] for entry in args.meta)
    if not all(meta.values()) or meta.keys() & set(RESERVED):
        parser.error(f'--meta: expected KEY=TEXT, with a KEY that is none of {", ".join(RESERVED)}')
    try:
        digest = publish_checkpoint(args.config, args.checkpoint, args.out, half=args.half, **meta)
    except ValueError as error:
        parser.error(str(error))
    size = Path(args.out).stat().st_size / 2**20
    print(f'{args.out}: {size:.1f} MiB, sha256 {digest}')


if __name__ == '__main__':
    main()
