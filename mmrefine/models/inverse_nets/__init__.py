"""The network that estimates the transform between two boundary maps."""

from .inverse_transform_net import InverseTransformNet
from .trained import SHIPPED, load_inverse_net

__all__ = ['SHIPPED', 'InverseTransformNet', 'load_inverse_net']
