"""The ImageNet classifiers that FFNets start from (arXiv 2206.08236).

Legend: N batch, K classes, h w size of a feature map.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.backbones.resnet import Bottleneck
from mmseg.models.utils import ResLayer
from torch import Tensor, nn

from ...registry import MODELS
from ..ffnet_names import backbone_and_neck, parse_name
from ..necks.ffnet_up import OUT_CHANNELS

LEVEL_CHANNELS = (128, 256, 512, 1024)
LAST_CHANNELS = 2048


class FFNetClassHead(BaseModule):
    """Widens each level, adds the levels up from fine to coarse, and classifies their mean.

    Args:
        in_channels: Channels of four feature maps, finest first.
        num_classes: Number of classes K.
        norm_cfg: Normalisation layer.
    """

    def __init__(
        self, in_channels: Sequence[int], num_classes: int, norm_cfg: Mapping[str, Any]
    ) -> None:
        super().__init__()
        norm = dict(norm_cfg=dict(norm_cfg))
        self.expansions = nn.ModuleList(
            ResLayer(Bottleneck, c, width // Bottleneck.expansion, 1, style='pytorch', **norm)
            for c, width in zip(in_channels, LEVEL_CHANNELS, strict=True)
        )
        self.downs = nn.ModuleList(
            ConvModule(fine, coarse, 3, stride=2, padding=1, bias=True, **norm)
            for fine, coarse in pairwise(LEVEL_CHANNELS)
        )
        self.last = ConvModule(LEVEL_CHANNELS[-1], LAST_CHANNELS, 1, bias=True, **norm)
        self.classifier = nn.Linear(LAST_CHANNELS, num_classes)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Four feature maps (N, C, h, w) → class scores (N, K)."""
        x = self.expansions[0](features[0])
        for down, expansion, level in zip(
            self.downs, self.expansions[1:], features[1:], strict=True
        ):
            x = expansion(level) + down(x)
        return self.classifier(self.last(x).mean(dim=(2, 3)))


@MODELS.register_module()
class FFNetClassifier(BaseModule):
    """An FFNet that classifies whole images; its backbone is what segmentation starts from.

    Args:
        name: Such as ``'FFNet-78S-BBX'``, see ``mmrefine.models.ffnet_names``.
        num_classes: 1000 as released, those of ImageNet.
        norm_cfg: Normalisation layer.
        init_cfg: Weight initialisation.

    Raises:
        ValueError: for a name that is none, and for that of a network that segments.
    """

    def __init__(
        self,
        name: str,
        num_classes: int = 1000,
        norm_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        parsed = parse_name(name)
        if not parsed.is_classifier:
            raise ValueError(f'name: {name} segments images: use mmrefine.FFNet for it')
        norm_cfg = norm_cfg or dict(type='BN', requires_grad=True)
        backbone, neck = backbone_and_neck(parsed)
        self.backbone = MODELS.build(backbone | dict(norm_cfg=norm_cfg))
        self.neck = MODELS.build(neck | dict(norm_cfg=norm_cfg))
        self.head = FFNetClassHead(OUT_CHANNELS[neck['kind']], num_classes, norm_cfg)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores (N, K) of normalised images (N, 3, H, W)."""
        return self.head(self.neck(self.backbone(images)))
