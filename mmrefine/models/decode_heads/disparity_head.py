"""The decoder of a depth network: features to disparity maps at several sizes.

The network of Monodepth2 (ICCV 2019, Section 4 and supplement), written from its description.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ops.depth import disparity_to_depth
from ...registry import MODELS


@MODELS.register_module()
class DisparityHead(BaseModule):
    """From the coarsest feature upwards: convolve, enlarge, take in the next finer feature.

    Features may have any size: each is enlarged to the size of the next. After the finest one
    comes one more step, of factor 2: with features from stride 2 on, as ``mmrefine.StemResNet``
    gives them, the finest disparity map has the size of the image.

    Args:
        in_channels: Channels of the features, fine to coarse.
        channels: Channels of the decoder, fine to coarse, as many.
        num_scales: Disparity maps, from the finest on.
        min_depth: Depth of disparity 1.
        max_depth: Depth of disparity 0.
        align_corners: How depth is enlarged to the image's size.
        init_cfg: As in every mmengine module.

    Raises:
        ValueError: if an argument is out of range.
    """

    num_classes = out_channels = 1  # one depth; mmseg's segmentors ask

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: Sequence[int] = (16, 32, 64, 128, 256),
        num_scales: int = 4,
        min_depth: float = 0.1,
        max_depth: float = 100.0,
        align_corners: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if len(channels) != len(in_channels):
            raise ValueError(
                f'channels: expected {len(in_channels)} numbers, as in in_channels, got '
                f'{len(channels)}: {tuple(channels)}'
            )
        if not 1 <= num_scales <= len(channels):
            raise ValueError(f'num_scales must be from 1 to {len(channels)}, got {num_scales}')
        if not 0 < min_depth < max_depth:
            raise ValueError(f'0 < min_depth < max_depth is needed, got {min_depth}, {max_depth}')
        self.min_depth, self.max_depth = min_depth, max_depth
        self.align_corners = align_corners
        above = (*channels[1:], in_channels[-1])
        skipped = (0, *in_channels[:-1])
        self.reduce = nn.ModuleList(map(_conv, above, channels))
        self.merge = nn.ModuleList(
            _conv(own + skip, own) for own, skip in zip(channels, skipped, strict=True)
        )
        self.disparity = nn.ModuleList(_conv(own, 1) for own in channels[:num_scales])

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features, fine to coarse → disparities (N, 1, h, w) between 0 and 1, fine to coarse."""
        x = features[-1]
        maps = []
        for level in reversed(range(len(self.reduce))):
            x = F.elu(self.reduce[level](x))
            if level:
                x = F.interpolate(x, size=features[level - 1].shape[2:], mode='nearest')
                x = torch.cat([x, features[level - 1]], 1)
            else:
                x = F.interpolate(x, scale_factor=2, mode='nearest')
            x = F.elu(self.merge[level](x))
            if level < len(self.disparity):
                maps.append(self.disparity[level](x).sigmoid())
        return maps[::-1]

    def to_depth(self, disparity: Tensor) -> Tensor:
        """Disparity between 0 and 1 → depth, of the same shape."""
        return disparity_to_depth(disparity, self.min_depth, self.max_depth)

    def predict(
        self, features: Sequence[Tensor], batch_img_metas: list[dict], test_cfg: Any
    ) -> Tensor:
        """Features → depth (N, 1, H, W) at the size of the network's input."""
        disparity = F.interpolate(
            self(features)[0],
            size=batch_img_metas[0]['img_shape'][:2],
            mode='bilinear',
            align_corners=self.align_corners,
        )
        return self.to_depth(disparity)


def _conv(before: int, after: int) -> nn.Conv2d:
    """3×3, its input mirrored at the border: zeros there would look like a drop in depth."""
    return nn.Conv2d(before, after, 3, padding=1, padding_mode='reflect')
