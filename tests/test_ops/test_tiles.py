import pytest
import torch

from mmrefine.ops import cut_tiles


@pytest.mark.parametrize('size_hw', [(6, 8), (12, 8), (7, 5), (12, 31), (1, 1), (5, 30)])
def test_tiles_cover_every_pixel_with_as_few_as_can_be(size_hw):
    maps = torch.arange(12 * 31.0).reshape(1, 1, 12, 31).repeat(2, 3, 1, 1)
    tiles = cut_tiles(maps, size_hw)
    count = -(-12 // size_hw[0]) * -(-31 // size_hw[1])
    assert tiles.shape == (2, count, 3, *size_hw)
    assert len(tiles[0, :, 0].unique()) == 12 * 31
    for tile in tiles[1, :, 2]:  # each is a piece of the map
        y, x = divmod(int(tile[0, 0]), 31)
        assert torch.equal(tile, maps[0, 0, y : y + size_hw[0], x : x + size_hw[1]])


def test_tiles_of_whole_ratios_do_not_overlap_and_come_row_by_row():
    maps = torch.arange(24.0).reshape(1, 1, 4, 6)
    tiles = cut_tiles(maps, (2, 3))[0, :, 0]
    assert tiles[:, 0, 0].tolist() == [0, 3, 12, 15]


def test_larger_than_the_maps():
    for size in ((5, 3), (2, 7), (0, 3)):
        with pytest.raises(ValueError, match='size_hw: expected 1 to'):
            cut_tiles(torch.zeros(1, 1, 4, 6), size)
