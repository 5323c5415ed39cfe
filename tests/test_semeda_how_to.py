"""The how-to of docs/semeda.md: three lines in a stock mmseg config, mmseg's own train script."""

import json
import re
from pathlib import Path

import mmseg
import pytest
import torch
from mmengine.config import Config
from small_data import write_data

DOCS = Path(__file__).parents[1] / 'docs' / 'semeda.md'
MMSEG = Path(mmseg.__file__).parent / '.mim'
STOCK = MMSEG / 'configs/hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py'


def documented_lines() -> list[str]:
    """The lines to add, as the docs have them."""
    block = re.search(r'<!-- how-to -->\s*```python\n(.*?)```', DOCS.read_text(), re.DOTALL)
    return block[1].splitlines()


@pytest.mark.quick
@pytest.mark.skipif(not STOCK.is_file(), reason='mmseg was installed without its configs')
def test_three_lines_in_a_stock_config(tmp_path, run_fresh):
    lines = documented_lines()
    assert lines[0].startswith('_base_ = ')
    added = lines[1:]
    assert len(added) == 3
    config = tmp_path / 'mine.py'
    config.write_text('\n'.join([f'_base_ = {str(STOCK)!r}', *added]))
    root = tmp_path / 'cityscapes'
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
        'train_dataloader.dataset.pipeline.3.crop_size': '(64,64)',
    }
    options |= {f'{s}_dataloader.dataset.data_root': root for s in ('train', 'val', 'test')}
    work_dir = tmp_path / 'work'
    result = run_fresh(
        *map(str, (MMSEG / 'tools/train.py', config, '--work-dir', work_dir, '--cfg-options')),
        *(f'{key}={value}' for key, value in options.items()),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    figures = json.loads(log.read_text().splitlines()[0])
    assert figures['decode.loss_semeda'] > 0
    assert figures['decode.loss_ce'] > 0
    checkpoint = torch.load(work_dir / 'iter_1.pth', weights_only=False)
    assert not [key for key in checkpoint['state_dict'] if 'loss' in key]
