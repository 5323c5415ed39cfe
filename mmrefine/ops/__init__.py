"""Array functions: numpy, scipy, OpenCV and torch only."""

from .boundary import boundary_map, distance_map
from .direction import direction_map, direction_to_offset, segfix_targets
from .offset import apply_offset

__all__ = [
    'apply_offset',
    'boundary_map',
    'direction_map',
    'direction_to_offset',
    'distance_map',
    'segfix_targets',
]
