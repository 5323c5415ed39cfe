"""Datasets, samplers and transforms."""

from . import transforms
from .camvid import CamVidDataset
from .samplers import EvenSourceSampler

__all__ = ['CamVidDataset', 'EvenSourceSampler', 'transforms']
