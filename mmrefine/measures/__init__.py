"""Boundary measures on plain arrays.

Each measure takes a prediction and its ground truth and returns ``Counts`` of one
image. Counts add up (``+``, ``sum``, ``total``); ``counts.figures()`` is a dictionary
of figures::

    total(boundary_fscore(p, t, 3, num_classes=19) for p, t in pairs).figures()['fscore']
"""

from .accuracy import BoundaryAccuracyCounts, mean_boundary_accuracy
from .counts import Counts, total
from .depth import DepthErrorCounts, depth_boundary_fscore, depth_errors
from .flicker import FlickerCounts, boundary_flicker
from .fscore import BoundaryFScoreCounts, boundary_fscore
from .inner_band import BoundaryIoUCounts, boundary_iou
from .instances import InstanceBoundaryFScoreCounts, instance_boundary_fscore
from .perceptual import (
    PerceptualConsistencyCounts,
    auroc,
    consistency_maps,
    perceptual_consistency,
    predicted_correctness,
)
from .regions import (
    BoundaryDistance,
    ErrorCounts,
    RegionCounts,
    TrimapCounts,
    error_by_distance,
    region_iou,
    trimap_iou,
    true_boundary_distance,
)
from .upper_bound import UpperBoundCounts, boundary_upper_bound, correct_near_boundary

__all__ = [
    'BoundaryAccuracyCounts',
    'BoundaryDistance',
    'BoundaryFScoreCounts',
    'BoundaryIoUCounts',
    'Counts',
    'DepthErrorCounts',
    'ErrorCounts',
    'FlickerCounts',
    'InstanceBoundaryFScoreCounts',
    'PerceptualConsistencyCounts',
    'RegionCounts',
    'TrimapCounts',
    'UpperBoundCounts',
    'auroc',
    'boundary_flicker',
    'boundary_fscore',
    'boundary_iou',
    'boundary_upper_bound',
    'consistency_maps',
    'correct_near_boundary',
    'depth_boundary_fscore',
    'depth_errors',
    'error_by_distance',
    'instance_boundary_fscore',
    'mean_boundary_accuracy',
    'perceptual_consistency',
    'predicted_correctness',
    'region_iou',
    'total',
    'trimap_iou',
    'true_boundary_distance',
]
