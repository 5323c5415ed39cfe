"""``mmrefine convert``: turn a checkpoint that a method's authors released into ours."""

import argparse
from collections.abc import Sequence
from pathlib import Path

DESCRIPTION = (
    "Turn a checkpoint that a method's authors released into a self-contained one of this package"
)
EPILOG = """
example:
  mmrefine convert hrnet2x20.pth segfix.pth
"""


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('checkpoint', metavar='IN', help='released checkpoint')
    parser.add_argument('out', metavar='OUT', help='file to write')
    parser.add_argument(
        '--config',
        help='config of the network, where it is none that its authors released: for weights '
        'trained with their code on other settings',
    )


def run(args: argparse.Namespace) -> int:
    """Write the file."""
    from ..models.convert_checkpoint import convert_checkpoint

    digest = convert_checkpoint(args.checkpoint, args.out, args.config)
    size = Path(args.out).stat().st_size / 2**20
    print(f'{args.out}: {size:.1f} MiB, sha256 {digest}')
    return 0
