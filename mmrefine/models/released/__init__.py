"""Weights as the authors of a method released them: a file a method, which registers itself."""

from . import ffnet, segfix_bpr
from .formats import FORMATS, ReleasedFormat, register_format

__all__ = ['FORMATS', 'ReleasedFormat', 'ffnet', 'register_format', 'segfix_bpr']
