"""Networks, heads and losses, registered with ``mmrefine.registry.MODELS``."""

from .. import registry  # noqa: F401 - first: it imports mmcv without its warning
from . import (
    backbones,
    classifiers,
    data_preprocessors,
    decode_heads,
    detectors,
    edge_nets,
    inverse_nets,
    losses,
    necks,
    pose_nets,
    segmentors,
    teachers,
)
from .perceptual_features import PerceptualFeatures

__all__ = [
    'PerceptualFeatures',
    'backbones',
    'classifiers',
    'data_preprocessors',
    'decode_heads',
    'detectors',
    'edge_nets',
    'inverse_nets',
    'losses',
    'necks',
    'pose_nets',
    'segmentors',
    'teachers',
]
