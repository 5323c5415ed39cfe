"""The first eleven blocks of EfficientNet-Lite0 and a view of every pixel, for networks on a CPU.

The deepest blocks are left out: at 1/16 of a 64 px patch, 4×4 cells see all of it.

The stem halves the resolution at once, and a mask's edge needs single pixels. So beside it, each
2×2 square of the input becomes one cell with four times the channels (pixel unshuffle): nothing is
lost, and no convolution runs at full resolution, where a CPU spends most of its time otherwise.

Keys of weights: see ``inverted_blocks``; ``fine.*`` is ours.

Shapes: N = patches or images, C = channels, H, W = rows and columns, multiples of 16.
"""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...registry import MODELS
from .inverted_blocks import InvertedBlock, SameConv2d, lite_norm, take_published_keys

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
COARSEST = 16  # stride of the last block
LAST_OF_STRIDE = (0, 2, 4, 10)  # blocks whose outputs are given: strides 2, 4, 8 and 16


class SquaresConv2d(nn.Conv2d):
    """Pixel unshuffle of 2×2 squares, then a 3×3 convolution, in one convolution of 6×6 pixels.

    The weights are those of the 3×3 convolution.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(4 * inputs, outputs, 3, padding=1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, C', h / 2, w / 2)."""
        outputs, channels = len(self.weight), features.shape[1]
        cells = self.weight.view(outputs, channels, 2, 2, 3, 3)
        pixels = cells.permute(0, 1, 4, 2, 5, 3).reshape(outputs, channels, 6, 6)
        return F.conv2d(features, pixels, self.bias, stride=2, padding=2)


@MODELS.register_module()
class PatchEfficientNet(BaseModule):
    """Features at strides 2, 2, 4, 8 and 16: ``fine_channels``, 16, 24, 40 and 112 channels.

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
        self._register_load_state_dict_pre_hook(take_published_keys, with_module=True)
        self.conv_stem = SameConv2d(in_channels, 32, 3, 2, bias=False)
        self.bn0 = lite_norm(32)
        widths = (32, *(block[-1] for block in BLOCKS))
        self.blocks = nn.ModuleList(
            InvertedBlock(width, *block) for width, block in zip(widths, BLOCKS, strict=False)
        )
        self.fine = nn.Sequential(
            nn.Identity(),  # keys of weights count from it
            SquaresConv2d(in_channels, fine_channels),
            lite_norm(fine_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, ``in_channels``, H, W) → features at strides 2, 2, 4, 8 and 16.

        Raises:
            ValueError: if 16 does not divide H and W.
        """
        height, width = inputs.shape[2:]
        if not torch.jit.is_tracing() and (height % COARSEST or width % COARSEST):
            raise ValueError(
                f'inputs: expected images whose sides {COARSEST} divides, got {height}x{width} '
                '(crop_size in training, size_divisor in tests)'
            )
        outputs = [self.fine(inputs)]
        x = F.relu6(self.bn0(self.conv_stem(inputs)), inplace=True)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in LAST_OF_STRIDE:
                outputs.append(x)
        return tuple(outputs)
