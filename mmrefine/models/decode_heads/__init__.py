"""Decode heads."""

from .boundary_head import BoundaryHead
from .cluster_aux_head import ClusterAuxHead
from .deeplabv2_head import DeepLabV2Head
from .depth_to_seg_head import DepthToSegHead
from .disparity_head import DisparityHead
from .edge_head import EdgeHead
from .ffnet_head import FFNetHead
from .hs3_fuse_head import HS3FuseHead
from .ifa_head import IFAHead
from .patch_head import PatchHead
from .segfix_fine_head import SegFixFineHead
from .segfix_head import SegFixHead

__all__ = [
    'BoundaryHead',
    'ClusterAuxHead',
    'DeepLabV2Head',
    'DepthToSegHead',
    'DisparityHead',
    'EdgeHead',
    'FFNetHead',
    'HS3FuseHead',
    'IFAHead',
    'PatchHead',
    'SegFixFineHead',
    'SegFixHead',
]
