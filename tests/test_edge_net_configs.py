"""Configs of the edge network: one step of training, and validation on both kinds of label maps."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmrefine.models.edge_nets import SHIPPED, load_edge_net
from mmrefine.ops import draw_label_map

CONFIGS = sorted((Path(__file__).parents[1] / 'configs/semeda').glob('edge-net*.py'))
NAME = re.compile(
    r'edge-net-(?P<classes>\d+)_1xb(?P<batch>\d+)-(?P<iterations>\d+)_(drawn|\w+)-64x64'
)


def write_label_maps(dataset: Config, num_classes: int) -> None:
    """Two maps in the folder of the dataset, if it reads a folder."""
    if 'data_root' not in dataset:
        return
    folder = Path(dataset.data_root)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(2):
        labels = draw_label_map((70, 90), num_classes, np.random.default_rng(seed))
        cv2.imwrite(str(folder / f'{seed}.png'), labels.astype(np.uint8))


def test_there_is_one_for_every_shipped_network_and_one_on_real_maps():
    names = [path.stem for path in CONFIGS]
    drawn = [name for name in names if 'drawn' in name]
    assert {int(NAME.fullmatch(name)['classes']) for name in drawn} == set(SHIPPED)
    assert len(names) > len(drawn)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_validates(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(path)
    name = NAME.fullmatch(path.stem)
    assert cfg.train_dataloader.batch_size == int(name['batch'])
    assert cfg.train_cfg.max_iters == cfg.param_scheduler[0].end == int(name['iterations'])
    num_classes = int(name['classes'])
    assert cfg.model.num_classes == num_classes
    for split in ('train', 'val'):
        dataset = cfg[f'{split}_dataloader'].dataset
        write_label_maps(dataset, num_classes)
        assert dataset.get('num_classes', num_classes) == num_classes
        if 'length' in dataset:
            assert dataset.length >= 200
            dataset.update(length=4, size_hw=(24, 32))
    cfg.train_cfg.update(max_iters=1, val_interval=1)
    cfg.train_dataloader.batch_size = 2
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = path.stem
    init_default_scope(cfg.default_scope)
    runner = Runner.from_cfg(cfg)
    runner.train()
    figures = runner.message_hub.log_scalars
    assert 0 <= figures['val/edge/fscore'].current() <= 100
    assert figures['train/loss_edge'].current() > 0


def test_shipped_networks_name_the_config_that_made_them():
    for num_classes in SHIPPED:
        (path,) = (p for p in CONFIGS if f'-{num_classes}_' in p.stem and 'drawn' in p.stem)
        assert load_edge_net(num_classes).num_classes == Config.fromfile(path).model.num_classes
