"""Datasets, samplers and transforms."""

# ruff: noqa: E402 - what other libraries print on import must not head our own output.
from .. import registry  # noqa: F401 - it imports mmcv without its warning
from ..frameworks import import_quietly

import_quietly('mmseg.datasets')

from . import transforms
from .boundary_patches import BoundaryPatchDataset
from .camvid import CamVidDataset
from .frame_folders import FrameFolderDataset
from .instance_maps import CocoInstanceMapDataset
from .kitti import KittiRawDataset
from .label_maps import DrawnLabelMapDataset, LabelMapDataset
from .nyuv2 import NYUv2Dataset
from .object_patches import ObjectPatchDataset
from .patches import CityscapesPatchDataset
from .samplers import EvenSourceSampler
from .video_pairs import VideoPairDataset
from .video_sampler import VideoSampler
from .warped_boundaries import WarpedBoundaryDataset

__all__ = [
    'BoundaryPatchDataset',
    'CamVidDataset',
    'CityscapesPatchDataset',
    'CocoInstanceMapDataset',
    'DrawnLabelMapDataset',
    'EvenSourceSampler',
    'FrameFolderDataset',
    'KittiRawDataset',
    'LabelMapDataset',
    'NYUv2Dataset',
    'ObjectPatchDataset',
    'VideoPairDataset',
    'VideoSampler',
    'WarpedBoundaryDataset',
    'transforms',
]
