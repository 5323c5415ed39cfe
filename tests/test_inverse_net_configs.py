"""Configs of the inverse network: one step of training and validation on all label maps."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmrefine.models.inverse_nets import load_inverse_net
from mmrefine.ops import draw_label_map

CONFIGS = sorted((Path(__file__).parents[1] / 'configs/inverseform').glob('inverse-net*.py'))
NAME = re.compile(
    r'inverse-net-(?P<side>\d+)(-(?P<kind>affine|homography))?_1xb(?P<batch>\d+)-(?P<iterations>\d+)_'
    r'(?P<maps>drawn|camvid)-(?P<size>\d+)x(?P=size)'
)
OUTPUTS = {None: 4, 'affine': 6, 'homography': 8}


def write_label_maps(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(2):
        labels = draw_label_map((70, 90), 5, np.random.default_rng(seed))
        cv2.imwrite(str(folder / f'{seed}.png'), labels.astype(np.uint8))


def test_there_is_one_of_every_kind_and_one_on_real_maps():
    found = [NAME.fullmatch(path.stem) for path in CONFIGS]
    assert {name['kind'] for name in found} == set(OUTPUTS)
    assert {name['maps'] for name in found} == {'drawn', 'camvid'}


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_trains_and_validates(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(path)
    name = NAME.fullmatch(path.stem)
    assert cfg.train_dataloader.batch_size == int(name['batch'])
    iterations = int(name['iterations'])
    assert cfg.train_cfg.max_iters == cfg.param_scheduler[-1].end == iterations
    assert tuple(cfg.model.tile_size) == (int(name['side']),) * 2 == (int(name['size']),) * 2
    assert cfg.model.num_outputs == OUTPUTS[name['kind']]
    for split in ('train', 'val'):
        dataset = cfg[f'{split}_dataloader'].dataset
        assert dataset.num_outputs == cfg.model.num_outputs
        if 'length' in dataset.label_maps:
            assert dataset.label_maps.length >= 1000
            dataset.label_maps.length = 4
        else:
            write_label_maps(Path(dataset.label_maps.data_root))
    assert cfg.val_dataloader.dataset.seed is not None  # the same pairs every time
    cfg.train_cfg.update(max_iters=1, val_interval=1)
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.work_dir = str(tmp_path)
    cfg.experiment_name = path.stem
    init_default_scope(cfg.default_scope)
    runner = Runner.from_cfg(cfg)
    runner.train()
    figures = runner.message_hub.log_scalars
    assert figures['val/transform/error_px'].current() > 0
    assert figures['val/transform/identity_px'].current() > 0
    assert figures['train/loss_transform'].current() > 0


def test_shipped_network_is_of_the_config_that_made_it():
    (path,) = (p for p in CONFIGS if 'drawn' in p.stem and not NAME.fullmatch(p.stem)['kind'])
    model = Config.fromfile(path).model
    network = load_inverse_net('drawn')
    assert network.tile_size == tuple(model.tile_size)
    assert network.fc[0].out_features == model.hidden[0]
    assert network.num_outputs == model.num_outputs
