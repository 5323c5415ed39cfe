"""Backbones that mmseg does not have."""

from .efficientnet_lite import EfficientNetLiteStages
from .ffnet_resnet import FFNetResNet
from .hrnet import HRNet
from .hrnet2x import HRNet2x
from .patch_efficientnet import PatchEfficientNet
from .stem_resnet import StemResNet

__all__ = [
    'EfficientNetLiteStages',
    'FFNetResNet',
    'HRNet',
    'HRNet2x',
    'PatchEfficientNet',
    'StemResNet',
]
