"""Which classes a network confuses, and into how many groups it can tell them apart (HS3).

HS3 (BMVC 2021, arXiv 2111.02333) gives each intermediate layer the task of telling clusters of
classes apart, as many as the layer can carry. The paper's formula is not public; this is one that
its abstract and the patent US 2023/0004812 describe: confusion on the validation set, fewer
clusters for weaker layers, chosen by an angle between metric and complexity.

Legend: K classes, k clusters, m(k) mean IoU after merging into k clusters, φ(k) its angle.
"""

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform


def check_confusion(confusion: np.ndarray) -> np.ndarray:
    """A confusion matrix as float64 (K, K).

    Raises:
        ValueError: if it is not square, has fewer than 2 classes, or negative or infinite values.
    """
    counts = np.asarray(confusion, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or len(counts) < 2:
        raise ValueError(f'confusion: expected (K, K) with K of 2 or more, got {counts.shape}')
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ValueError('confusion: expected finite counts of 0 or more')
    return counts


def class_linkage(confusion: np.ndarray) -> np.ndarray:
    """Tree in which classes that are confused often are merged first.

    The affinity of two classes is the mean of the shares of each that is taken for the other. Trees
    are built by scipy, with the average linkage of 1 − affinity.

    Args:
        confusion: (K, K) pixel counts; rows are true classes, columns predicted ones.

    Returns:
        (K − 1, 4) float64, as of ``scipy.cluster.hierarchy.linkage``.

    Raises:
        ValueError: if ``confusion`` is no confusion matrix.
    """
    counts = check_confusion(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    affinity = (shares + shares.T) / 2
    distance = 1 - affinity
    np.fill_diagonal(distance, 0)
    return linkage(squareform(distance, checks=False), method='average')


def cut_linkage(tree: np.ndarray, num_clusters: int) -> np.ndarray:
    """Cluster of each class, after so many merges that ``num_clusters`` are left.

    Args:
        tree: From ``class_linkage``.
        num_clusters: k, from 1 to K.

    Returns:
        int64 (K,): clusters are numbered from 0 by the first class in each.

    Raises:
        ValueError: if ``num_clusters`` is less than 1 or more than there are classes.
    """
    num_classes = len(tree) + 1
    if not 1 <= num_clusters <= num_classes:
        raise ValueError(f'num_clusters: expected 1 to {num_classes} classes, got {num_clusters}')
    members = {index: [index] for index in range(num_classes)}
    for step, (first, second) in enumerate(tree[: num_classes - num_clusters, :2].astype(int)):
        members[num_classes + step] = members.pop(first) + members.pop(second)
    label_map = np.empty(num_classes, np.int64)
    for number, classes in enumerate(sorted(members.values(), key=min)):
        label_map[classes] = number
    return label_map


def merge_confusion(confusion: np.ndarray, label_map: Sequence[int] | np.ndarray) -> np.ndarray:
    """Confusion (k, k) of clusters, of that of classes (K, K)."""
    groups = np.eye(int(np.max(label_map)) + 1)[np.asarray(label_map)]
    return groups.T @ np.asarray(confusion, np.float64) @ groups


def confusion_miou(confusion: np.ndarray) -> float:
    """Mean IoU of a confusion matrix, from 0 to 1; of the classes that occur in it."""
    counts = np.asarray(confusion, np.float64)
    hits = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hits
    occurs = union > 0
    return float((hits[occurs] / union[occurs]).mean()) if occurs.any() else 0.0


def cluster_curve(confusion: np.ndarray) -> np.ndarray:
    """Mean IoU m(k) after merging into k clusters.

    Returns:
        float64 (K − 1,): for k = 2, 3, ..., K.
    """
    tree = class_linkage(confusion)
    counts = range(2, len(tree) + 2)
    return np.array(
        [confusion_miou(merge_confusion(confusion, cut_linkage(tree, k))) for k in counts]
    )


def cluster_angles(curve: np.ndarray) -> np.ndarray:
    """φ(k) = arctan(m(k) / (k / K)), in radians, of a curve from ``cluster_curve``."""
    num_classes = len(curve) + 1
    complexity = np.arange(2, num_classes + 1) / num_classes
    return np.arctan2(curve, complexity)


def choose_cluster_counts(curves: Sequence[np.ndarray]) -> list[int]:
    """How many clusters each layer shall tell apart.

    The last layer keeps all K classes, and its angle φ is what the others are held to: each takes
    the k whose angle is nearest to it, so that performance in proportion to complexity is the same
    over the network. A layer never gets more clusters than the next one; of equally near ones it
    takes the most.

    Args:
        curves: m(k) of each layer, first to last, each from ``cluster_curve``.

    Returns:
        k of each layer; the last one is K.

    Raises:
        ValueError: if there is no curve, or they are not of equal length.
    """
    lengths = {len(curve) for curve in curves}
    if len(lengths) != 1 or not lengths - {0}:
        raise ValueError(f'curves: expected some, all as long, got lengths {sorted(lengths)}')
    limit = lengths.pop() + 1
    goal = cluster_angles(np.asarray(curves[-1]))[-1]
    chosen = [limit]
    for curve in reversed(curves[:-1]):
        away = np.abs(cluster_angles(np.asarray(curve)) - goal)[: limit - 1]
        limit = int(np.flatnonzero(away == away.min())[-1]) + 2
        chosen.append(limit)
    return chosen[::-1]
