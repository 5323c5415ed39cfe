"""What a Python user calls."""

from ..pictures.changes import draw_refinement
from ..pictures.directions import draw_predicted_directions
from .build import build_refiner
from .inferencer import RefinementInferencer
from .predictions import refine, refine_dataset

__all__ = [
    'RefinementInferencer',
    'build_refiner',
    'draw_predicted_directions',
    'draw_refinement',
    'refine',
    'refine_dataset',
]
