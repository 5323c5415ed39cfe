"""``mmrefine test``: test a model, with ``--refine`` behind a refiner."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..methods import method_names
from .mmengine_runs import add_run_options, check_config, read_config, run_config

DESCRIPTION = 'Test a model by a config of mmengine, with --refine behind a refiner'
EPILOG = """
examples:
  mmrefine test my_config.py work_dirs/my_config/iter_150.pth
  mmrefine test your_config.py your_checkpoint.pth --refine bpr

Configs and training checkpoints are programs: take them from people you trust.
"""


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the arguments."""
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint file of the model')
    parser.add_argument('--out', help='folder for the predictions, as label-map PNGs')
    parser.add_argument('--show-dir', help='folder for the predictions, drawn over the images')
    parser.add_argument(
        '--refine',
        help=f'refine the predictions: {", ".join(method_names())}; or the config of a refiner or '
        'of its network',
    )
    parser.add_argument('--refine-checkpoint', help='weights for the refiner; else its own')
    add_run_options(parser, 'model.test_cfg.mode=slide')


def run(args: argparse.Namespace) -> int:
    """Test; the exit status."""
    if args.refine_checkpoint and not args.refine:
        args.parser.error('--refine-checkpoint: needs --refine')
    check_config(args)
    if '://' not in args.checkpoint:
        if not Path(args.checkpoint).is_file():
            raise ValueError(f'checkpoint: expected a file, {args.checkpoint} is none')
        from ..files.first_look import look_at_checkpoint

        look_at_checkpoint(args.checkpoint)
    cfg = read_config(args)
    from ..refiners.names import refiner_settings
    from ..runs.config import add_refinement, save_pictures, save_predictions

    cfg.load_from = args.checkpoint
    if args.out:
        save_predictions(cfg, args.out)
    if args.show_dir:
        save_pictures(cfg, args.show_dir)
    if args.refine:
        add_refinement(cfg, refiner_settings(args.refine, args.refine_checkpoint))
    return run_config(args, cfg, lambda runner: runner.test())
