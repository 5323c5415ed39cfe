"""The first stages of EfficientNet-Lite0, with the names of its released PyTorch weights.

Structure after arXiv 1905.11946 and its Lite variant: no squeeze and excitation, ReLU6. Padding is
TensorFlow's ``SAME``, for which the weights were trained.
"""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS

# Blocks, kernel size, stride of the first block, expansion, output channels.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40))


class _Convolution(nn.Conv2d):
    """``SAME`` padding: an odd pixel goes to the right and to the bottom."""

    def forward(self, inputs: Tensor) -> Tensor:
        sides: list[int] = []
        for size, kernel, stride in zip(
            inputs.shape[:1:-1], self.kernel_size, self.stride, strict=True
        ):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(inputs, sides))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Block(nn.Module):
    """Inverted residual: widen, filter by channel, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = _Convolution(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = nn.Conv2d(wide, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)
        self.widens = expansion > 1
        self.adds = stride == 1 and inputs == outputs

    def forward(self, inputs: Tensor) -> Tensor:
        found = inputs
        if self.widens:
            found = F.relu6(self._bn0(self._expand_conv(found)))
        found = F.relu6(self._bn1(self._depthwise_conv(found)))
        found = self._bn2(self._project_conv(found))
        return found + inputs if self.adds else found


@MODELS.register_module()
class EfficientNetLiteStages(BaseModule):
    """EfficientNet-Lite0 up to stride 8: 56 thousand weights.

    Three outputs: 16, 24 and 40 channels at strides 2, 4 and 8.

    Args:
        init_cfg: As in every mmengine module; ``dict(type='Pretrained', checkpoint=...)`` takes
            the released weights of the whole network, of which the rest is not needed.
    """

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self._conv_stem = _Convolution(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks, inputs = [], 32
        self.ends = []
        for number, kernel, first_stride, expansion, outputs in STAGES:
            for index in range(number):
                stride = first_stride if index == 0 else 1
                blocks.append(_Block(inputs, outputs, kernel, stride, expansion))
                inputs = outputs
            self.ends.append(len(blocks) - 1)
        self._blocks = nn.ModuleList(blocks)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W), normalised RGB → features at strides 2, 4 and 8."""
        found = F.relu6(self._bn0(self._conv_stem(inputs)))
        features = []
        for index, block in enumerate(self._blocks):
            found = block(found)
            if index in self.ends:
                features.append(found)
        return tuple(features)
