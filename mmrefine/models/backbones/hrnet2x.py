"""HRNet-2×: an HRNet whose first branch runs at half the image resolution.

Backbone of the released SegFix (ECCV 2020, arXiv 2007.04269, Section 3.2,
"we further increase the resolution"). Compared with HRNet the stem is one
stride-2 convolution instead of two, stage 1 already has two branches, and
there are five scales at the end instead of four. Module names follow the
released checkpoint, so its ``backbone.*`` keys are the keys of this class. What
differs by default: coarser branches are enlarged with ``align_corners=False``, as
in mmseg's HRNet; the released code has True there.
"""

from collections.abc import Sequence

import torch.nn as nn
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor

from ...registry import MODELS
from .hrnet import HRNet

STEM_CHANNELS = 64


@MODELS.register_module()
class HRNet2x(HRNet):
    """HRNet with outputs at strides 2, 4, 8, 16 and 32.

    Args:
        extra: ``stage1`` to ``stage4``, each with ``num_modules``,
            ``num_branches``, ``block`` (``'BASIC'`` or ``'BOTTLENECK'``, the
            latter multiplies channels by 4), ``num_blocks`` and
            ``num_channels`` (one entry a branch), as for mmseg's ``HRNet``.
            Each stage may have at most one branch more than the one before.
        in_channels: Channels of the input image.
        stem_channels: Channels after the stem; 64 as released.
        conv_cfg: Convolution layers of another type than ``Conv2d``.
        norm_cfg: Normalisation layer.
        norm_eval: Keep batch norm statistics fixed while training.
        with_cp: Recompute activations in the backward pass to save memory.
        align_corners: Enlarge coarser branches as the released code does.
        init_cfg: Weight initialisation; Kaiming by default.

    Raises:
        ValueError: if a stage's tuples do not have ``num_branches`` entries.
    """

    def __init__(
        self,
        extra: dict,
        in_channels: int = 3,
        stem_channels: int = STEM_CHANNELS,
        conv_cfg: dict | None = None,
        norm_cfg: dict | None = None,
        norm_eval: bool = False,
        with_cp: bool = False,
        align_corners: bool = False,
        init_cfg: dict | list | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d'),
                dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
            ]
        # HRNet's own __init__ builds the two-convolution stem: only its stage builders are used.
        BaseModule.__init__(self, init_cfg)
        self.align_corners = align_corners
        self.extra = extra
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg or dict(type='BN', requires_grad=True)
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.frozen_stages = -1
        self.pretrained = None
        self.zero_init_residual = False

        self.conv1 = build_conv_layer(
            conv_cfg, in_channels, stem_channels, kernel_size=3, stride=2, padding=1, bias=False
        )
        self.norm1_name, norm1 = build_norm_layer(self.norm_cfg, stem_channels, postfix=1)
        self.add_module(self.norm1_name, norm1)
        self.relu = nn.ReLU(inplace=True)

        previous = [stem_channels]
        for index in range(4):
            stage_cfg = _checked_stage(extra, f'stage{index + 1}')
            expansion = self.blocks_dict[stage_cfg['block']].expansion
            channels = [c * expansion for c in stage_cfg['num_channels']]
            transition = self._make_transition_layer(previous, channels)
            stage, previous = self._make_stage(stage_cfg, channels)
            self.add_module(f'transition{index}', transition)
            self.add_module(f'stage{index + 1}', stage)
        self.out_channels = tuple(previous)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features at strides 2, 4, ..., finest first, from (N, C, H, W) images."""
        features = [self.relu(self.norm1(self.conv1(image)))]
        for index in range(4):
            transition = getattr(self, f'transition{index}')
            last = len(features) - 1
            features = [
                features[min(i, last)] if layer is None else layer(features[min(i, last)])
                for i, layer in enumerate(transition)
            ]
            features = getattr(self, f'stage{index + 1}')(features)
        return features

    def train(self, mode: bool = True) -> 'HRNet2x':
        """Return the network, as every module does; HRNet's own returns nothing."""
        super().train(mode)
        return self

    def _freeze_stages(self) -> None:
        """Nothing is ever frozen; HRNet.train() asks."""


def _checked_stage(extra: dict, name: str) -> dict:
    if name not in extra:
        raise ValueError(f'extra must have the stages stage1 to stage4, got {sorted(extra)}')
    cfg = extra[name]
    for key in ('num_blocks', 'num_channels'):
        value: Sequence[int] = cfg[key]
        if len(value) != cfg['num_branches']:
            raise ValueError(
                f'extra.{name}.{key} must have num_branches={cfg["num_branches"]} entries, '
                f'got {value}'
            )
    return cfg
