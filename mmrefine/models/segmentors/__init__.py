"""Segmentors."""

from .ffnet import FFNet
from .patch_refiner import PatchRefiner
from .segfix import SegFix

__all__ = ['FFNet', 'PatchRefiner', 'SegFix']
