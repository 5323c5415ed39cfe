"""Networks, heads and losses, registered with ``mmrefine.registry.MODELS``."""

from . import backbones, decode_heads, losses, segmentors

__all__ = ['backbones', 'decode_heads', 'losses', 'segmentors']
