"""Refiners: a network + array functions -> refined masks."""

from .base import Image, OffsetRefiner, Refiner, check_masks, load_image, refine_through
from .bpr_refiner import BPRRefiner
from .segfix_refiner import SegFixRefiner, shift_masks

__all__ = [
    'BPRRefiner',
    'Image',
    'OffsetRefiner',
    'Refiner',
    'SegFixRefiner',
    'check_masks',
    'load_image',
    'refine_through',
    'shift_masks',
]
