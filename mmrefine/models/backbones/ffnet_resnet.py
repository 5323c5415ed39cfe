"""The plain residual networks of FFNet (arXiv 2206.08236, Section 3).

ResNets of basic blocks: they see far at little cost, because every block has two 3×3 convolutions.
Layers are named as in the released checkpoints, so ``backbone_model.X`` there is ``X`` here. What
differs from the released code: convolutions start with Kaiming's initialisation instead of a normal
distribution of 0.01, and ``pre_down`` pads both axes.

Legend: N batch, C channels, H W image size.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from mmseg.models.backbones.resnet import BasicBlock, Bottleneck
from mmseg.models.utils import ResLayer
from scipy.ndimage import gaussian_filter
from torch import Tensor

from ...registry import MODELS


class Family(NamedTuple):
    """What the networks of one family have in common: their widths and their stem."""

    channels: tuple[int, ...]
    stem: str


PLAIN = Family((64, 128, 256, 512), 'A')
SLIM = Family((64, 128, 192, 320), 'B')
# Three stages; the stem's output is their finest level.
NARROW = Family((96, 160, 320), 'C')
NARROW_SLIM = Family((64, 128, 256), 'C')
FAMILIES = {'': PLAIN, 'S': SLIM, 'N': NARROW, 'NS': NARROW_SLIM}
BLOCKS = {
    '18': (2, 2, 2, 2),
    '34': (3, 4, 6, 3),
    '50': (3, 4, 6, 3),
    '56': (4, 8, 12, 3),
    '86': (8, 12, 16, 6),
    '101': (3, 4, 23, 3),
    '134': (8, 18, 28, 12),
    '150': (16, 18, 28, 12),
    '22S': (2, 3, 3, 2),
    '30S': (3, 4, 4, 3),
    '40S': (4, 5, 6, 4),
    '54S': (5, 8, 8, 5),
    '78S': (6, 12, 12, 8),
    '86S': (8, 12, 16, 6),
    '150S': (16, 18, 28, 12),
    '46N': (6, 8, 8),
    '74N': (8, 12, 16),
    '122N': (16, 24, 20),
    '46NS': (6, 8, 8),
    '74NS': (8, 12, 16),
    '122NS': (16, 24, 20),
}
BOTTLENECKS = ('50', '101')
# (output channels, kernel size, stride) of the convolutions of a stem; A has a max pooling behind.
STEMS = {
    'A': ((64, 7, 2),),
    'B': ((32, 3, 2), (64, 3, 2)),
    'C': ((64, 3, 2), (64, 3, 2), (64, 3, 1)),
}
STEM_CHANNELS = 64


def family_of(arch: str) -> Family:
    """Family of an architecture: ``'78S'`` is slim.

    Raises:
        ValueError: if there is no such architecture.
    """
    if arch not in BLOCKS:
        raise ValueError(f'arch: expected one of {", ".join(BLOCKS)}, got {arch!r}')
    return FAMILIES[arch.lstrip('0123456789')]


def feature_channels(arch: str, channels: Sequence[int] | None = None) -> tuple[int, ...]:
    """Channels of the four feature maps of an architecture, finest first."""
    family = family_of(arch)
    factor = Bottleneck.expansion if arch in BOTTLENECKS else 1
    widths = tuple(factor * c for c in channels or family.channels)
    return widths if len(family.channels) == 4 else (STEM_CHANNELS, *widths)


@MODELS.register_module()
class FFNetResNet(BaseModule):
    """Backbone with four feature maps, at strides 4, 8, 16 and 32 (twice that with a ``d``).

    Args:
        arch: Number of layers and family, as the authors write it: ``'18'`` to ``'150'`` (of which
            ``'50'`` and ``'101'`` have bottleneck blocks), ``'22S'`` to ``'150S'`` (slim),
            ``'46N'``, ``'74N'``, ``'122N'`` and the same with ``NS`` (three stages).
        stem: ``'A'``, ``'B'`` or ``'C'``; by default that of the family.
        first_stride: Stride of the first stage: 1, or 2 for the models with a ``d`` in their name.
            Networks of three stages have 2 there anyway and take no other.
        pre_down: Halve the image first, smoothed by a Gaussian of 0.7 px: how the authors train
            networks for 512×1024 on images of 1024×2048.
        in_channels: Channels of the image.
        blocks: Number of blocks of each stage, in place of the architecture's.
        channels: Channels of each stage, in place of the family's.
        norm_cfg: Normalisation layer.
        norm_eval: Keep batch norm statistics fixed while training.
        with_cp: Recompute activations in the backward pass to save memory.
        init_cfg: Weight initialisation; Kaiming by default.

    Raises:
        ValueError: for an unknown ``arch`` or ``stem``, a ``first_stride`` it does not have, or
            ``blocks`` or ``channels`` of another number of stages.
    """

    def __init__(
        self,
        arch: str,
        stem: str | None = None,
        first_stride: int = 1,
        pre_down: bool = False,
        in_channels: int = 3,
        blocks: Sequence[int] | None = None,
        channels: Sequence[int] | None = None,
        norm_cfg: Mapping[str, Any] | None = None,
        norm_eval: bool = False,
        with_cp: bool = False,
        init_cfg: dict | list | None = None,
    ) -> None:
        init_cfg = init_cfg or [
            dict(type='Kaiming', layer='Conv2d'),
            dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
        ]
        super().__init__(init_cfg)
        family = family_of(arch)
        stages = len(family.channels)
        blocks, channels = blocks or BLOCKS[arch], channels or family.channels
        _check_stages(arch, blocks=blocks, channels=channels)
        if first_stride not in (1, 2) or (stages == 3 and first_stride == 2):
            allowed = '1 or 2' if stages == 4 else f'1 (the first stage of {arch} has stride 2)'
            raise ValueError(f'first_stride: expected {allowed}, got {first_stride}')
        self.norm_eval = norm_eval
        norm_cfg = dict(norm_cfg or dict(type='BN', requires_grad=True))
        self.smoothing = GaussianHalving(in_channels) if pre_down else None
        self._make_stem(stem or family.stem, in_channels, norm_cfg)
        strides = (first_stride, 2, 2, 2) if stages == 4 else (2, 2, 2)
        block = Bottleneck if arch in BOTTLENECKS else BasicBlock
        previous = STEM_CHANNELS
        for number, (width, count, stride) in enumerate(
            zip(channels, blocks, strides, strict=True), start=1
        ):
            options = dict(style='pytorch') if block is Bottleneck else {}
            layer = ResLayer(
                block,
                previous,
                width,
                count,
                stride=stride,
                norm_cfg=norm_cfg,
                with_cp=with_cp,
                **options,
            )
            self.add_module(f'layer{number}', layer)
            previous = width * block.expansion
        self.num_stages = stages
        self.out_channels = feature_channels(arch, channels)

    def _make_stem(self, stem: str, in_channels: int, norm_cfg: dict) -> None:
        if stem not in STEMS:
            raise ValueError(f'stem: expected one of {", ".join(STEMS)}, got {stem!r}')
        # The released names count from 1 where there is one convolution, else from 0.
        first = 1 if len(STEMS[stem]) == 1 else 0
        self._stem: list[tuple[str, str]] = []
        for number, (width, size, stride) in enumerate(STEMS[stem], start=first):
            conv = nn.Conv2d(in_channels, width, size, stride, size // 2, bias=False)
            self.add_module(f'conv{number}', conv)
            self.add_module(f'bn{number}', build_norm_layer(norm_cfg, width)[1])
            self._stem.append((f'conv{number}', f'bn{number}'))
            in_channels = width
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if stem == 'A' else nn.Identity()

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Four feature maps, finest first, of images (N, C, H, W)."""
        x = image if self.smoothing is None else self.smoothing(image)
        for conv, norm in self._stem:
            x = self.relu(getattr(self, norm)(getattr(self, conv)(x)))
        x = self.maxpool(x)
        features = [x] if self.num_stages == 3 else []
        for number in range(1, self.num_stages + 1):
            x = getattr(self, f'layer{number}')(x)
            features.append(x)
        return tuple(features)

    def train(self, mode: bool = True) -> 'FFNetResNet':
        """Set the mode; with ``norm_eval``, batch norms stay in eval mode."""
        super().train(mode)
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self


def _check_stages(arch: str, **given: Sequence[int]) -> None:
    stages = len(BLOCKS[arch])
    for name, values in given.items():
        if len(values) != stages:
            raise ValueError(f'{name}: expected {stages} numbers for {arch}, got {tuple(values)}')


class GaussianHalving(nn.Module):
    """Images at half their size: a 5×5 Gaussian of 0.7 px, then every second pixel.

    The released code pads one axis, so that 1024×2048 becomes 511×1022; here, both are mirrored at
    the border, and H×W becomes ceil(H / 2)×ceil(W / 2).

    Args:
        channels: Channels of the image; each is smoothed by itself.
    """

    SIZE, SIGMA = 5, 0.7
    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        kernel = np.zeros((self.SIZE, self.SIZE), np.float32)
        kernel[self.SIZE // 2, self.SIZE // 2] = 1
        kernel = gaussian_filter(kernel, self.SIGMA)
        self.register_buffer('weight', torch.from_numpy(kernel).repeat(channels, 1, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) → (N, C, ceil(H / 2), ceil(W / 2)), for sides of 3 px or more."""
        padded = F.pad(image, (self.SIZE // 2,) * 4, mode='reflect')
        return F.conv2d(padded, self.weight, stride=2, groups=len(self.weight))
