"""Backbones that mmseg does not have."""

from .hrnet2x import HRNet2x

__all__ = ['HRNet2x']
