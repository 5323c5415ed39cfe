"""What a Python user calls, and what the tools are made of."""

from .build import build_refiner

__all__ = ['build_refiner']
