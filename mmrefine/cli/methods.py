"""Which refiner refines: the options of every method, and what of them goes together."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..methods import DEFAULT, Method, shipped_methods

# What decides how a network is run; offset fields from files leave no room for it.
NETWORK_OPTIONS = ('method', 'config', 'checkpoint', 'device', 'save_offsets')
# Of the methods' options, those that offset fields from files have as well.
OFFSET_OPTIONS = ('scale', 'steps')


def offered_methods(words: Sequence[str]) -> dict[str, Method]:
    """Return the methods whose options a command line may have, by name.

    Those that come with the package; where ``--method`` or ``--config`` names another refiner,
    that one, which is imported for it.
    """
    shipped = shipped_methods()
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument('--method', nargs='?')
    early.add_argument('--config', nargs='?')
    args, _ = early.parse_known_args(words)
    named = [name for name in (args.method, args.config) if name is not None]
    if len(named) != 1 or named[0] in shipped:
        return shipped  # both are refused later
    from ..refiners.names import refiner_class, refiner_settings

    method = refiner_class(refiner_settings(named[0])).method
    return {} if method is None else {method.name: method}


def add_refiner(parser: argparse.ArgumentParser, methods: dict[str, Method]) -> None:
    """Add what chooses a refiner, and a group of options for each method."""
    parser.set_defaults(methods=methods)
    group = parser.add_argument_group('the refiner')
    kind = group.add_mutually_exclusive_group()
    names = ' or '.join(shipped_methods())
    kind.add_argument('--method', help=f'{names}, or an installed one (default: {DEFAULT})')
    kind.add_argument('--config', help='config with refiner = dict(...), or of its network')
    group.add_argument('--checkpoint', help='weights; default: those that come with the method')
    group.add_argument('--device', help='for example cpu or cuda:1; default: a GPU if there is one')
    added: set[str] = set()
    for method in methods.values():
        group = parser.add_argument_group(f'options of {method.name}')
        for option in method.options:
            if option.name not in added:  # several methods may have one of the same name
                group.add_argument(option.flag, type=option.type, help=option.help)
            added.add(option.name)
        if method.follows_offsets is not None and 'offsets' not in added:
            _add_offsets(group)
            added.add('offsets')


def _add_offsets(group: argparse._ArgumentGroup) -> None:
    offsets = group.add_mutually_exclusive_group()
    offsets.add_argument(
        '--save-offsets',
        metavar='DIR',
        help='keep the offset fields, as .npz, and refine with them, by the published rule',
    )
    offsets.add_argument(
        '--offsets', metavar='DIR', help='use offset fields: our .npz or the released .mat'
    )


def chosen_method(args: argparse.Namespace) -> Method | None:
    """Return the method that refines, None for a refiner that declares none."""
    if args.config:
        return next(iter(args.methods.values()), None)
    return args.methods.get(args.method or DEFAULT)


def refiner_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of methods that are given, by name."""
    names = [option.name for method in args.methods.values() for option in method.options]
    given = {name: getattr(args, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def offset_folder(args: argparse.Namespace, name: str) -> str | None:
    """Return the folder of ``offsets`` or ``save_offsets``; not every method has them."""
    return getattr(args, name, None)


def check_refiner(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """End with a usage error where options would have no effect."""

    def refuse(name: str, reason: str) -> None:
        parser.error(f'--{name.replace("_", "-")}: has no effect with {reason}')

    if offset_folder(args, 'offsets'):
        for name in [*NETWORK_OPTIONS, *refiner_options(args)]:
            if name not in OFFSET_OPTIONS and getattr(args, name) is not None:
                refuse(name, '--offsets')
    method = chosen_method(args)
    if method is None:
        return
    own = {option.name for option in method.options}
    for other in args.methods.values():
        for option in other.options:
            if option.name not in own and getattr(args, option.name) is not None:
                refuse(
                    option.name,
                    f'--method {method.name}; it is an option of --method {other.name}',
                )
    if offset_folder(args, 'save_offsets'):
        if method.follows_offsets is None:
            refuse('save_offsets', f'--method {method.name}')
        for name in method.follows_offsets or ():
            if getattr(args, name) is not None:
                refuse(name, '--save-offsets')


def settings_text(args: argparse.Namespace) -> str:
    """Return what decides how masks are refined: with other settings, nothing half done is used."""
    settings = {name: getattr(args, name) for name in ('method', 'config', 'checkpoint')}
    settings |= dict(offsets=offset_folder(args, 'offsets'), options=refiner_options(args))
    if args.checkpoint:
        settings['written'] = Path(args.checkpoint).stat().st_mtime_ns
    return json.dumps(settings, default=str)


def refiner_config(args: argparse.Namespace) -> dict[str, Any]:
    """Return the config of the refiner that is chosen, without what the command line adds."""
    from ..refiners.names import refiner_settings

    return refiner_settings(args.config or args.method or DEFAULT)
