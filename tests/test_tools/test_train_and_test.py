"""``tools/train.py`` and ``tools/test.py`` on a tiny data set."""

import json
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmrefine.hooks import BFloat16OptimWrapper
from mmrefine.refiners import SegFixRefiner
from mmrefine.refiners.names import refiner_settings
from mmrefine.registry import MODELS
from mmrefine.runs.config import add_refinement, use_mixed_precision

ROOT = Path(__file__).parents[2]
# A config as somebody else has it: nothing of ours in it.
STOCK = """
default_scope = 'mmseg'
norm_cfg = dict(type='BN')
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[0] * 3, std=[255] * 3, size=(48, 64)),
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        type='FCNHead',
        in_channels=64,
        in_index=3,
        channels=8,
        num_convs=1,
        num_classes=4,
        norm_cfg=norm_cfg,
    ),
    test_cfg=dict(mode='whole'),
)
test_dataloader = dict(
    batch_size=1,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=dict(classes=('a', 'b', 'c', 'd')),
        img_suffix='.png',
        data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_cfg = dict(type='TestLoop')
"""


@pytest.fixture
def run_tool(monkeypatch, tmp_path):
    """Run a script of ``tools/`` in this process, from an empty folder."""

    def run(name: str, *args: object) -> None:
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args)])
        # What the script sets ends with the test.
        monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '0')
        monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
        if ended.value.code:
            raise ended.value

    return run


@pytest.fixture(scope='module')
def stock(tmp_path_factory, camvid_folder) -> tuple[Path, Path]:
    """Return a stock mmseg config and a checkpoint of its model, as files."""
    folder = tmp_path_factory.mktemp('stock')
    config = folder / 'stock.py'
    config.write_text(f'{STOCK}\ntest_dataloader["dataset"]["data_root"] = {str(camvid_folder)!r}')
    return config, save_model(Config.fromfile(config), 'mmseg', folder / 'stock.pth')


@pytest.fixture(scope='module')
def segfix_weights(tmp_path_factory, small_config) -> Path:
    """Return untrained weights of the small SegFix; they still move many labels."""
    return save_model(
        Config.fromfile(small_config), 'mmrefine', tmp_path_factory.mktemp('w') / 'w.pth'
    )


def save_model(cfg: Config, scope: str, path: Path) -> Path:
    torch.manual_seed(0)
    with MODELS.switch_scope_and_registry(scope) as registry:
        model = registry.build(cfg.model)
    model.init_weights()
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, path)
    return path


def read_pngs(folder: Path) -> dict[str, np.ndarray]:
    return {path.name: cv2.imread(str(path), -1) for path in sorted(folder.glob('*.png'))}


def read_metrics(work_dir: Path) -> dict[str, float]:
    (path,) = work_dir.glob('*/*.json')
    return {k: v for k, v in json.loads(path.read_text()).items() if 'time' not in k}


@pytest.mark.quick
def test_train_then_resume(run_tool, small_config, small_run, tmp_path):
    run_tool('train.py', small_config, '--work-dir', 'work', *small_run(1))
    assert (tmp_path / 'work' / 'last_checkpoint').read_text().endswith('iter_1.pth')
    run_tool('train.py', small_config, '--work-dir', 'work', '--resume', *small_run(2))
    checkpoint = torch.load(tmp_path / 'work' / 'iter_2.pth', weights_only=False)
    assert checkpoint['meta']['iter'] == 2
    log = max((tmp_path / 'work').glob('*/*.log')).read_text()
    assert 'resumed epoch: 0, iter: 1' in log


def test_the_terminal_has_what_people_read_and_the_next_step(
    run_tool, small_config, small_run, capsys
):
    run_tool('train.py', small_config, '--work-dir', 'work', *small_run(1))
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) < 20
    assert 'Saving checkpoint at 1 iterations' in printed
    assert 'checkpoint: work/iter_1.pth' in printed
    given = f'--config {small_config} --checkpoint work/iter_1.pth'
    assert f'next: mmrefine refine IMAGES MASKS OUT {given}' in printed
    (name,) = {line.partition(': ')[2] for line in printed.splitlines() if line[:5] == 'log: '}
    for dump in ('System environment:', 'Config:\n', 'Hooks will be executed'):
        assert dump in Path(name).read_text()
        assert dump not in printed
    run_tool('train.py', small_config, '--work-dir', 'all', '--verbose', *small_run(1))
    assert 'System environment:' in capsys.readouterr().out


def test_the_next_step_after_another_model_is_to_test_it(
    run_tool, small_config, small_run, monkeypatch, capsys
):
    monkeypatch.setattr('mmrefine.refiners.names.types_of_models', dict)  # no refiner's network
    run_tool('train.py', small_config, '--work-dir', 'work', *small_run(1))
    printed = capsys.readouterr().out
    assert f'next: mmrefine test {small_config} work/iter_1.pth' in printed
    assert 'mmrefine refine' not in printed


@pytest.mark.quick
def test_refine_puts_the_refiner_behind_a_stock_config(
    run_tool, stock, small_config, segfix_weights, camvid_folder, tmp_path
):
    run_tool('test.py', *stock, '--work-dir', 'coarse', '--out', 'coarse/png')
    run_tool(
        'test.py',
        *stock,
        *('--work-dir', 'refined', '--out', 'refined/png'),
        *('--refine', small_config, '--refine-checkpoint', segfix_weights),
    )
    coarse = read_pngs(tmp_path / 'coarse' / 'png')
    refined = read_pngs(tmp_path / 'refined' / 'png')
    assert list(coarse) == list(refined) == ['0.png', '1.png', '2.png']
    refiner = SegFixRefiner(small_config, segfix_weights)
    for name, labels in coarse.items():
        image = camvid_folder / 'img_dir' / 'val' / name
        assert np.array_equal(refined[name], refiner.refine(image, labels))
    assert any((refined[name] != coarse[name]).any() for name in coarse)
    assert read_metrics(tmp_path / 'refined') != read_metrics(tmp_path / 'coarse')


def test_processes_share_the_images(
    run_tool, run_fresh, stock, small_config, segfix_weights, tmp_path
):
    common = (*stock, '--refine', small_config, '--refine-checkpoint', segfix_weights)
    run_tool('test.py', *common, '--work-dir', 'one', '--out', 'one/png')
    launch = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2')
    script = (ROOT / 'tools' / 'test.py', *common, '--work-dir', 'two', '--out', 'two/png')
    result = run_fresh(*map(str, (*launch, *script)), '--launcher', 'pytorch', cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    one, two = read_pngs(tmp_path / 'one' / 'png'), read_pngs(tmp_path / 'two' / 'png')
    assert list(one) == list(two) == ['0.png', '1.png', '2.png']
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert read_metrics(tmp_path / 'one') == read_metrics(tmp_path / 'two')


def test_show_dir(run_tool, stock, tmp_path):
    config = tmp_path / 'shown.py'
    config.write_text(
        f"_base_ = '{stock[0]}'\n"
        "default_hooks = dict(visualization=dict(type='SegVisualizationHook'))\n"
        "backends = [dict(type='LocalVisBackend')]\n"
        "visualizer = dict(type='SegLocalVisualizer', vis_backends=backends)\n"
    )
    run_tool('test.py', config, stock[1], '--show-dir', 'show')
    assert list((tmp_path / 'show').rglob('*.png'))


@pytest.mark.parametrize(
    ('tool', 'args', 'line'),
    [
        ('train.py', ['no.py'], 'config: expected a config file, no.py is none'),
        ('test.py', ['no.py', 'no.pth'], 'config: expected a config file, no.py is none'),
        ('test.py', ['STOCK', 'no.pth'], 'checkpoint: expected a file, no.pth is none'),
        (
            'test.py',
            ['STOCK', 'WEIGHTS', '--refine', 'sharpen'],
            'refiner: expected bpr, segfix or an existing config file .py, got sharpen',
        ),
        (
            'test.py',
            ['STOCK', 'WEIGHTS', '--refine', 'STOCK'],
            'neither refiner = dict(type=...) nor a model of type mmrefine.PatchRefiner, ',
        ),
        (
            'test.py',
            ['STOCK', 'WEIGHTS', '--refine', 'segfix', '--refine-checkpoint', 'no.pth'],
            'refiner checkpoint: expected a file, no.pth is none',
        ),
        (
            'test.py',
            ['STOCK', 'WEIGHTS', '--refine-checkpoint', 'no.pth'],
            '--refine-checkpoint: needs --refine',
        ),
        (
            'test.py',
            ['STOCK', 'WEIGHTS', '--out', 'x', '--cfg-options', 'test_evaluator.type=Other'],
            '--out: test_evaluator has none of IoUMetric',
        ),
        ('test.py', ['STOCK', 'WEIGHTS', '--show-dir', 'x'], '--show-dir: needs default_hooks'),
        ('train.py', ['STOCK', '--gamma', '5'], 'unrecognized arguments: --gamma 5'),
    ],
)
def test_bad_arguments_give_one_line(run_tool, stock, capsys, tmp_path, tool, args, line):
    names = dict(zip(('STOCK', 'WEIGHTS'), stock, strict=True))
    with pytest.raises(SystemExit) as stop:
        run_tool(tool, *(names.get(arg, arg) for arg in args))
    assert stop.value.code == (2 if 'unrecognized' in line or 'needs --refine' in line else 1)
    assert line in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_hook_is_added_to_those_there_are():
    cfg = Config(dict(custom_hooks=[dict(type='EMAHook')]))
    add_refinement(cfg, refiner_settings('segfix'))
    assert [hook.type for hook in cfg.custom_hooks] == ['EMAHook', 'mmrefine.RefinementHook']
    assert cfg.custom_hooks[1].refiner == dict(type='mmrefine.SegFixRefiner')


def test_config_may_define_a_refiner(tmp_path):
    path = tmp_path / 'refine.py'
    path.write_text("refiner = dict(type='mmrefine.SegFixRefiner', scale=3)")
    weights = tmp_path / 'weights.pth'
    weights.touch()
    assert refiner_settings(str(path), str(weights)) == dict(
        type='mmrefine.SegFixRefiner', scale=3, checkpoint=str(weights)
    )


def test_mixed_precision_changes_the_wrapper():
    with pytest.raises(ValueError, match=r'needs optim_wrapper\.type OptimWrapper'):
        use_mixed_precision(Config(dict(optim_wrapper=dict(type='Other'))))
    cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper'), custom_hooks=[dict(type='A')]))
    use_mixed_precision(cfg)
    if torch.cuda.is_available():
        assert cfg.optim_wrapper == dict(type='AmpOptimWrapper', loss_scale='dynamic')
    else:
        assert cfg.optim_wrapper == dict(type='mmrefine.BFloat16OptimWrapper')
        assert [hook.type for hook in cfg.custom_hooks] == ['A', 'mmrefine.ChannelsLastHook']


def test_bfloat16_is_for_the_network_alone():
    net = torch.nn.Conv2d(3, 4, 3)
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(net.parameters(), lr=0.1))
    with wrapper.optim_context(net):
        features = net(torch.rand(1, 3, 6, 7))
    assert features.dtype == torch.bfloat16
    assert net(torch.rand(1, 3, 6, 7)).dtype == torch.float32
    before = net.weight.detach().clone()
    wrapper.update_params(features.float().square().mean())
    assert net.weight.dtype == torch.float32
    assert not torch.equal(net.weight, before)
