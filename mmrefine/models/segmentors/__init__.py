"""Segmentors."""

from .patch_refiner import PatchRefiner
from .segfix import SegFix

__all__ = ['PatchRefiner', 'SegFix']
