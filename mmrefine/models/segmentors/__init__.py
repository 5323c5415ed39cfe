"""Segmentors."""

from .auxadapt import AuxAdaptSegmentor
from .ffnet import FFNet
from .patch_refiner import PatchRefiner
from .segfix import SegFix
from .self_supervised_depth import SelfSupervisedDepth
from .video_pairs import PairDataPreProcessor, VideoPairSegmentor

__all__ = [
    'AuxAdaptSegmentor',
    'FFNet',
    'PairDataPreProcessor',
    'PatchRefiner',
    'SegFix',
    'SelfSupervisedDepth',
    'VideoPairSegmentor',
]
