"""Networks, heads and losses, registered with ``mmrefine.registry.MODELS``."""

from . import backbones, data_preprocessors, decode_heads, edge_nets, losses, segmentors

__all__ = ['backbones', 'data_preprocessors', 'decode_heads', 'edge_nets', 'losses', 'segmentors']
