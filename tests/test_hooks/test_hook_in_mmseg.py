"""RefinementHook in somebody's mmseg project: three added lines, mmseg's own test script."""

import json
from pathlib import Path

import cv2
import mmseg
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner
from small_segfix import segfix_config, small_segfix

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.refiners import SegFixRefiner

OWN_TEST_SCRIPT = Path(mmseg.__file__).parent / '.mim' / 'tools' / 'test.py'

# Somebody's config, in mmseg's scope, with nothing of ours in it.
STOCK = """
default_scope = 'mmseg'
norm_cfg = dict(type='BN')
data_root = {data_root!r}
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[120] * 3, std=[60] * 3, size=(48, 64)
    ),
    backbone=dict(
        type='HRNet',
        norm_cfg=norm_cfg,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1, ),
                        num_channels=(4, )),
            stage2=dict(num_modules=1, num_branches=2, block='BASIC', num_blocks=(1, 1),
                        num_channels=(4, 8)),
            stage3=dict(num_modules=1, num_branches=3, block='BASIC', num_blocks=(1, 1, 1),
                        num_channels=(4, 8, 12)),
            stage4=dict(num_modules=1, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1),
                        num_channels=(4, 8, 12, 16))),
    ),
    decode_head=dict(
        type='FCNHead', in_channels=[4, 8, 12, 16], in_index=(0, 1, 2, 3), channels=40,
        input_transform='resize_concat', kernel_size=1, num_convs=1, concat_input=False,
        num_classes=4, norm_cfg=norm_cfg, align_corners=False,
    ),
    test_cfg=dict(mode='whole'),
)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(96, 72), keep_ratio=True),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=dict(classes=('a', 'b', 'c', 'd')),
        data_root=data_root,
        img_suffix='.png',
        seg_map_suffix='.png',
        data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'], output_dir={out!r})
test_cfg = dict(type='TestLoop')
"""
THREE_LINES = """
custom_hooks = [
    dict(type='mmrefine.RefinementHook', refiner=dict(type='mmrefine.SegFixRefiner', checkpoint={!r}))
]
"""  # noqa: E501


def plain_miou(predictions: list[np.ndarray], truths: list[np.ndarray]) -> float:
    """mIoU in per cent over the classes that occur, as mmseg rounds it."""
    known = np.concatenate([t.ravel() for t in truths])
    given = np.concatenate([p.ravel() for p in predictions])[known != 255]
    known = known[known != 255]
    ious = []
    for label in range(4):
        union = ((known == label) | (given == label)).sum()
        if union:
            ious.append(((known == label) & (given == label)).sum() / union)
    return round(100 * float(np.mean(ious)), 2)


def read_pngs(folder: Path) -> list[np.ndarray]:
    files = sorted(folder.glob('*.png'))
    assert len(files) == 3
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files]


@pytest.mark.quick
def test_own_test_script_of_mmseg_gives_refined_metrics(run_fresh, camvid_folder, tmp_path):
    """A stock config, three added lines, the script that comes with mmseg, a fresh process."""
    torch.save({'state_dict': small_segfix().state_dict()}, tmp_path / 'raw.pth')
    publish_checkpoint(segfix_config(), tmp_path / 'raw.pth', tmp_path / 'segfix.pth')

    # Without the lines, in this process: what the model itself predicts.
    coarse_text = STOCK.format(data_root=str(camvid_folder), out=str(tmp_path / 'coarse'))
    (tmp_path / 'coarse.py').write_text(coarse_text)
    cfg = Config.fromfile(tmp_path / 'coarse.py')
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, tmp_path / 'stock.pth')
    cfg.work_dir, cfg.load_from = str(tmp_path / 'work0'), str(tmp_path / 'stock.pth')
    coarse_metrics = Runner.from_cfg(cfg).test()

    # With them, by mmseg's own script.
    refined_text = STOCK.format(data_root=str(camvid_folder), out=str(tmp_path / 'refined'))
    added = THREE_LINES.format(str(tmp_path / 'segfix.pth'))
    assert len(added.strip().splitlines()) == 3
    (tmp_path / 'refined.py').write_text(refined_text + added)
    command = (OWN_TEST_SCRIPT, 'refined.py', 'stock.pth', '--work-dir', 'work1')
    result = run_fresh(*map(str, command), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'RefinementHook: 3 images on this process' in result.stderr + result.stdout
    (metrics,) = (tmp_path / 'work1').glob('*/*.json')
    refined_metrics = json.loads(metrics.read_text())

    # Refined afterwards from the files: the same, to the pixel and to the figure.
    refiner = SegFixRefiner(checkpoint=tmp_path / 'segfix.pth', device='cpu')
    coarse, refined = read_pngs(tmp_path / 'coarse'), read_pngs(tmp_path / 'refined')
    truths = read_pngs(camvid_folder / 'ann_dir' / 'val')
    images = sorted((camvid_folder / 'img_dir' / 'val').glob('*.png'))
    offline = [refiner.refine(path, labels) for path, labels in zip(images, coarse, strict=True)]
    assert all(np.array_equal(a, b) for a, b in zip(offline, refined, strict=True))
    assert any((a != b).any() for a, b in zip(coarse, refined, strict=True))
    assert refined_metrics['mIoU'] == pytest.approx(plain_miou(offline, truths), abs=0.011)
    assert coarse_metrics['mIoU'] == pytest.approx(plain_miou(coarse, truths), abs=0.011)
    assert refined_metrics['mIoU'] != coarse_metrics['mIoU']
