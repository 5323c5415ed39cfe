"""Cells near queries, against coordinates computed one by one."""

import numpy as np
import pytest
import torch

from mmrefine.models.decode_heads.query_cells import near_cells

SIZES = [(4, 2), (8, 8), (7, 3), (5, 9), (1, 4), (13, 1), (61, 16), (12, 5)]


def place(query: int, queries: int, cells: int) -> float:
    """Where a query is, in cells from the border."""
    return (query + 0.5) * cells / queries


@pytest.mark.parametrize(('queries', 'cells'), SIZES)
def test_offsets_are_those_of_the_cell_that_the_query_lies_in(queries, cells):
    (near,) = near_cells(queries, cells)
    for q in range(queries):
        where = place(q, queries, cells)
        assert near.cell[q] <= where <= near.cell[q] + 1
        expected = 2 * (where - near.cell[q].item() - 0.5)
        assert near.offset[q].item() == pytest.approx(expected, abs=1e-5)
    assert near.offset.abs().max() <= 1
    assert (near.weight == 1).all()


@pytest.mark.parametrize('size', [1, 5, 8])
def test_own_grid_has_no_offset(size):
    (near,) = near_cells(size, size)
    assert torch.equal(near.cell, torch.arange(size))
    assert (near.offset == 0).all()


def test_nearest_cells_are_those_of_grid_sampling():
    """An independent implementation: torch's own nearest sampling."""
    for queries, cells in SIZES:
        centres = (2 * torch.arange(queries) + 1) / queries - 1
        ids = torch.arange(cells, dtype=torch.float32)[None, None, None]
        grid = torch.stack([centres, torch.zeros(queries)], -1)[None, None]
        sampled = torch.nn.functional.grid_sample(ids, grid, 'nearest', align_corners=False)
        (near,) = near_cells(queries, cells)
        ties = (near.offset.abs() - 1).abs() < 1e-4  # on the border of two cells: either will do
        assert torch.equal(near.cell[~ties], sampled.flatten().long()[~ties])


@pytest.mark.parametrize(('queries', 'cells'), SIZES)
def test_ensemble_interpolates_between_centres(queries, cells):
    lower, upper = near_cells(queries, cells, ensemble=True)
    torch.testing.assert_close(lower.weight + upper.weight, torch.ones(queries))
    values = np.random.default_rng(0).normal(size=cells)
    found = sum(n.weight.numpy() * values[n.cell.numpy()] for n in (lower, upper))
    where = [place(q, queries, cells) for q in range(queries)]
    np.testing.assert_allclose(found, np.interp(where, np.arange(cells) + 0.5, values), atol=1e-5)
    for near in (lower, upper):
        assert near.cell.min() >= 0
        assert near.cell.max() < cells
        expected = [2 * (w - i - 0.5) for w, i in zip(where, near.cell.tolist(), strict=True)]
        np.testing.assert_allclose(near.offset, expected, atol=1e-5)


def test_equal_offsets_are_equal_to_the_last_bit():
    (near,) = near_cells(96, 12)
    assert len(near.offset.unique()) == 8
