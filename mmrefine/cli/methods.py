"""Which refiner refines: the options of every method, and what of them goes together."""

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..methods import DEFAULT, Method, did_you_mean, method_names, shipped_methods

# What decides how a network is run; offset fields from files leave no room for it.
NETWORK_OPTIONS = ('method', 'config', 'checkpoint', 'device', 'save_offsets')
# Of the methods' options, those that offset fields from files have as well.
OFFSET_OPTIONS = ('scale', 'steps')
# Besides the refiner, what decides how masks come out.
OUTCOME_OPTIONS = (
    *('ignore_index', 'label_ids', 'steady', 'resize_masks'),
    *('polygons', 'tolerance', 'bands'),
)


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
    _check_name(args.method)
    from ..refiners.names import refiner_class, refiner_settings

    method = refiner_class(refiner_settings(named[0])).method
    return {} if method is None else {method.name: method}


def _check_name(name: str | None) -> None:
    """Refuse a method that nothing brings, before anything large is imported."""
    if name is None or name.endswith('.py') or name in method_names():
        return
    known = ', '.join(method_names())
    raise ValueError(f'--method: expected {known}, got {name}{did_you_mean(name, method_names())}')


def add_refiner(parser: argparse.ArgumentParser, methods: dict[str, Method]) -> None:
    """Add what chooses a refiner, and a group of options for each method."""
    parser.set_defaults(methods=methods)
    group = parser.add_argument_group('the refiner')
    kind = group.add_mutually_exclusive_group()
    names = ' or '.join(shipped_methods())
    kind.add_argument(
        '--method',
        help=f'{names}, or an installed one (default: {DEFAULT}, or what the checkpoint is of)',
    )
    kind.add_argument('--config', help='config with refiner = dict(...), or of its network')
    group.add_argument('--checkpoint', help='weights; default: those that come with the method')
    group.add_argument('--device', help='for example cpu or cuda:1; default: a GPU if there is one')
    added: set[str] = set()
    for method in methods.values():
        group = parser.add_argument_group(f'options of {method.name}')
        for option in method.options:
            if option.name not in added:  # several methods may have one of the same name
                owners = [m.name for m in methods.values() if option in m.options]
                shared = f'; of {" and ".join(owners)}' if len(owners) > 1 else ''
                group.add_argument(option.flag, type=option.type, help=option.help + shared)
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
    """Return the method that refines; None if that is seen later, or the refiner declares none."""
    if args.config:
        return next(iter(args.methods.values()), None)
    if args.checkpoint and not args.method:
        return None  # it says so itself
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
        return
    for name in ('config', 'checkpoint'):
        path = getattr(args, name)
        if path is not None and not Path(path).is_file():
            raise ValueError(f'--{name}: expected a file, {path} is none')
    if args.checkpoint is not None:
        from ..files.first_look import look_at_checkpoint

        look_at_checkpoint(args.checkpoint)
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
            able = [m.name for m in args.methods.values() if m.follows_offsets is not None]
            hint = f'; --method {able[0]} has offset fields' if able else ''
            refuse('save_offsets', f'--method {method.name}{hint}')
        for name in method.follows_offsets or ():
            if getattr(args, name) is not None:
                refuse(name, '--save-offsets')


def settings_made_with(args: argparse.Namespace) -> dict[str, Any]:
    """Return what decides how refined masks come out: an output is of one kind only."""
    from ..refiners.names import refiner_class

    given = {name: getattr(args, name, None) for name in OUTCOME_OPTIONS}
    settings = {name: value for name, value in given.items() if value is not None}
    if offset_folder(args, 'offsets'):
        return dict(offsets=args.offsets, options=refiner_options(args), **settings)
    config = refiner_config(args)
    kind = refiner_class(config)
    weights = args.checkpoint or config.get('checkpoint') or getattr(kind, 'shipped', None)
    return dict(
        method=kind.method.name if kind.method else kind.__name__,
        config=_digest(args.config),
        weights=_digest(weights),
        options=refiner_options(args),
        save_offsets=bool(offset_folder(args, 'save_offsets')),
        **settings,
    )


def _digest(path: str | Path | None) -> str | None:
    if path is None or not Path(path).is_file():
        return None if path is None else str(path)
    return f'{Path(path).name} {hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]}'


def refiner_config(args: argparse.Namespace) -> dict[str, Any]:
    """Return the config of the refiner that is chosen, without what the command line adds."""
    from ..refiners.names import refiner_settings

    return refiner_settings(args.config or args.method, args.checkpoint)
