"""Necks that mmseg does not have."""

from .ffnet_up import FFNetUp
from .pisr import PISR
from .pisr_neck import PISRNeck

__all__ = ['PISR', 'FFNetUp', 'PISRNeck']
