"""Losses."""

from .balanced_cross_entropy import BalancedCrossEntropyLoss, balanced_cross_entropy
from .edge_cross_entropy import EdgeCrossEntropyLoss
from .semeda_loss import SEMEDALoss

__all__ = [
    'BalancedCrossEntropyLoss',
    'EdgeCrossEntropyLoss',
    'SEMEDALoss',
    'balanced_cross_entropy',
]
