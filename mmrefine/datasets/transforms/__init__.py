"""Data transforms."""

from .boundary_direction import GenerateBoundaryDirection, PackSegFixInputs
from .depth import LoadDepth, LoadScanDepth
from .frames import (
    JitterFrames,
    LoadFrameLabels,
    LoadFrames,
    PackFrames,
    RandomFlipFrames,
    ResizeFrames,
)
from .instance_map import LoadInstanceMap, PaintInstanceMap
from .patch_masks import LoadPatchMasks, PackPatchInputs, ResizePatch

__all__ = [
    'GenerateBoundaryDirection',
    'JitterFrames',
    'LoadDepth',
    'LoadFrameLabels',
    'LoadFrames',
    'LoadInstanceMap',
    'LoadPatchMasks',
    'LoadScanDepth',
    'PackFrames',
    'PackPatchInputs',
    'PackSegFixInputs',
    'PaintInstanceMap',
    'RandomFlipFrames',
    'ResizeFrames',
    'ResizePatch',
]
