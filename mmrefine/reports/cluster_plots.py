"""The picture of clusters of classes: which merge first, and how many a layer can carry (HS3)."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram

from ..ops.label_clusters import class_linkage


def cluster_figure(confusions: Sequence[np.ndarray], result: Mapping[str, Any]) -> bytes:
    """A PNG: a dendrogram of each layer, and the curves from which its clusters were chosen.

    Args:
        confusions: (K, K) of each layer.
        result: What ``derive_clusters`` found.
    """
    layers, classes = result['layers'], result['classes']
    height = max(3.0, 0.2 * len(classes))
    figure = Figure(figsize=(4.2 * (len(layers) + 1), height), layout='constrained')
    *trees, curves = figure.subplots(1, len(layers) + 1)
    for axes, confusion, layer in zip(trees, confusions, layers, strict=True):
        tree = class_linkage(confusion)
        merges = len(classes) - layer['num_clusters']
        last = tree[merges - 1, 2] if merges else 0
        following = tree[merges, 2] if merges < len(tree) else tree[-1, 2]
        cut = (last + following) / 2
        dendrogram(tree, ax=axes, orientation='left', labels=classes, color_threshold=cut)
        axes.axvline(cut, color='#6e6e6e', linestyle='dashed', linewidth=1)
        axes.set_title(f'{layer["name"]}: {layer["num_clusters"]} clusters', fontsize=10)
        axes.set_xlabel('1 − confusion')
        curve = {int(k): m for k, m in layer['miou'].items()}
        (line,) = curves.plot(list(curve), list(curve.values()), label=layer['name'])
        chosen = layer['num_clusters']
        curves.plot([chosen], [curve[chosen]], 'o', color=line.get_color())
    curves.set_xlabel('clusters k')
    curves.set_ylabel('mIoU after merging')
    curves.legend(fontsize=8)
    curves.grid(color='#dddddd', linewidth=0.8)
    content = io.BytesIO()
    figure.savefig(content, format='png', dpi=100, metadata={'Software': None})
    return content.getvalue()
