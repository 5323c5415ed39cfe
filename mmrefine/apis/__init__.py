"""What a Python user calls, and what the tools are made of."""

from .build import build_refiner
from .direction_pictures import draw_predicted_directions
from .inferencer import RefinementInferencer
from .predictions import refine
from .refinement_pictures import draw_refinement

__all__ = [
    'RefinementInferencer',
    'build_refiner',
    'draw_predicted_directions',
    'draw_refinement',
    'refine',
]
