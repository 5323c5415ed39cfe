"""A SegFix that is built and run in well under a second, for tests that need any SegFix."""

import torch
from mmengine.config import ConfigDict
from torch import nn

from mmrefine.models.segmentors import SegFix
from mmrefine.registry import MODELS

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def hrnet2x_config(channels: tuple[int, ...] = (4, 6, 8, 10, 12)) -> dict:
    """Return an HRNet2x with one block wherever the released one has four."""
    stages = {
        'stage1': dict(
            num_modules=1,
            num_branches=2,
            block='BOTTLENECK',
            num_blocks=(1, 1),
            num_channels=(2, 3),
        )
    }
    for stage, branches in ((2, 3), (3, 4), (4, 5)):
        stages[f'stage{stage}'] = dict(
            num_modules=1,
            num_branches=branches,
            block='BASIC',
            num_blocks=(1,) * branches,
            num_channels=channels[:branches],
        )
    return dict(type='mmrefine.HRNet2x', stem_channels=6, extra=stages)


def segfix_config(num_directions: int = 8, **changes: object) -> dict:
    """Return a model config; ``changes`` are further arguments of the segmentor."""
    channels = (4, 6, 8, 10, 12)
    return (
        dict(
            type='mmrefine.SegFix',
            data_preprocessor=dict(
                type='mmseg.SegDataPreProcessor',
                mean=list(MEAN),
                std=list(STD),
                bgr_to_rgb=True,
                pad_val=0,
                seg_pad_val=255,
                size=(48, 64),
            ),
            backbone=hrnet2x_config(channels),
            decode_head=dict(
                type='mmrefine.SegFixHead',
                in_channels=list(channels),
                in_index=list(range(5)),
                channels=8,
                num_directions=num_directions,
            ),
            train_cfg=dict(),
            test_cfg=dict(mode='whole'),
        )
        | changes
    )


def make_lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give a network weights and statistics with which its answers differ from pixel to pixel."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            scale = module.weight[0].numel() ** -0.5
            module.weight.data.normal_(0, scale, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.3, generator=generator)
    return network


def small_segfix(num_directions: int = 8, seed: int = 5, **changes: object) -> SegFix:
    """Return a small SegFix in eval mode, always the same for the same arguments."""
    cfg = ConfigDict(segfix_config(num_directions, **changes))
    return make_lively(MODELS.build(cfg), seed).eval()
