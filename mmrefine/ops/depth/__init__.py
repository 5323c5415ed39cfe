"""Depth and camera motion: one frame out of another, how well they agree, scenes to try it on."""

from .photometric import least_error, photometric_error, roughness, structural_similarity
from .points import depth_of_points
from .view_synthesis import (
    backproject,
    disparity_to_depth,
    inverse_motion,
    motion_matrix,
    project,
    synthesize_view,
)

__all__ = [
    'backproject',
    'depth_of_points',
    'disparity_to_depth',
    'inverse_motion',
    'least_error',
    'motion_matrix',
    'photometric_error',
    'project',
    'roughness',
    'structural_similarity',
    'synthesize_view',
]
