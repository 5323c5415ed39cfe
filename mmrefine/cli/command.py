"""From the words of a command line to an exit status."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..methods import did_you_mean
from ..version import __version__
from . import app, convert, evaluate, export, info, new_config, refine, test, train, view_targets
from .lines import plain

# Each has DESCRIPTION, EPILOG, add_options(parser, words) and run(args) -> exit status. Where it
# has subcommands of its own, with_kind(words) puts the one that is left out.
COMMANDS: dict[str, ModuleType] = {
    'refine': refine,
    'evaluate': evaluate,
    'app': app,
    'new-config': new_config,
    'train': train,
    'test': test,
    'view-targets': view_targets,
    'export': export,
    'convert': convert,
    'info': info,
}
DESCRIPTION = 'Right boundaries for segmentation masks, inside OpenMMLab tools'
EPILOG = """
Each command has its own --help: mmrefine refine --help. Shell completion:
  mmrefine --print-completion bash > ~/.local/share/bash-completion/completions/mmrefine
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command ``mmrefine``.

    Args:
        words: What is typed after ``mmrefine``; by default that of this process.

    Returns:
        The exit status: 0; 1 where something failed; 130 where it was interrupted.

    Raises:
        SystemExit: with status 2 if the words are not understood, 0 after ``--help``.
    """
    typed = sys.argv[1:] if words is None else words
    return _run('mmrefine', lambda: parse(typed))


def run_tool(name: str) -> None:
    """Do what ``mmrefine NAME`` does, as a script in ``tools/``; ends the process."""
    command, prog = COMMANDS[name], Path(sys.argv[0]).name

    def understand() -> argparse.Namespace:
        words = _with_kind(command, sys.argv[1:])
        parser = argparse.ArgumentParser(**_options(command, prog))
        return _parse(_fill(parser, command, words), words)

    sys.exit(_run(prog, understand))


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Understand what is typed after ``mmrefine``; ``run`` of what comes back does it.

    Raises:
        SystemExit: as ``main``.
        ValueError: if the words name a config or a method that cannot be had.
    """
    first, rest = list(words[:1]), list(words[1:])
    if first and not first[0].startswith('-') and first[0] not in COMMANDS:
        build_parser().error(
            f'expected one of the commands {", ".join(COMMANDS)}, got {first[0]}'
            f'{did_you_mean(first[0], COMMANDS)}'
        )
    if first and first[0] in COMMANDS:
        rest = _with_kind(COMMANDS[first[0]], rest)
    return _parse(build_parser([*first, *rest]), [*first, *rest])


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Build the parser of the whole command.

    Args:
        words: What is typed; a config or a method in it may bring options of its own.
    """
    parser = argparse.ArgumentParser(**_options(sys.modules[__name__], 'mmrefine'))
    parser.add_argument('--version', action='version', version=f'mmrefine {__version__}')
    _add_completion(parser)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)
    for name, command in COMMANDS.items():
        options = _options(command)
        part = commands.add_parser(name, help=options['description'], **options)
        _fill(part, command, words[1:] if words[:1] == [name] else ())
    return parser


def _run(prog: str, understand: Callable[[], argparse.Namespace]) -> int:
    try:
        args = understand()
        return args.run(args)
    except BrokenPipeError:  # what reads the output has enough of it: mmrefine info | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f'{prog}: interrupted', file=sys.stderr)
        return 130
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f'{prog}: error: {plain(error)}', file=sys.stderr)
        return 1


def _parse(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse the words; those that nothing knows are told with the usage of their subcommand."""
    args, unknown = parser.parse_known_args(words)
    if unknown:
        known = re.findall(r'(?<![\w-])--[\w-]+', args.parser.format_help())
        options = [word.partition('=')[0] for word in unknown if word.startswith('--')]
        hints = ''.join(did_you_mean(option, known) for option in options)
        args.parser.error(f'unrecognized arguments: {" ".join(unknown)}{hints}')
    args.words = words[1:] if words[0] in COMMANDS else words
    return args


def _with_kind(command: ModuleType, words: list[str]) -> list[str]:
    return command.with_kind(words) if hasattr(command, 'with_kind') else words


def _options(command: ModuleType, prog: str | None = None) -> dict[str, Any]:
    options = dict(
        description=command.DESCRIPTION,
        epilog=command.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return options | (dict(prog=prog) if prog else {})


def _fill(
    parser: argparse.ArgumentParser, command: ModuleType, words: Sequence[str]
) -> argparse.ArgumentParser:
    parser.set_defaults(run=command.run, parser=parser)
    command.add_options(parser, words)
    return parser


def _add_completion(parser: argparse.ArgumentParser) -> None:
    try:
        import shtab
    except ImportError:
        parser.add_argument(
            '--print-completion',
            action='version',
            version="shell completion needs shtab: pip install 'mmrefine[completion]'",
            help="print a script for the shell; needs pip install 'mmrefine[completion]'",
        )
    else:
        shtab.add_argument_to(parser, ['--print-completion'])
