"""Backbones that mmseg does not have."""

from .ffnet_resnet import FFNetResNet
from .hrnet import HRNet
from .hrnet2x import HRNet2x

__all__ = ['FFNetResNet', 'HRNet', 'HRNet2x']
