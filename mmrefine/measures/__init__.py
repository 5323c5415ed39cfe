"""Boundary measures on plain arrays.

Each measure takes a prediction and its ground truth and returns :class:`Counts` of one
image. Counts add up (``+``, ``sum``, :func:`total`); ``counts.figures()`` is a dictionary
of figures::

    total(boundary_fscore(p, t, 3, num_classes=19) for p, t in pairs).figures()['fscore']
"""

from .counts import Counts, total
from .fscore import BoundaryFScoreCounts, boundary_fscore
from .regions import RegionCounts, TrimapCounts, region_iou, trimap_iou

__all__ = [
    'BoundaryFScoreCounts',
    'Counts',
    'RegionCounts',
    'TrimapCounts',
    'boundary_fscore',
    'region_iou',
    'total',
    'trimap_iou',
]
