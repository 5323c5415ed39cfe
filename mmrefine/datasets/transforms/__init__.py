"""Data transforms."""

from .boundary_direction import GenerateBoundaryDirection, PackSegFixInputs
from .instance_map import LoadInstanceMap, PaintInstanceMap
from .patch_masks import LoadPatchMasks, PackPatchInputs, ResizePatch

__all__ = [
    'GenerateBoundaryDirection',
    'LoadInstanceMap',
    'LoadPatchMasks',
    'PackPatchInputs',
    'PackSegFixInputs',
    'PaintInstanceMap',
    'ResizePatch',
]
