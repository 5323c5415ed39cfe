"""Segmentors."""

from .segfix import SegFix

__all__ = ['SegFix']
