"""A part of a map is enlarged as it would be in the whole."""

import pytest
import torch
import torch.nn.functional as F

from mmrefine.ops.part_resize import enlarge_part


@pytest.mark.parametrize('factor', [1, 2, 8])
@pytest.mark.parametrize(
    ('rows', 'columns'), [((0, 6), (0, 11)), ((2, 6), (3, 8)), ((1, 2), (0, 3))]
)
def test_as_in_the_whole(factor, rows, columns):
    whole = torch.randn(2, 3, 6, 11, generator=torch.Generator().manual_seed(0))
    size = 6 * factor, 11 * factor
    expected = F.interpolate(whole, size, mode='bilinear', align_corners=True)
    part = whole[:, :, slice(*rows), slice(*columns)]
    part_size = part.shape[2] * factor, part.shape[3] * factor
    start = rows[0] * factor, columns[0] * factor
    found = enlarge_part(part, part_size, start, size)
    expected = expected[:, :, start[0] : rows[1] * factor, start[1] : columns[1] * factor]
    # a value may come from beyond the part, which repeats its border
    whole_part = part.shape == whole.shape
    inner = [slice(None) if whole_part else slice(factor, -factor) for _ in range(2)]
    torch.testing.assert_close(found[:, :, inner[0], inner[1]], expected[:, :, inner[0], inner[1]])
