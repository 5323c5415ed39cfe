"""Which cell of a feature map a point lies in, and where in it (IFA, arXiv 2206.08655).

A grid of queries and a map of cells cover the same image. Everything about rows is the same for
all columns and the other way round, so that axes are treated one by one.

Legend: Q queries along an axis, 1 or 2 cells near each of them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class NearCells(NamedTuple):
    """A cell for each query of an axis.

    cell: int64 (Q,), which one it is.
    offset: float32 (Q,), from the cell's centre to the query in half cells: within ±1 if the
        query lies in the cell, 0 at its centre.
    weight: float32 (Q,), how much the cell counts.
    """

    cell: Tensor
    offset: Tensor
    weight: Tensor


def near_cells(
    queries: int, cells: int, ensemble: bool = False, device: torch.device | None = None
) -> list[NearCells]:
    """Cells near the queries of an axis.

    ::

        queries 4, cells 2:    |  q  q  |  q  q  |    offset  -0.5  0.5  -0.5  0.5

    Args:
        queries: Q, 1 or more, spaced evenly, half a step from the borders.
        cells: number of cells.
        ensemble: give the two cells whose centres are next to each query, weighted by how near
            they are, in place of the one that it lies in. The weights of a query add up to 1; what
            is summed by them changes steadily along the axis. Beyond the last centre both are the
            last cell.
        device: of the result.

    Returns:
        One, or two with ``ensemble``.
    """
    # In units of 1 / (2 Q) cells: whole numbers, so that equal offsets are equal to the last bit.
    place = (2 * torch.arange(queries, device=device) + 1) * cells
    if not ensemble:
        index = place // (2 * queries)
        return [NearCells(index, _offset(place, index, queries), torch.ones(queries).to(device))]
    lower = (place - queries) // (2 * queries)
    share = (place - queries - 2 * queries * lower).float() / (2 * queries)
    found = []
    for index, weight in ((lower, 1 - share), (lower + 1, share)):
        index = index.clamp(0, cells - 1)
        found.append(NearCells(index, _offset(place, index, queries), weight))
    return found


def _offset(place: Tensor, index: Tensor, queries: int) -> Tensor:
    return (place - (2 * index + 1) * queries).float() / queries
