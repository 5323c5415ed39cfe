"""The up-head of FFNet: a small feature pyramid of convolutions (arXiv 2206.08236, Section 3).

Legend: N batch, h w size of a feature map; level 0 is the finest.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.utils import resize
from torch import Tensor, nn

from ...registry import MODELS

# Channels inside and at the output of each kind of up-head, finest level first.
INNER_CHANNELS = {'A': (64, 128, 256, 512), 'B': (64, 128, 128, 256), 'C': (128, 128, 128, 128)}
OUT_CHANNELS = {'A': (128, 128, 128, 128), 'B': (96, 96, 64, 32), 'C': (128, 16, 16, 16)}
UPSAMPLING = ('bilinear', 'nearest')
# As released, of heads and up-heads.
INIT_CFG = [
    dict(type='Normal', layer='Conv2d', std=0.01, bias=1e-4),
    dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
]


def enlarge(features: Tensor, like: Tensor, upsampling: str) -> Tensor:
    """Features enlarged to the size of others, as FFNet does: bilinear ones corners on corners."""
    corners = True if upsampling == 'bilinear' else None
    return resize(features, like.shape[2:], None, upsampling, corners, warning=False)


def check_choice(name: str, value: object, allowed: Sequence[str] | Mapping[str, Any]) -> None:
    """Refuse a value that is not among those allowed, with an error that lists them."""
    if value not in allowed:
        raise ValueError(f'{name}: expected one of {", ".join(allowed)}, got {value!r}')


@MODELS.register_module()
class FFNetUp(BaseModule):
    """Carries what coarse levels know down to the fine ones.

    Each level is adapted by a 1×1 convolution; from the coarsest on, a level is taken through a 1×1
    convolution, enlarged and added to the next finer one; each sum goes through a 3×3 convolution.

    Args:
        in_channels: Channels of four feature maps, finest first.
        kind: ``'A'``, ``'B'`` or ``'C'``, from large to small.
        upsampling: ``'bilinear'`` of the GPU models or ``'nearest'`` of the mobile ones.
        keep_inputs: Give the four inputs as well, behind the outputs: what deep supervision
            (``ClusterAuxHead``) looks at.
        norm_cfg: Normalisation layer.
        init_cfg: Weight initialisation; by default as released, normal with 0.01.

    Raises:
        ValueError: for an unknown ``kind`` or ``upsampling``, or not four ``in_channels``.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        kind: str = 'A',
        upsampling: str = 'bilinear',
        keep_inputs: bool = False,
        norm_cfg: Mapping[str, Any] | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg or INIT_CFG)
        check_choice('kind', kind, INNER_CHANNELS)
        check_choice('upsampling', upsampling, UPSAMPLING)
        inner, out = INNER_CHANNELS[kind], OUT_CHANNELS[kind]
        if len(in_channels) != len(inner):
            raise ValueError(f'in_channels: expected {len(inner)} numbers, got {in_channels}')
        norm = dict(norm_cfg=dict(norm_cfg or dict(type='BN', requires_grad=True)))
        self.upsampling = upsampling
        self.keep_inputs = keep_inputs
        self.adapters = nn.ModuleList(
            ConvModule(c, width, 1, **norm) for c, width in zip(in_channels, inner, strict=True)
        )
        # ups[i] leads from level i + 1 to level i.
        self.ups = nn.ModuleList(
            ConvModule(coarse, fine, 1, **norm) for fine, coarse in pairwise(inner)
        )
        self.smooths = nn.ModuleList(
            ConvModule(width, c, 3, padding=1, **norm) for width, c in zip(inner, out, strict=True)
        )
        self.out_channels = out + tuple(in_channels) * keep_inputs

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Four feature maps (N, C, h, w), finest first → four of the same sizes."""
        levels = [adapter(x) for adapter, x in zip(self.adapters, features, strict=True)]
        for index in reversed(range(len(self.ups))):
            coarse = self.ups[index](levels[index + 1])
            levels[index] = enlarge(coarse, levels[index], self.upsampling) + levels[index]
        outputs = tuple(smooth(x) for smooth, x in zip(self.smooths, levels, strict=True))
        return outputs + tuple(features) * self.keep_inputs
