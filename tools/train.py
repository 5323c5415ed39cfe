"""Train a model: ``python tools/train.py CONFIG``, as in mmseg."""

import argparse
import os

from mmengine.config import DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmrefine.runs.config import (
    allow_mmengine_checkpoints,
    load_config,
    use_cpu_processes,
    use_mixed_precision,
)
from mmrefine.runs.downloads import allowed_downloads, explained_failure
from mmrefine.runs.processes import leave_processes


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Train a model')
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument('--resume', action='store_true', help='go on from the latest checkpoint')
    parser.add_argument(
        '--amp', action='store_true', help='automatic mixed precision; bfloat16 on a CPU'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='settings in place of the config\'s, e.g. train_cfg.max_iters=1000 a.b="[1,2]"',
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
    try:
        cfg = load_config(args.config, args.work_dir, args.launcher, args.cfg_options)
        cfg.resume = args.resume
        if args.amp:
            use_mixed_precision(cfg)
        downloads = allowed_downloads(cfg, args.offline)
    except ValueError as error:
        parser.error(str(error))
    allow_mmengine_checkpoints()
    use_cpu_processes(cfg)
    for download in downloads:
        print(f'downloads {download.url} to {download.path}', flush=True)
    with explained_failure(downloads):
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        runner.train()
    leave_processes()


if __name__ == '__main__':
    main()
