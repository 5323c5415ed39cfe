"""Refiners: a network + array functions -> refined masks."""

from .base import Image, Refiner, check_masks, load_image
from .bpr_refiner import BPRRefiner
from .segfix_refiner import SegFixRefiner, shift_masks

__all__ = [
    'BPRRefiner',
    'Image',
    'Refiner',
    'SegFixRefiner',
    'check_masks',
    'load_image',
    'shift_masks',
]
