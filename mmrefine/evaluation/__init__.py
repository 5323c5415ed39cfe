"""Metrics: thin shells over ``mmrefine.measures``."""

from .. import registry  # noqa: F401 - first: it imports mmcv without its warning
from .boundary_fscore_metric import BoundaryFScoreMetric
from .boundary_iou_metric import BoundaryIoUMetric
from .cityscapes_instance_metric import CityscapesInstanceMetric
from .depth_metric import DepthBoundaryMetric, MonocularDepthMetric
from .edge_fscore_metric import EdgeFScoreMetric
from .instance_boundary_metric import InstanceBoundaryMetric
from .patch_metric import PatchMetric
from .perceptual_consistency_metric import PerceptualConsistencyMetric
from .refinement_gain import RefinementGain
from .segfix_metric import SegFixMetric
from .transform_error_metric import TransformErrorMetric
from .trimap_iou_metric import TrimapIoUMetric
from .whole_videos import WholeVideos

__all__ = [
    'BoundaryFScoreMetric',
    'BoundaryIoUMetric',
    'CityscapesInstanceMetric',
    'DepthBoundaryMetric',
    'EdgeFScoreMetric',
    'InstanceBoundaryMetric',
    'MonocularDepthMetric',
    'PatchMetric',
    'PerceptualConsistencyMetric',
    'RefinementGain',
    'SegFixMetric',
    'TransformErrorMetric',
    'TrimapIoUMetric',
    'WholeVideos',
]
