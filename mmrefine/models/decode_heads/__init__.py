"""Decode heads."""

from .cluster_aux_head import ClusterAuxHead
from .deeplabv2_head import DeepLabV2Head
from .edge_head import EdgeHead
from .ffnet_head import FFNetHead
from .hs3_fuse_head import HS3FuseHead
from .patch_head import PatchHead
from .segfix_head import SegFixHead

__all__ = [
    'ClusterAuxHead',
    'DeepLabV2Head',
    'EdgeHead',
    'FFNetHead',
    'HS3FuseHead',
    'PatchHead',
    'SegFixHead',
]
