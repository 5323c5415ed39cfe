"""Datasets, samplers and transforms."""

from . import transforms
from .boundary_patches import BoundaryPatchDataset
from .camvid import CamVidDataset
from .patches import CityscapesPatchDataset
from .samplers import EvenSourceSampler

__all__ = [
    'BoundaryPatchDataset',
    'CamVidDataset',
    'CityscapesPatchDataset',
    'EvenSourceSampler',
    'transforms',
]
