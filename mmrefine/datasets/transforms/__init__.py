"""Data transforms."""

from .boundary_direction import GenerateBoundaryDirection, PackSegFixInputs
from .instance_map import LoadInstanceMap

__all__ = ['GenerateBoundaryDirection', 'LoadInstanceMap', 'PackSegFixInputs']
