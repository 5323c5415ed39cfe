"""Refiners: a network + array functions -> refined masks."""

from .base import Image, Refiner, check_masks, load_image
from .segfix_refiner import SegFixRefiner, shift_masks

__all__ = ['Image', 'Refiner', 'SegFixRefiner', 'check_masks', 'load_image', 'shift_masks']
