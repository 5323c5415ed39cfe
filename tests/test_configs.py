"""Every config is what its name says, builds, reads its data, trains and validates."""

import copy
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.runner import Runner, set_random_seed
from mmengine.runner.checkpoint import get_mmcls_models
from small_data import datasets_in, write_data

from mmrefine.models.backbones.ffnet_resnet import family_of
from mmrefine.models.ffnet_names import parse_name
from mmrefine.registry import MODELS

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / 'configs').glob('*/*.py'))
# These networks learn from label maps alone: test_edge_net_configs.py,
# test_inverse_net_configs.py. PISR's models are mmdet's: test_models/test_pisr_in_mmdet.py.
CONFIGS = [
    path
    for path in CONFIGS
    if path.parent.name not in ('_base_', 'pisr')
    and not path.stem.startswith(('edge-net', 'inverse-net'))
]
TRAIN_ONLY = [path for path in CONFIGS if path.stem.startswith(('bpr_lite0', 'segfix_lite0'))]
TRAINED = [path for path in CONFIGS if not path.stem.startswith('bpr_lite0')]
CONFIGS = [path for path in CONFIGS if path not in TRAIN_ONLY]
SEGFIX = [path for path in CONFIGS if path.parent.name == 'segfix']
# model _ GPUs x batch - iterations _ data set - size
NAME = re.compile(
    r'(?P<method>[a-z0-9]+)_(?P<network>[\w.-]+?)_(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<iterations>\d+k?)_'
    r'(?P<rest>[\w-]+)-(?P<size>\d+((x|to|pad\d+to)\d+)?)'
)
CROP = (48, 64)  # height, width
WIDTHS = ('num_channels', 'in_channels', 'channels', 'stem_channels', 'base_channels')
WIDTHS += ('c1_in_channels', 'c1_channels', 'embed_dims', 'level_channels', 'mlp_channels')
SPLITS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
every_config = pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
every_segfix = pytest.mark.parametrize('path', SEGFIX, ids=lambda path: path.stem)


def all_dicts(value: Any) -> Iterator[dict]:
    """The dictionaries in a config, at any depth."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from all_dicts(item)


def of_type(value: Any, name: str) -> list[dict]:
    return [d for d in all_dicts(value) if str(d.get('type', '')).split('.')[-1] == name]


def narrower(width: Any) -> Any:
    """An eighth of a number of channels, the same everywhere; those of the input stay."""
    if isinstance(width, list | tuple):
        return type(width)(narrower(w) for w in width)
    return width if width <= 6 else max(2, width // 8)


def make_small(cfg: Config) -> None:
    """Reduce sizes, so that a step takes a fraction of a second; keep everything else."""
    make_model_small(cfg.model)
    if cfg.model.get('teacher'):
        write_teacher(cfg.model.teacher)
    if 'size' in cfg.model.data_preprocessor:
        cfg.model.data_preprocessor.size = CROP
    for split in cfg.keys() & set(SPLITS):
        loader = cfg[split]
        loader.update(num_workers=0, persistent_workers=False, batch_size=2)
        for step in all_dicts(loader.dataset):
            if 'crop_size' in step:
                step['crop_size'] = CROP
            if str(step.get('type')) == 'RandomResize':
                step['scale'] = (96, 80)
            elif str(step.get('type')) in ('mmseg.Resize', 'mmrefine.ResizeFrames'):
                step['scale'] = (64, 64)
    for split in cfg.keys() & set(SPLITS[1:]):
        cfg[split].batch_size = 1


def make_ffnet_small(part: dict, kind: str) -> None:
    """One block a stage and an eighth of the channels, whichever architecture it is."""
    arch = parse_name(part['name']).arch if kind == 'FFNet' else part['arch']
    channels = family_of(arch).channels
    small = dict(blocks=(1,) * len(channels), channels=narrower(channels))
    part.update(dict(backbone=small) if kind == 'FFNet' else small)


def make_model_small(model: dict) -> None:
    for part in all_dicts(model):
        kind = str(part.get('type', '')).split('.')[-1]
        if kind in ('FFNet', 'FFNetResNet'):
            make_ffnet_small(part, kind)
        for key in WIDTHS:
            # An FFNet's up-head has widths of its own, which no config changes.
            if key in part and kind not in ('FFNet', 'FFNetResNet', 'FFNetHead'):
                part[key] = narrower(part[key])
        if kind == 'PoseNet':  # what its backbone, a ResNet-18, ends with
            part['in_channels'] = 8 * narrower(part['backbone']['base_channels'])
        if 'num_blocks' in part:
            part['num_blocks'] = (1,) * len(part['num_blocks'])
        if 'depth' in part:  # of a ResNet; its branches start at zero and pass no gradient
            part.update(depth=min(part['depth'], 50), zero_init_residual=False)
        if 'num_modules' in part:
            part['num_modules'] = 1
        if (part.get('init_cfg') or {}).get('type') == 'Pretrained':
            part['init_cfg'] = None  # nothing is downloaded


def write_teacher(teacher: dict) -> None:
    """Weights of a small network of the teacher's kind, where the config wants them."""
    model = Config.fromfile(teacher['config']).model
    make_model_small(model)
    path = Path(teacher['checkpoint'])
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({'state_dict': MODELS.build(copy.deepcopy(model)).state_dict()}, path)
    teacher['config'] = model


def test_there_are_configs_of_every_method():
    assert len(SEGFIX) >= 15
    assert {path.parent.name for path in CONFIGS} == {
        folder.name for folder in (ROOT / 'configs').iterdir() if folder.is_dir()
    } - {'_base_', 'pisr'}
    text = ' '.join(path.stem for path in SEGFIX)
    for part in ('cityscapes', 'ade20k', 'gta5', 'cityscapes-ade20k', 'camvid', 'own-data',
                 'hrnet-w18', 'hrnet-w32', 'hrnet2x', 'm4', 'm16', 'width-3', 'width-10',
                 'width-inf'):  # fmt: skip
        assert re.search(rf'[_-]{part}[_-]', text), part


def test_pretrained_weights_are_found_without_torchvision():
    """mmengine asks torchvision, which is not required, where its weights are named so."""
    texts = {path.name: path.read_text() for path in (ROOT / 'configs').rglob('*.py')}
    assert any("'mmcls://resnet18'" in text for text in texts.values())
    assert [name for name, text in texts.items() if 'torchvision://' in text] == []
    for text in texts.values():
        for name in re.findall(r"'mmcls://(\w+)'", text):
            assert get_mmcls_models()[name].endswith('.pth')


def test_base_names_occur_once_in_the_whole_tree():
    """mim finds configs by their base name alone, anywhere below the root.

    Training writes its config into work_dirs/ as well, which is nothing that we ship.
    """
    names: list[str] = []
    for folder, subfolders, files in os.walk(ROOT):
        subfolders[:] = [
            name
            for name in subfolders
            if name[0] != '.'
            and name != 'work_dirs'
            and not Path(folder, name, 'pyvenv.cfg').exists()
        ]
        names += [name for name in files if name.endswith('.py')]
    count = Counter(names)
    ours = [path.name for path in (ROOT / 'configs').rglob('*.py')]
    assert len(ours) > 20
    assert [name for name in ours if count[name] != 1] == []


@pytest.mark.parametrize('path', TRAINED, ids=lambda path: path.stem)
@pytest.mark.filterwarnings('ignore::UserWarning')
def test_one_step_of_training_and_of_validation(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # data lie in relative paths
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    make_small(cfg)
    optimizer = cfg.optim_wrapper.optimizer
    optimizer.lr = max(optimizer.lr, 0.01)  # else float32 cannot tell the step of some weights
    set_random_seed(0)
    for split in cfg.keys() & set(SPLITS):
        write_data(cfg[split].dataset)

    model = MODELS.build(cfg.model)
    model.init_weights()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optim_wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    for scheduler in cfg.param_scheduler:
        PARAM_SCHEDULERS.build(scheduler, default_args=dict(optimizer=optim_wrapper))
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    model.train()
    log = model.train_step(next(iter(loader)), optim_wrapper)
    losses = [value for name, value in log.items() if 'loss' in name]
    assert torch.tensor(losses).isfinite().all()
    assert log['loss'] > 0
    changed = [not torch.equal(p, before[name]) for name, p in model.named_parameters()]
    assert sum(changed) / len(changed) > 0.9

    if path in TRAIN_ONLY:
        return
    loader = Runner.build_dataloader(cfg.val_dataloader)
    evaluator = Evaluator(cfg.val_evaluator)
    evaluator.dataset_meta = loader.dataset.metainfo
    model.eval()
    for data in loader:
        evaluator.process(data_samples=model.val_step(data), data_batch=data)
    assert evaluator.evaluate(len(loader.dataset))


def test_recipes_without_validation_have_names_of_that_form():
    """They are measured by benchmarks/mistakes.py instead."""
    assert TRAIN_ONLY
    for path in TRAIN_ONLY:
        name, cfg = NAME.fullmatch(path.stem), Config.fromfile(path)
        assert name, path.stem
        assert name['method'] == path.parent.name
        assert 'val_dataloader' not in cfg
        assert batch_of(cfg) == int(name['batch'])
        assert cfg.train_cfg.max_iters == int(name['iterations'].replace('k', '000'))


def batch_of(cfg: Config) -> int:
    """Images, or patches, that a GPU sees at once."""
    patches = {d.get('patches_per_image', 1) for d in datasets_in(cfg.train_dataloader.dataset)}
    assert len(patches) == 1
    return cfg.train_dataloader.batch_size * patches.pop()


@every_config
def test_name_is_the_recipe(path):
    name = NAME.fullmatch(path.stem)
    assert name, f'{path.stem} should be MODEL_GPUSxbBATCH-ITERATIONS_DATA-SIZE'
    cfg = Config.fromfile(path)
    assert name['method'] == path.parent.name
    assert batch_of(cfg) == int(name['batch'])
    iterations = int(name['iterations'].replace('k', '000'))
    assert cfg.train_cfg.max_iters == iterations
    assert max(s['end'] for s in cfg.param_scheduler) == iterations
    assert cfg.default_hooks.checkpoint.interval <= cfg.train_cfg.val_interval <= iterations / 2
    assert cfg.test_dataloader == cfg.val_dataloader
    assert cfg.test_evaluator == cfg.val_evaluator
    assert cfg.default_scope == 'mmseg'


@every_segfix
def test_segfix_sizes_directions_and_widths_agree(path):
    cfg = Config.fromfile(path)
    name = NAME.fullmatch(path.stem)
    size = tuple(map(int, name['size'].split('x')))
    crops = of_type(cfg.train_dataloader, 'RandomCrop')
    assert crops
    assert {tuple(c['crop_size']) for c in crops} == {size}
    assert tuple(cfg.model.data_preprocessor.size) == size
    assert not of_type(cfg.val_dataloader, 'RandomCrop')

    known = dict(re.findall(r'-(m|width-)(\d+|inf)$', name['network']))
    directions = int(known.get('m', 8))
    width = known.get('width-', '5')
    expected = dict(num_directions=directions, width=None if width == 'inf' else int(width))
    for split in ('train', 'val'):
        targets = of_type(cfg[f'{split}_dataloader'], 'GenerateBoundaryDirection')
        assert len(targets) == len(list(datasets_in(cfg[f'{split}_dataloader'].dataset)))
        assert all({k: t[k] for k in expected} == expected for t in targets)
    assert cfg.model.decode_head.num_directions == directions
    # Where every pixel is boundary, the branch that tells boundary from interior has no say.
    assert (cfg.model.decode_head.get('boundary_threshold', 0.5) < 0) == (width == 'inf')
    assert (cfg.val_evaluator.get('threshold', 0.5) < 0) == (width == 'inf')


@every_segfix
def test_segfix_targets_come_after_geometric_augmentation(path):
    for part in datasets_in(Config.fromfile(path).train_dataloader.dataset):
        steps = [step['type'].split('.')[-1] for step in part['pipeline']]
        assert steps[-2:] == ['GenerateBoundaryDirection', 'PackSegFixInputs']
        assert {'RandomResize', 'RandomCrop', 'RandomFlip'} < set(steps)


@pytest.mark.parametrize(
    'path', [p for p in SEGFIX if '-80k_' in p.stem], ids=lambda path: path.stem
)
def test_published_hyper_parameters(path):
    cfg = Config.fromfile(path)
    rate = 0.02 if re.search('80k_ade20k', path.stem) else 0.04
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=rate, momentum=0.9, weight_decay=5e-4)
    assert '4xb4' in path.stem
    assert cfg.param_scheduler == [
        dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=80000, by_epoch=False)
    ]


def test_unified_model_sees_half_of_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (path,) = (p for p in SEGFIX if 'cityscapes-ade20k' in p.stem)
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    make_small(cfg)
    write_data(cfg.train_dataloader.dataset)
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    paths = [s.metainfo['img_path'] for s in next(iter(loader))['data_samples']]
    assert sorted('ade' in p for p in paths) == [False, True]


def test_own_data_template_has_three_lines_to_change():
    """And nothing else in the config depends on whose data it is."""
    (path,) = (p for p in SEGFIX if 'own-data' in p.stem)
    text = path.read_text().replace("'data/my_data/'", "'elsewhere'")
    text = text.replace("'.jpg'", "'.tiff'").replace('(1024, 512)', '(333, 222)')
    lines = zip(text.splitlines(), path.read_text().splitlines(), strict=True)
    assert sum(a != b for a, b in lines) == 3
    changed = path.parent / 'unused_name.py'
    cfg = Config.fromstring(text.replace("'./", f"'{changed.parent}/"), '.py')
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        assert (dataset.data_root, dataset.img_suffix) == ('elsewhere', '.tiff')
    assert of_type(cfg.train_dataloader, 'RandomResize')[0]['scale'] == (333, 222)
    assert 'camvid' not in str(cfg.train_dataloader).lower()
