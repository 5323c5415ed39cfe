"""Decode heads."""

from .segfix_head import SegFixHead

__all__ = ['SegFixHead']
