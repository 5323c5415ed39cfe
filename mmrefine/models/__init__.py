"""Networks, heads and losses, registered with ``mmrefine.registry.MODELS``."""

from . import (
    backbones,
    classifiers,
    data_preprocessors,
    decode_heads,
    edge_nets,
    losses,
    necks,
    segmentors,
)

__all__ = [
    'backbones',
    'classifiers',
    'data_preprocessors',
    'decode_heads',
    'edge_nets',
    'losses',
    'necks',
    'segmentors',
]
