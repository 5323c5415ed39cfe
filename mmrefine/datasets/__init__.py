"""Datasets, samplers and transforms."""

from . import transforms
from .boundary_patches import BoundaryPatchDataset
from .camvid import CamVidDataset
from .label_maps import DrawnLabelMapDataset, LabelMapDataset
from .patches import CityscapesPatchDataset
from .samplers import EvenSourceSampler

__all__ = [
    'BoundaryPatchDataset',
    'CamVidDataset',
    'CityscapesPatchDataset',
    'DrawnLabelMapDataset',
    'EvenSourceSampler',
    'LabelMapDataset',
    'transforms',
]
