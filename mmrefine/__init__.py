"""mmrefine: right boundaries for segmentation masks, inside OpenMMLab tools."""

from .version import __version__

__all__ = ['__version__']
