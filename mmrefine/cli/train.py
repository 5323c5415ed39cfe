"""``mmrefine train``: train a model, as mmseg's script does."""

import argparse
import shlex
from collections.abc import Sequence
from typing import Any

from .mmengine_runs import add_run_options, read_config, run_config

DESCRIPTION = 'Train a model by a config of mmengine'
EPILOG = """
examples:
  mmrefine train my_config.py
  mmrefine train my_config.py --resume
  mmrefine train my_config.py --cfg-options train_cfg.max_iters=1000

A config is a program: take configs and checkpoints from people you trust.
"""


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('config', help='config file')
    parser.add_argument('--resume', action='store_true', help='go on from the latest checkpoint')
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision; bfloat16 on a CPU'
    )
    add_run_options(parser, 'train_cfg.max_iters=1000')


def run(args: argparse.Namespace) -> int:
    """Train; the exit status."""
    cfg = read_config(args)
    from ..runs.config import use_mixed_precision

    cfg.resume = args.resume
    if args.amp:
        use_mixed_precision(cfg)
    return run_config(args, cfg, lambda runner: _train(args, runner))


def _train(args: argparse.Namespace, runner: Any) -> None:
    """Train, and say where the result lies and what it is good for."""
    from mmengine.runner import find_latest_checkpoint

    from ..refiners.names import types_of_models
    from ..runs.terminal import from_here, log_file

    runner.train()
    checkpoint = find_latest_checkpoint(runner.work_dir)
    if runner.rank != 0 or checkpoint is None:
        return
    checkpoint = from_here(checkpoint)
    print(f'checkpoint: {checkpoint}')
    print(f'log: {log_file(runner)}')
    if runner.cfg.model.type in types_of_models():
        given = shlex.join(['--config', args.config, '--checkpoint', checkpoint])
        print(f'next: mmrefine refine IMAGES MASKS OUT {given}')
        print(f'next: mmrefine app {given}')
    elif runner.cfg.get('test_dataloader') is not None:
        print(f'next: mmrefine test {shlex.join([args.config, checkpoint])}')
