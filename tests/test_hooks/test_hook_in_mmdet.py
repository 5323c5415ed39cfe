"""RefinementHook behind mmdet's own configs, run by the test script that comes with mmdet."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from small_bpr import bpr_config, lively_bpr
from small_segfix import segfix_config, small_segfix

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.refiners import BPRRefiner, SegFixRefiner

mmdet = pytest.importorskip('mmdet')
pytestmark = pytest.mark.slow
INSTALLED = Path(mmdet.__file__).parent / '.mim'
SIZES = [(60, 90), (72, 66)]
# What makes the configs' networks small and their images stay small, on the command line.
SMALL = {
    'model.backbone.depth': 18,
    'model.backbone.init_cfg': None,
    'model.neck.in_channels': [64, 128, 256, 512],
    'model.roi_head.bbox_head.fc_out_channels': 16,
    'model.test_cfg.rpn.max_per_img': 20,
    'model.test_cfg.rcnn.max_per_img': 4,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
    'test_dataloader.dataset.pipeline.1.scale': (90, 72),
}
LINES = """_base_ = {base!r}
custom_hooks = [
    dict(type='mmrefine.RefinementHook', refiner={refiner!r})
]
"""


@pytest.fixture(autouse=True)
def scope():
    """Leave mmengine's default scope as the other tests have it."""
    yield
    init_default_scope('mmseg')


@pytest.fixture
def refiners(tmp_path):
    """Return configs of BPR and of SegFix, published."""
    configs = []
    for name, model, cfg in (
        ('BPR', lively_bpr(), bpr_config()),
        ('SegFix', small_segfix(), segfix_config()),
    ):
        torch.save({'state_dict': model.state_dict()}, tmp_path / 'raw.pth')
        publish_checkpoint(cfg, tmp_path / 'raw.pth', tmp_path / f'{name}.pth')
        configs.append(
            dict(type=f'mmrefine.{name}Refiner', checkpoint=str(tmp_path / f'{name}.pth'))
        )
    return configs


def draw_data(root: Path, names: list[str], images: str, annotations: str, classes: list) -> None:
    """Images, and annotations with a square in each."""
    rng = np.random.default_rng(0)
    entries = []
    for index, (name, (height, width)) in enumerate(zip(names, SIZES, strict=True)):
        path = root / images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        entries.append(dict(id=index + 5, file_name=name, height=height, width=width))
    squares = [
        dict(
            id=e['id'], image_id=e['id'], category_id=1, iscrowd=0, area=400, bbox=[5, 5, 20, 20],
            segmentation=[[5, 5, 25, 5, 25, 25, 5, 25]],
        )
        for e in entries
    ]  # fmt: skip
    categories = [dict(id=i + 1, name=name) for i, name in enumerate(classes)]
    path = root / annotations
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(dict(images=entries, annotations=squares, categories=categories)))


def run_coarse(config: Path, options: dict, folder: Path) -> None:
    """Run the config as it is, in this process; the network's weights stay in ``folder``.

    They are random, but for the scores: three classes are likely.
    """
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.work_dir, cfg.load_from, cfg.experiment_name = str(folder), None, f'coarse-{folder}'
    cfg.randomness = dict(seed=0)
    runner = Runner.from_cfg(cfg)
    with torch.no_grad():
        bias = runner.model.roi_head.bbox_head.fc_cls.bias
        bias.fill_(-10)
        bias[:3] = 0
    torch.save({'state_dict': runner.model.state_dict()}, folder / 'model.pth')
    runner.test()


def run_refined(run_fresh, config: Path, options: dict, refiner: object, folder: Path) -> dict:
    """Run the config with three more lines by mmdet's script, in a fresh process; the figures."""
    (folder / 'refined.py').write_text(LINES.format(base=str(config), refiner=refiner))
    words = [f'{key}={value}'.replace(' ', '') for key, value in options.items()]
    result = run_fresh(
        str(INSTALLED / 'tools' / 'test.py'), 'refined.py', 'model.pth', '--work-dir', 'work',
        '--cfg-options', *words, cwd=folder,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert 'RefinementHook: 2 images on this process' in result.stderr + result.stdout
    (figures,) = (folder / 'work').glob('*/*.json')
    return json.loads(figures.read_text())


def average_precision(annotations: Path, results: list[dict]) -> float:
    coco = COCO(str(annotations))
    evaluation = COCOeval(coco, coco.loadRes(results), 'segm')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


def test_coco_metric(run_fresh, tmp_path, refiners):
    from mmdet.datasets import CocoDataset

    root, annotations = tmp_path / 'coco', tmp_path / 'coco/annotations/instances_val2017.json'
    draw_data(
        root, ['000000000005.png', '000000000006.png'], 'val2017',
        'annotations/instances_val2017.json', CocoDataset.METAINFO['classes'],
    )  # fmt: skip
    config = INSTALLED / 'configs' / 'mask_rcnn' / 'mask-rcnn_r50_fpn_1x_coco.py'
    options = {
        **SMALL,
        'test_dataloader.dataset.data_root': str(root),
        'test_evaluator.ann_file': str(annotations),
        'test_evaluator.outfile_prefix': str(tmp_path / 'coarse'),
    }
    run_coarse(config, options, tmp_path)
    coarse = json.loads((tmp_path / 'coarse.segm.json').read_text())
    assert len(coarse) == 8

    # What the model itself predicts is the truth from here on: refining moves the masks' figures.
    truth = json.loads(annotations.read_text())
    truth['annotations'] = [
        dict(e, id=i + 1, iscrowd=0, area=float(coco_mask.area(e['segmentation'])))
        for i, e in enumerate(coarse)
    ]
    annotations.write_text(json.dumps(truth))
    options['test_evaluator.outfile_prefix'] = str(tmp_path / 'refined')
    figures = run_refined(run_fresh, config, options, refiners[0], tmp_path)

    refiner = BPRRefiner(checkpoint=refiners[0]['checkpoint'], device='cpu')
    refined = json.loads((tmp_path / 'refined.segm.json').read_text())
    boxes = [json.loads((tmp_path / f'{n}.bbox.json').read_text()) for n in ('coarse', 'refined')]
    assert boxes[0] == boxes[1]
    assert len(refined) == len(coarse)
    changed = 0
    for before, after in zip(coarse, refined, strict=True):
        image = root / 'val2017' / f'{before["image_id"]:012}.png'
        mask = coco_mask.decode(before['segmentation'])
        expected = refiner.refine(image, mask[None])[0]
        assert np.array_equal(coco_mask.decode(after['segmentation']), expected)
        assert {**after, 'segmentation': 0} == {**before, 'segmentation': 0}
        changed += (mask != expected).any()
    assert changed == len(coarse)
    assert figures['coco/bbox_mAP'] == 1
    assert figures['coco/segm_mAP'] < 1
    assert figures['coco/segm_mAP'] == pytest.approx(
        average_precision(annotations, refined), abs=1e-3
    )


def test_cityscapes_metric_behind_segfix_and_bpr(run_fresh, tmp_path, refiners):
    pytest.importorskip('cityscapesscripts')
    from mmdet.datasets import CityscapesDataset

    root, annotations = (
        tmp_path / 'cityscapes',
        'annotations/instancesonly_filtered_gtFine_val.json',
    )
    names = [f'frankfurt/frankfurt_000000_00000{i}_leftImg8bit.png' for i in (5, 6)]
    draw_data(root, names, 'leftImg8bit/val', annotations, CityscapesDataset.METAINFO['classes'])
    for name, size in zip(names, SIZES, strict=True):
        path = root / 'gtFine/val' / name.replace('leftImg8bit', 'gtFine_instanceIds')
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = np.full(size, 7, np.uint16)
        ids[5:25, 5:25] = 24000
        cv2.imwrite(str(path), ids)
    config = INSTALLED / 'configs' / 'cityscapes' / 'mask-rcnn_r50_fpn_1x_cityscapes.py'
    options = {
        **SMALL,
        'test_dataloader.dataset.data_root': str(root),
        'test_evaluator.0.ann_file': str(root / annotations),
        'test_evaluator.1.seg_prefix': str(root / 'gtFine/val'),
        'test_evaluator.1.outfile_prefix': str(tmp_path / 'coarse'),
        # numpy 2.4 has no in1d, which cityscapesscripts call: there, files are written only.
        'test_evaluator.1.format_only': not hasattr(np, 'in1d'),
    }
    run_coarse(config, options, tmp_path)
    options['test_evaluator.1.outfile_prefix'] = str(tmp_path / 'refined')
    bpr, segfix = refiners
    figures = run_refined(run_fresh, config, options, [segfix, bpr], tmp_path)
    assert 'coco/segm_mAP' in figures
    assert options['test_evaluator.1.format_only'] or 'cityscapes/mAP' in figures

    first = SegFixRefiner(checkpoint=segfix['checkpoint'], device='cpu')
    second = BPRRefiner(checkpoint=bpr['checkpoint'], device='cpu')
    moved = 0
    for name in names:
        image, stem = root / 'leftImg8bit/val' / name, Path(name).stem
        lists = [tmp_path / n / 'results' / f'{stem}_pred.txt' for n in ('coarse', 'refined')]
        assert lists[0].read_text() == lists[1].read_text()
        pngs = [line.split()[0] for line in lists[0].read_text().splitlines()]
        assert len(pngs) == 4
        coarse, refined = (
            np.stack([cv2.imread(str(path.parent / png), cv2.IMREAD_UNCHANGED) for png in pngs])
            for path in lists
        )
        between = first.refine(image, coarse)
        assert np.array_equal(refined, second.refine(image, between))
        moved += (between != coarse).any()
        moved += (refined != between).any()
        moved += (refined != first.refine(image, second.refine(image, coarse))).any()
    assert moved == 6
