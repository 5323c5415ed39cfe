"""The how-to of a page: three lines in a stock mmseg config, run with mmseg's own train script."""

import json
import re
from pathlib import Path
from typing import Any

import mmseg
import torch
from mmengine.config import Config
from small_data import write_data

DOCS = Path(__file__).parents[1] / 'docs'
MMSEG = Path(mmseg.__file__).parent / '.mim'
STOCK = MMSEG / 'configs/hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py'


def train_documented_lines(
    page: str, marker: str, folder: Path, run_fresh: Any
) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Add the lines behind ``<!-- marker -->`` of a page to a stock config and train one step.

    Returns:
        What was logged, and the weights of the checkpoint.
    """
    text = (DOCS / page).read_text('utf-8')
    block = re.search(rf'<!-- {marker} -->\s*```python\n(.*?)```', text, re.DOTALL)
    lines = block[1].splitlines()
    assert lines[0].startswith('_base_ = ')
    added = lines[1:]
    assert len(added) == 3
    config = folder / 'mine.py'
    config.write_text('\n'.join([f'_base_ = {str(STOCK)!r}', *added]))
    root = folder / 'cityscapes'
    cfg = Config.fromfile(config)
    for split in ('train', 'val'):
        dataset = cfg[f'{split}_dataloader'].dataset
        write_data(dict(dataset, type='mmseg.CityscapesDataset', data_root=str(root), pipeline=[]))
    options = {
        'model.pretrained': None,
        'model.data_preprocessor.size': '(64,64)',
        'train_cfg.max_iters': 1,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.logger.interval': 1,
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'train_dataloader.dataset.pipeline.2.scale': '(96,80)',
        'val_dataloader.dataset.pipeline.1.scale': '(96,80)',
        'train_dataloader.dataset.pipeline.3.crop_size': '(64,64)',
    }
    options |= {f'{s}_dataloader.dataset.data_root': root for s in ('train', 'val', 'test')}
    work_dir = folder / 'work'
    result = run_fresh(
        *map(str, (MMSEG / 'tools/train.py', config, '--work-dir', work_dir, '--cfg-options')),
        *(f'{key}={value}' for key, value in options.items()),
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    figures = json.loads(log.read_text().splitlines()[0])
    checkpoint = torch.load(work_dir / 'iter_1.pth', weights_only=False)
    return figures, checkpoint['state_dict']
