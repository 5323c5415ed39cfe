"""The network that turns class probabilities into semantic edges."""

from .semantic_edge_net import SemanticEdgeNet
from .trained import SHIPPED, load_edge_net

__all__ = ['SHIPPED', 'SemanticEdgeNet', 'load_edge_net']
