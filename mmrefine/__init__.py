"""mmrefine: right boundaries for segmentation masks, inside OpenMMLab tools."""

import warnings

from .frameworks import check_installed
from .version import __version__

check_installed()

# mmcv says so wherever it has no compiled ops, of which nothing outside det/ needs any.
warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')

__all__ = ['__version__']
