"""What ``mmrefine train`` and ``mmrefine test`` share: their options, and how a run ends."""

import argparse
import contextlib
import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def add_run_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Add what every run of mmengine takes."""
    parser.add_argument('--work-dir', help='where logs, metrics and checkpoints go')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        metavar='KEY=VALUE',
        help=f'settings in place of the config\'s, e.g. {example} a.b="[1,2]"',
    )
    parser.add_argument(
        '--offline',
        action='store_true',
        help='download nothing; MMREFINE_OFFLINE=1 does the same',
    )
    parser.add_argument(
        '--verbose',
        action='store_true',
        help='print environment, config and hooks, too; the log file has them anyway',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def check_config(args: argparse.Namespace) -> None:
    """Say that there is no such config before anything large is imported.

    Raises:
        ValueError: if it is no file.
    """
    if not Path(args.config).is_file():
        raise ValueError(f'config: expected a config file, {args.config} is none')


def read_config(args: argparse.Namespace) -> Any:
    """Read the config that ``args`` name.

    Raises:
        ValueError: if there is none.
    """
    check_config(args)
    from ..runs.config import load_config

    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    options = _values(args.cfg_options or [])
    return load_config(args.config, args.work_dir, args.launcher, options)


def run_config(args: argparse.Namespace, cfg: Any, do: Callable[[Any], object]) -> int:
    """Build the runner of a config and let it work; the exit status.

    Raises:
        ValueError: if something would have to be downloaded and may not.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    from ..runs.config import allow_mmengine_checkpoints, use_cpu_processes
    from ..runs.downloads import allowed_downloads, explained_failure
    from ..runs.processes import leave_processes
    from ..runs.terminal import brief_terminal, log_file

    downloads = allowed_downloads(cfg, args.offline)
    for download in downloads:
        print(f'downloads {download.url} to {download.path}', flush=True)
    allow_mmengine_checkpoints()
    use_cpu_processes(cfg)
    try:
        with explained_failure(downloads):
            with contextlib.nullcontext() if args.verbose else brief_terminal():
                runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
            if runner.rank == 0 and not args.verbose:
                print(f'environment and config are in the log: {log_file(runner)}', flush=True)
            do(runner)
    except Exception:  # a config is a program: where it failed is what its author wants to see
        traceback.print_exc()
        return 1
    leave_processes()
    return 0


def _values(words: Sequence[str]) -> dict[str, Any]:
    """Settings by dotted key, understood as mmengine's scripts do."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    if not words:
        return {}
    wrong = [word for word in words if '=' not in word]
    if wrong:
        raise ValueError(f'--cfg-options: expected KEY=VALUE, got {wrong[0]}')
    return parser.parse_args(['--cfg-options', *words]).cfg_options
