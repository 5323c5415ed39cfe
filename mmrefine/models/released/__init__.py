"""Weights as the authors of a method released them: a file a method, which registers itself."""

from . import ffnet, inverseform, segfix_bpr
from .formats import FORMATS, ReleasedFormat, register_format

__all__ = ['FORMATS', 'ReleasedFormat', 'ffnet', 'inverseform', 'register_format', 'segfix_bpr']
