"""Decode heads."""

from .deeplabv2_head import DeepLabV2Head
from .edge_head import EdgeHead
from .ffnet_head import FFNetHead
from .patch_head import PatchHead
from .segfix_head import SegFixHead

__all__ = ['DeepLabV2Head', 'EdgeHead', 'FFNetHead', 'PatchHead', 'SegFixHead']
