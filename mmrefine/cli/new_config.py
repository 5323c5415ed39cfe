"""``mmrefine new-config``: write a config that trains a method on one's own images."""

import argparse
import pprint
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..files.find import check_exists

DESCRIPTION = 'Write a complete, commented config that trains a method on your own images'
EPILOG = """
examples:
  mmrefine new-config bpr --data my_data -o my_config.py
  mmrefine train my_config.py

The folder --data holds images/ and labels/ with a PNG of the same name for each image, one number
a pixel; or images/ and annotations.json, in COCO's format. With train/ and val/ in each, they are
kept apart. The config is made for this machine: a small network, some minutes and no download on
a CPU; the published recipe on a GPU. It may be moved anywhere: it finds its base in the package.
"""
# A method brings its template: a file here, named as it is.
TEMPLATES = Path(__file__).parents[1] / 'methods' / 'new_configs'
END = '.py.jinja'
ITERATIONS = dict(cpu=150, cuda=20000)


def methods() -> list[str]:
    """Methods that bring a template."""
    return sorted(path.name.removesuffix(END) for path in TEMPLATES.glob(f'*{END}'))


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('method', metavar='METHOD', help=', '.join(methods()))
    parser.add_argument('--data', metavar='DIR', required=True, help='folder of your own images')
    parser.add_argument('-o', '--out', metavar='FILE', required=True, help='config to write (.py)')
    parser.add_argument(
        '--device', choices=list(ITERATIONS), help='default: a GPU (cuda) if there is one'
    )
    parser.add_argument('--overwrite', action='store_true', help='write over a file that is there')


def run(args: argparse.Namespace) -> int:
    """Write the config."""
    from ..methods import did_you_mean

    if args.method not in methods():
        hint = did_you_mean(args.method, methods())
        raise ValueError(f'expected a method of {", ".join(methods())}, got {args.method}{hint}')
    out = Path(args.out)
    # mmengine takes a dot in the name of a config for that of a package.
    if out.suffix != '.py' or '.' in out.stem:
        raise ValueError(f'{out}: expected the name of a config, such as my_config.py')
    if out.exists() and not args.overwrite:
        raise ValueError(f'{out}: is there already; --overwrite writes over it')
    check_exists(args.data)
    from ..files.training_folder import look_into
    from ..files.whole_files import write_whole_file

    data = look_into(args.data)
    device = args.device or _device()
    text = write_config(args.method, out.name, data, device)
    write_whole_file(out, text.encode())
    print(f'{out}: {args.method} on {data.number} images, for a {_NAMES[device]}')
    print(f'next: mmrefine train {out}')
    return 0


_NAMES = dict(cpu='CPU', cuda='GPU')


def write_config(method: str, name: str, data: Any, device: str) -> str:
    """The text of a config.

    Args:
        method: Name of a method with a template.
        name: What the file will be called.
        data: What there is to learn from, a ``TrainingFolder``.
        device: ``'cpu'`` or ``'cuda'``.

    Raises:
        ValueError: if the method cannot learn from the data.
    """
    import jinja2

    def need(condition: bool, text: str) -> str:
        if not condition:
            raise ValueError(f'{data.root}: {text}')
        return ''

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters['python'] = lambda value: pprint.pformat(value, width=96, compact=True)
    template = environment.from_string((TEMPLATES / f'{method}{END}').read_text('utf-8'))
    return template.render(
        data=data,
        need=need,
        cpu=device == 'cpu',
        iterations=ITERATIONS[device],
        name=name,
        stem=Path(name).stem,
    )


def _device() -> str:
    import torch

    return 'cuda' if torch.cuda.is_available() else 'cpu'
