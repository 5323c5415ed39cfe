"""The segmentation head of FFNet (arXiv 2206.08236, Section 3)."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ...registry import MODELS
from ..necks.ffnet_up import INIT_CFG, UPSAMPLING, check_choice, enlarge

# As released: the convolution before a batch norm has a bias.
warnings.filterwarnings('ignore', message='Unnecessary conv bias before batch/instance norm')
# Channels between the two convolutions, and the kernel size of the second.
KINDS = {'A': (512, 1), 'B': (256, 3), 'C': (128, 1)}


@MODELS.register_module()
class FFNetHead(BaseDecodeHead):
    """All levels at the size of the finest, concatenated; two convolutions.

    Args:
        in_channels: Channels of the feature maps, finest first.
        kind: ``'A'`` (512 channels between the convolutions), ``'B'`` (256, and the second
            convolution is 3×3) or ``'C'`` (128).
        upsampling: ``'bilinear'`` of the GPU models or ``'nearest'`` of the mobile ones. With the
            former, the class scores are enlarged corners on corners as well.
        in_index: Which feature maps; by default all, from the first on.
        dropout_ratio: 0 as released.
        norm_cfg: Normalisation layer.
        init_cfg: Weight initialisation; by default as released, normal with 0.01.
        **kwargs: Further arguments of every mmseg head: ``num_classes``, ``loss_decode``, ...

    Raises:
        ValueError: for an unknown ``kind`` or ``upsampling``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        kind: str = 'A',
        upsampling: str = 'bilinear',
        in_index: Sequence[int] | None = None,
        dropout_ratio: float = 0,
        norm_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict | list | None = None,
        **kwargs: Any,
    ) -> None:
        check_choice('kind', kind, KINDS)
        check_choice('upsampling', upsampling, UPSAMPLING)
        channels, kernel_size = KINDS[kind]
        super().__init__(
            in_channels=list(in_channels),
            channels=channels,
            in_index=list(in_index or range(len(in_channels))),
            input_transform='resize_concat',
            align_corners=upsampling == 'bilinear',
            dropout_ratio=dropout_ratio,
            norm_cfg=dict(norm_cfg or dict(type='BN', requires_grad=True)),
            init_cfg=init_cfg or INIT_CFG,
            **kwargs,
        )
        self.upsampling = upsampling
        self.conv = ConvModule(
            self.in_channels, channels, 3, padding=1, bias=True, norm_cfg=self.norm_cfg
        )
        if kernel_size != 1:
            self.conv_seg = nn.Conv2d(channels, self.out_channels, kernel_size, padding=1)

    def _transform_inputs(self, inputs: Sequence[Tensor]) -> Tensor:
        finest, *coarser = (inputs[i] for i in self.in_index)
        return torch.cat([finest, *(enlarge(x, finest, self.upsampling) for x in coarser)], dim=1)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Class scores (N, K, h, w) at the size of the finest level."""
        return self.cls_seg(self.conv(self._transform_inputs(inputs)))
