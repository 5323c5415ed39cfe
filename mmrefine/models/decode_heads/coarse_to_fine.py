"""Decoder for ``PatchEfficientNet``: coarse to fine, with nothing at full resolution.

Shapes: N = images or patches; H, W = rows and columns, multiples of 16.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor


class CoarseToFine:
    """What heads on these features share; a part of a mmseg head.

    Attributes:
        norm_cfg: The head's.
    """

    norm_cfg: dict

    def add_decoder(self, in_channels: Sequence[int], channels: Sequence[int]) -> None:
        """Add the layers.

        Args:
            in_channels: Channels of the features at strides 2, 2, 4, 8 and 16.
            channels: Channels of the decoder at strides 2, 4 and 8.
        """
        fine, half, quarter, eighth, deep = in_channels
        two, four, eight = channels
        self.from_deep = self.conv(deep, eight, 1)
        self.at_eight = self.conv(eight + eighth, eight, 3)
        self.to_four = self.conv(eight, four, 1)
        self.at_four = self.conv(four + quarter, four, 3)
        self.to_two = self.conv(four, 16, 1)
        self.at_two = self.conv(16 + half + fine, two, 3)

    def conv(self, inputs: int, outputs: int, kernel: int) -> ConvModule:
        """Convolution, batch norm and ReLU."""
        return ConvModule(
            inputs, outputs, kernel, padding=kernel // 2, norm_cfg=self.norm_cfg, bias=False
        )

    def decode(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Features → those of the decoder at stride 8 and at stride 2.

        Args:
            features: (N, C, H / stride, W / stride), finest first.
        """
        fine, half, quarter, eighth, deep = features
        coarse = self.at_eight(torch.cat([_double(self.from_deep(deep)), eighth], dim=1))
        x = self.at_four(torch.cat([_double(self.to_four(coarse)), quarter], dim=1))
        return coarse, self.at_two(torch.cat([_double(self.to_two(x)), half, fine], dim=1))


def _double(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode='nearest')
