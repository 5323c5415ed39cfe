"""Losses."""

from .balanced_cross_entropy import BalancedCrossEntropyLoss, balanced_cross_entropy
from .boundary_cross_entropy import BoundaryCrossEntropyLoss, boundary_cross_entropy
from .edge_cross_entropy import EdgeCrossEntropyLoss
from .inverseform_loss import InverseFormLoss
from .perceptual_consistency_loss import PerceptualConsistencyLoss
from .semeda_loss import SEMEDALoss
from .view_synthesis_loss import ViewSynthesisLoss

__all__ = [
    'BalancedCrossEntropyLoss',
    'BoundaryCrossEntropyLoss',
    'EdgeCrossEntropyLoss',
    'InverseFormLoss',
    'PerceptualConsistencyLoss',
    'SEMEDALoss',
    'ViewSynthesisLoss',
    'balanced_cross_entropy',
    'boundary_cross_entropy',
]
