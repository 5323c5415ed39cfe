"""JSON files of clusters of classes, which ``tools/derive_clusters.py`` writes."""

import os
from collections.abc import Sequence

from .json_files import read_json


def check_label_map(label_map: Sequence[int], num_classes: int, name: str = 'label_map') -> int:
    """Check the cluster of each class.

    Args:
        label_map: For each class, its cluster; clusters are 0, 1, ... without a gap.
        num_classes: K, how many there must be.
        name: What to call it in errors.

    Returns:
        k, the number of clusters.

    Raises:
        ValueError: for another length, clusters that are no such numbers, more clusters than
            classes, or fewer than two.
    """
    if len(label_map) != num_classes:
        raise ValueError(
            f'{name}: expected a cluster for each of {num_classes} classes, got {len(label_map)}'
        )
    if not all(isinstance(cluster, int) for cluster in label_map):
        raise ValueError(f'{name}: expected integers, got {list(label_map)}')
    clusters = set(label_map)
    highest = max(label_map)
    if highest >= num_classes:
        raise ValueError(f'{name}: {highest + 1} clusters are more than the {num_classes} classes')
    if clusters != set(range(highest + 1)) or len(clusters) < 2:
        raise ValueError(
            f'{name}: expected clusters 0, 1, ... without a gap, 2 or more, got {sorted(clusters)}'
        )
    return len(clusters)


def read_label_map(path: str | os.PathLike, layer: int) -> list[int]:
    """Cluster of each class, for one layer of a file that ``tools/derive_clusters.py`` wrote.

    Args:
        path: The file.
        layer: Which of its layers, counted from 0, as the auxiliary heads of the probe model.

    Raises:
        ValueError: if the file is none of these, or has no such layer.
    """
    content = read_json(path)
    try:
        label_maps = [list(known['label_map']) for known in content['layers']]
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'label_map: {path} was not written by tools/derive_clusters.py: {error!r}'
        ) from error
    if not 0 <= layer < len(label_maps):
        raise ValueError(f'layer: {path} has layers 0 to {len(label_maps) - 1}, got {layer}')
    return label_maps[layer]
