"""Decode heads."""

from .edge_head import EdgeHead
from .segfix_head import SegFixHead

__all__ = ['EdgeHead', 'SegFixHead']
