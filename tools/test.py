"""Test a model, with ``--refine`` behind a refiner: ``python tools/test.py CONFIG CHECKPOINT``."""

import argparse
import os
from pathlib import Path

from mmengine.config import DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmrefine.refiners.names import refiner_settings
from mmrefine.runs.config import (
    add_refinement,
    allow_mmengine_checkpoints,
    load_config,
    save_pictures,
    save_predictions,
    use_cpu_processes,
)
from mmrefine.runs.downloads import allowed_downloads, explained_failure
from mmrefine.runs.processes import leave_processes


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Test a model')
    parser.add_argument('config', help='config file of the model')
    parser.add_argument('checkpoint', help='checkpoint file of the model')
    parser.add_argument('--work-dir', help='where logs and metrics go')
    parser.add_argument('--out', help='folder for the predictions, as label-map PNGs')
    parser.add_argument('--show-dir', help='folder for the predictions, drawn over the images')
    parser.add_argument(
        '--refine',
        help='refine the predictions: name of a method, such as segfix or bpr; or the config of a '
        'refiner or of its network',
    )
    parser.add_argument('--refine-checkpoint', help='weights for the refiner; else its own')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings in place of the config\'s, e.g. model.test_cfg.mode=slide a.b="[1,2]"',
    )
    parser.add_argument(
        '--offline',
        action='store_true',
        help='download nothing; MMREFINE_OFFLINE=1 does the same',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.refine_checkpoint and not args.refine:
        parser.error('--refine-checkpoint: needs --refine')
    try:
        cfg = load_config(args.config, args.work_dir, args.launcher, args.cfg_options)
        if '://' not in args.checkpoint and not Path(args.checkpoint).is_file():
            raise ValueError(f'checkpoint: expected a file, {args.checkpoint} is none')
        cfg.load_from = args.checkpoint
        if args.out:
            save_predictions(cfg, args.out)
        if args.show_dir:
            save_pictures(cfg, args.show_dir)
        if args.refine:
            add_refinement(cfg, refiner_settings(args.refine, args.refine_checkpoint))
        downloads = allowed_downloads(cfg, args.offline)
    except ValueError as error:
        parser.error(str(error))
    allow_mmengine_checkpoints()
    use_cpu_processes(cfg)
    for download in downloads:
        print(f'downloads {download.url} to {download.path}', flush=True)
    with explained_failure(downloads):
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        runner.test()
    leave_processes()


if __name__ == '__main__':
    main()
