"""The panoptic configs train, learn and predict, in mmdet's own test script too."""

import copy
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from small_panoptic import write_panoptic

mmdet = pytest.importorskip('mmdet')
pytest.importorskip('mmcv.ops', reason='mmcv without compiled ops')
pytest.importorskip('panopticapi', reason='pip install --no-deps panopticapi-lite')
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
CONFIGS = {path.stem.split('_')[1]: path for path in (ROOT / 'configs/pisr').glob('*.py')}
FPN, FORMER, MINI = 'panoptic-fpn-r50', 'mask2former-r50', 'panoptic-fpn-mini'
REAL = ROOT.parent / 'shared/data/coco_open'


@pytest.fixture(autouse=True)
def scope():
    """Leave mmengine's default scope as the other tests have it."""
    yield
    init_default_scope('mmseg')


@pytest.fixture(scope='module')
def drawn(tmp_path_factory):
    from mmdet.datasets import CocoPanopticDataset

    root = tmp_path_factory.mktemp('panoptic')
    write_panoptic(root, 8, CocoPanopticDataset.METAINFO['classes'], 80)
    return root


def data_options(root: Path, split: str = '', scale: tuple | None = None) -> dict:
    options: dict = {}
    ann = f'panoptic/{split}.json' if split else 'panoptic.json'
    for name in ('train', 'val', 'test'):
        loader = f'{name}_dataloader'
        options |= {
            f'{loader}.num_workers': 0,
            f'{loader}.persistent_workers': False,
            f'{loader}.batch_size': 2,
            f'{loader}.dataset.data_root': f'{root}/',
            f'{loader}.dataset.ann_file': ann,
            f'{loader}.dataset.data_prefix.img': f'images/{split}',
            f'{loader}.dataset.data_prefix.seg': f'panoptic/{split}',
        }
    for name in ('val', 'test'):
        options |= {
            f'{name}_evaluator.ann_file': f'{root}/{ann}',
            f'{name}_evaluator.seg_prefix': f'{root}/panoptic/{split}',
        }
        options[f'{name}_dataloader.batch_size'] = 1
        if scale:
            options[f'{name}_dataloader.dataset.pipeline.1.scale'] = scale
    return options


SMALL_FPN = {
    'model.backbone.depth': 18,
    'model.backbone.stem_channels': 16,
    'model.backbone.base_channels': 16,
    'model.backbone.init_cfg': None,
    'model.backbone.norm_eval': False,
    'model.backbone.frozen_stages': -1,
    'model.neck.in_channels': [16, 32, 64, 128],
    'model.neck.out_channels': 32,
    'model.rpn_head.in_channels': 32,
    'model.rpn_head.feat_channels': 32,
    'model.roi_head.bbox_roi_extractor.out_channels': 32,
    'model.roi_head.bbox_head.in_channels': 32,
    'model.roi_head.mask_roi_extractor.out_channels': 32,
    'model.roi_head.mask_head.in_channels': 32,
    'model.roi_head.mask_head.conv_out_channels': 32,
    'model.semantic_head.in_channels': 32,
    'model.semantic_head.inner_channels': 32,
    'model.relations.in_channels': 32,
    'model.roi_head.bbox_head.fc_out_channels': 32,
    'model.train_cfg.rpn_proposal.max_per_img': 50,
    'model.train_cfg.rcnn.sampler.num': 32,
    'model.test_cfg.rpn.max_per_img': 20,
    'model.test_cfg.rcnn.max_per_img': 5,
    'model.test_cfg.panoptic.stuff_area_limit': 64,
    'model.relations.num_instances': 8,
}
SMALL_FORMER = {
    'model.backbone.depth': 18,
    'model.backbone.init_cfg': None,
    'model.panoptic_head.in_channels': [64, 128, 256, 512],
    'model.panoptic_head.num_queries': 6,
    'model.panoptic_head.pixel_decoder.encoder.num_layers': 1,
    'model.panoptic_head.transformer_decoder.num_layers': 3,
    'model.relations.num_instances': 8,
    'model.test_cfg.max_per_image': 5,
}


def small(name: str, root: Path) -> Config:
    cfg = Config.fromfile(CONFIGS[name])
    cfg.merge_from_dict(SMALL_FPN if name == FPN else SMALL_FORMER)
    for evaluator in ('val_evaluator', 'test_evaluator'):
        if isinstance(cfg[evaluator], list):  # the first is for panoptic maps
            cfg[evaluator] = cfg[evaluator][0]
    cfg.merge_from_dict(data_options(root, scale=(96, 72)))
    cfg.train_dataloader.dataset.filter_cfg = dict(filter_empty_gt=False)
    steps = copy.deepcopy(cfg.val_dataloader.dataset.pipeline)
    steps[-1] = dict(type='PackDetInputs')
    cfg.train_dataloader.dataset.pipeline = steps  # no augmentation: eight images by heart
    if name == FORMER:
        cfg.model.data_preprocessor.batch_augments = None
    init_default_scope('mmdet')
    return cfg


def build(cfg: Config) -> torch.nn.Module:
    from mmdet.registry import MODELS

    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(cfg.model))


def batches(cfg: Config) -> list:
    return list(Runner.build_dataloader(copy.deepcopy(cfg.train_dataloader), seed=0))


@pytest.mark.parametrize('name', [FPN, FORMER])
def test_a_step_reaches_the_relations_and_the_first_pass(drawn, name):
    cfg = small(name, drawn)
    model = build(cfg).train()
    batch = batches(cfg)[0]
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert {k for k in losses if 'first' in k} == {
        'loss_first_classes', 'loss_first_centres', 'loss_first_offsets',
    }  # fmt: skip
    total = model.parse_losses(losses)[0]
    assert total.isfinite()
    total.backward()
    for part in (model.relations.trunk, model.relations.relations.fuse_norm):
        assert sum(p.grad.abs().sum() for p in part.parameters()) > 0
    assert model._first is None
    copy.deepcopy(model)  # as a moving average does
    model.eval()
    with torch.no_grad():
        samples = model.val_step(batch)
    assert all(s.pred_panoptic_seg.sem_seg.shape[1:] == s.ori_shape[:2] for s in samples)
    assert model._first is None


def test_eight_images_are_learned_by_heart_and_mmdets_script_agrees(run_fresh, tmp_path):
    cfg = Config.fromfile(CONFIGS[MINI])
    classes, things = cfg.metainfo.classes, cfg.metainfo.thing_classes
    write_panoptic(tmp_path / 'data', 8, classes, len(things))
    options = data_options(tmp_path / 'data', scale=(90, 60))
    cfg.merge_from_dict(options)
    cfg.train_dataloader.batch_size = 4
    cfg.train_dataloader.dataset.filter_cfg = dict(filter_empty_gt=False)
    for _ in range(2):
        cfg.train_dataloader.dataset.pipeline.pop(2)  # sizes and flips
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    init_default_scope('mmdet')
    model = build(cfg)
    model.init_weights()
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    data, totals = batches(cfg), []
    for _ in range(50):
        for batch in data:
            inputs = model.data_preprocessor(batch, True)
            total = model.parse_losses(model(**inputs, mode='loss'))[0]
            optimizer.zero_grad()
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
            optimizer.step()
            totals.append(total.item())
    assert sum(totals[-4:]) < 0.3 * sum(totals[:4])
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'model.pth')
    figures = run_script(run_fresh, tmp_path, CONFIGS[MINI], options)
    assert figures['coco_panoptic/PQ_st'] > 60
    assert figures['coco_panoptic/PQ_th'] > 25


def run_script(run_fresh, folder: Path, config: Path, options: dict) -> dict:
    words = [f'{key}={value}'.replace(' ', '') for key, value in options.items()]
    script = Path(mmdet.__file__).parent / '.mim' / 'tools' / 'test.py'
    result = run_fresh(
        str(script), str(config), 'model.pth', '--work-dir', 'work', '--cfg-options', *words,
        cwd=folder, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD='1',
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    (figures,) = (folder / 'work').glob('*/*.json')
    return json.loads(figures.read_text())


@pytest.mark.skipif(not REAL.is_dir(), reason='the data beside the project are not there')
def test_real_panoptic_maps_go_through_mmdets_script(run_fresh, tmp_path):
    cfg = Config.fromfile(CONFIGS[FPN])
    cfg.merge_from_dict(SMALL_FPN)
    init_default_scope('mmdet')
    torch.save({'state_dict': build(cfg).state_dict()}, tmp_path / 'model.pth')
    options = {**SMALL_FPN, **data_options(REAL, 'val', (128, 96))}
    figures = run_script(run_fresh, tmp_path, CONFIGS[FPN], options)
    assert 0 <= figures['coco_panoptic/PQ'] < 20  # untrained


def unscoped(value):
    """A config without the scopes that mmengine notes for parts of another package's config."""
    if isinstance(value, dict):
        return {key: unscoped(item) for key, item in value.items() if key != '_scope_'}
    return [unscoped(item) for item in value] if isinstance(value, list | tuple) else value


def test_configs_are_mmdets_but_for_the_relations():
    for name, stock in (
        (FPN, 'panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py'),
        (FORMER, 'mask2former/mask2former_r50_8xb2-lsj-50e_coco-panoptic.py'),
    ):
        ours = Config.fromfile(CONFIGS[name])
        theirs = Config.fromfile(Path(mmdet.__file__).parent / '.mim' / 'configs' / stock)
        relations = ours.model.pop('relations')
        assert relations.type == 'mmrefine.PISRNeck'
        ours.model.type = theirs.model.type
        assert unscoped(ours.to_dict()) == unscoped(theirs.to_dict())
