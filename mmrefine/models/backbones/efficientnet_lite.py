"""The first stages of EfficientNet-Lite0, with the names of its released PyTorch weights."""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from .inverted_blocks import InvertedBlock, SameConv2d, lite_norm, take_published_keys

# Blocks, kernel size, stride of the first block, expansion, output channels.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40))


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
        self._register_load_state_dict_pre_hook(take_published_keys, with_module=True)
        self.conv_stem = SameConv2d(3, 32, 3, 2, bias=False)
        self.bn0 = lite_norm(32)
        blocks, inputs = [], 32
        self.ends = []
        for number, kernel, first_stride, expansion, outputs in STAGES:
            for index in range(number):
                stride = first_stride if index == 0 else 1
                blocks.append(InvertedBlock(inputs, kernel, stride, expansion, outputs))
                inputs = outputs
            self.ends.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W), normalised RGB → features at strides 2, 4 and 8."""
        found = F.relu6(self.bn0(self.conv_stem(inputs)), inplace=True)
        features = []
        for index, block in enumerate(self.blocks):
            found = block(found)
            if index in self.ends:
                features.append(found)
        return tuple(features)
