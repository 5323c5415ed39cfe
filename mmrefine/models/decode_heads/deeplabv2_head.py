"""The head of DeepLab-v2 (arXiv 1606.00915). mmseg has none."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ...registry import MODELS


@MODELS.register_module()
class DeepLabV2Head(BaseDecodeHead):
    """Dilated 3×3 convolutions from features to class scores, added up.

    Args:
        dilations: One convolution for each.
        **kwargs: Further arguments of every mmseg head.
    """

    def __init__(self, dilations: Sequence[int] = (6, 12, 18, 24), **kwargs: Any) -> None:
        init_cfg = dict(type='Normal', std=0.01, layer='Conv2d')
        super().__init__(dropout_ratio=0, **{'init_cfg': init_cfg, **kwargs})
        del self.conv_seg  # the convolutions below take its place
        self.convs = nn.ModuleList(
            nn.Conv2d(self.in_channels, self.out_channels, 3, padding=d, dilation=d)
            for d in dilations
        )

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Class scores (N, C, h, w)."""
        features = self._transform_inputs(inputs)
        return sum(conv(features) for conv in self.convs)
