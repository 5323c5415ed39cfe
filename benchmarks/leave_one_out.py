"""Train a shipped network without one source of images, for benchmarks/sources.py to measure on it.

    python benchmarks/leave_one_out.py CONFIG davis --iterations 300 --out OUT.pth

CONFIG trains on several folders of data/; the one that is named is left out.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from mmengine.config import Config, DictAction

ROOT = Path(__file__).parents[1]


def without(config: str, folder: str, iterations: int) -> Config:
    """The config without the datasets in ``folder``, trained for so many iterations."""
    cfg = Config.fromfile(config)
    parts = cfg.train_dataloader.dataset.datasets
    kept = [part for part in parts if Path(part.data_root).name != folder]
    if len(kept) == len(parts):
        raise ValueError(f'folder: {config} does not train on {folder}')
    cfg.train_dataloader.dataset.datasets = kept
    share = iterations / cfg.train_cfg.max_iters
    for scheduler in cfg.param_scheduler:
        scheduler.begin, scheduler.end = (
            round(scheduler.begin * share),
            round(scheduler.end * share),
        )
    cfg.train_cfg.max_iters = iterations
    cfg.train_cfg.val_interval = 2 * iterations  # not while training
    return cfg


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config')
    parser.add_argument('folder', help='of data/: camvid, davis, nuclei or coco_open')
    parser.add_argument('--iterations', type=int, default=300)
    parser.add_argument('--out', type=Path, required=True, help='published checkpoint')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={})
    args = parser.parse_args()
    cfg = without(args.config, args.folder, args.iterations)
    cfg.merge_from_dict(args.cfg_options)
    work_dir = args.out.with_suffix('')
    work_dir.mkdir(parents=True, exist_ok=True)
    path = work_dir / 'config.py'
    cfg.dump(path)
    tools = ROOT / 'tools'
    train = [sys.executable, tools / 'train.py', path, '--work-dir', work_dir]
    if (work_dir / 'last_checkpoint').exists():
        train.append('--resume')
    subprocess.run(train, check=True)
    last = work_dir / f'iter_{args.iterations}.pth'
    subprocess.run(
        [sys.executable, tools / 'publish_checkpoint.py', path, last, args.out], check=True
    )


if __name__ == '__main__':
    main()
