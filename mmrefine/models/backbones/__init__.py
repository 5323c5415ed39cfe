"""Backbones that mmseg does not have."""

from .hrnet import HRNet
from .hrnet2x import HRNet2x

__all__ = ['HRNet', 'HRNet2x']
