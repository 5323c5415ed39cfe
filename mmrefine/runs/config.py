"""What ``tools/train.py`` and ``tools/test.py`` do with a config before mmengine's runner runs it.

Each function changes the config it is given and nothing else.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from mmengine.config import Config

from ..frameworks import import_quietly

# The metrics of mmseg that can write predictions.
WRITING_METRICS = ('IoUMetric', 'mmseg.IoUMetric', 'CityscapesMetric', 'mmseg.CityscapesMetric')


def load_config(
    path: str,
    work_dir: str | None = None,
    launcher: str = 'none',
    cfg_options: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config as mmseg's scripts do.

    Args:
        path: A config file.
        work_dir: Where logs and checkpoints go; else the config's own ``work_dir``, else
            ``work_dirs/`` and the config's base name.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        cfg_options: Settings that replace the config's, by dotted key.

    Raises:
        ValueError: if there is no such file.
    """
    if not Path(path).is_file():
        raise ValueError(f'config: expected a config file, {path} is none')
    cfg = Config.fromfile(path)
    import_quietly('mmdet.datasets' if cfg.get('default_scope') == 'mmdet' else 'mmseg.datasets')
    cfg.launcher = launcher
    if cfg_options:
        cfg.merge_from_dict(dict(cfg_options))
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(path).stem)
    return cfg


def use_cpu_processes(cfg: Config) -> None:
    """Let ``launcher='pytorch'`` work without a GPU, where mmengine's own start expects one."""
    if cfg.launcher != 'pytorch' or torch.cuda.is_available():
        return
    torch.distributed.init_process_group('gloo')
    cfg.setdefault('model_wrapper_cfg', dict(type='MMDistributedDataParallel', device_ids=None))


def allow_mmengine_checkpoints() -> None:
    """Let every mmengine read what mmengine saved, as its maintained line does by itself.

    A checkpoint of a training holds its logs beside the weights. torch 2.6 and later refuse such a
    file where ``weights_only`` is not passed, and the original mmengine does not pass it.
    """
    if 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ:
        os.environ.setdefault('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')


def use_mixed_precision(cfg: Config) -> None:
    """Train with automatic mixed precision.

    Raises:
        ValueError: if the config's optimizer wrapper is not the plain one.
    """
    kind = cfg.optim_wrapper.type
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ValueError(f'--amp: needs optim_wrapper.type OptimWrapper, the config has {kind}')
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    else:
        cfg.optim_wrapper.type = 'mmrefine.BFloat16OptimWrapper'
        hook = dict(type='mmrefine.ChannelsLastHook')
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]


def add_refinement(cfg: Config, refiner: Mapping[str, Any]) -> None:
    """Put ``RefinementHook`` with a refiner's config behind the model of any mmseg config."""
    hook = dict(type='mmrefine.RefinementHook', refiner=dict(refiner))
    cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]


def save_predictions(cfg: Config, folder: str) -> None:
    """Let the test metric write every prediction to ``folder`` as a PNG.

    Raises:
        ValueError: if no metric of the config can.
    """
    evaluator = cfg.get('test_evaluator')
    metrics = evaluator if isinstance(evaluator, list) else [evaluator]
    writing = [metric for metric in metrics if metric and metric.type in WRITING_METRICS]
    if not writing:
        raise ValueError(f'--out: test_evaluator has none of {", ".join(WRITING_METRICS)}')
    writing[0].output_dir = folder
    writing[0].keep_results = True


def save_pictures(cfg: Config, folder: str) -> None:
    """Draw every prediction over its image, below ``folder``.

    Raises:
        ValueError: if the config has no visualization hook or no visualizer.
    """
    hook = cfg.get('default_hooks', {}).get('visualization')
    if hook is None or cfg.get('visualizer') is None:
        raise ValueError('--show-dir: needs default_hooks.visualization and a visualizer')
    hook.draw = True
    hook.interval = 1
    cfg.visualizer.save_dir = folder
