import numpy as np
import pytest
import torch

from mmrefine.ops import displacement, transform_labels, transform_matrix
from mmrefine.ops.tile_transforms import RANGES, orientations

SIZE = (20, 32)


def matrix(*parameters: float) -> np.ndarray:
    return transform_matrix(torch.tensor([parameters], dtype=torch.float64))[0].numpy()


def spots(size=(40, 64)) -> np.ndarray:
    """A label map with a different label at every pixel of a coarse grid."""
    labels = np.zeros(size, np.int64)
    labels[2::6, 3::7] = np.arange(labels[2::6, 3::7].size).reshape(labels[2::6, 3::7].shape) + 1
    return labels


@pytest.mark.parametrize('count', RANGES)
def test_zero_is_the_identity(count):
    found = transform_matrix(torch.zeros(3, count))
    assert torch.equal(found, torch.eye(3).expand(3, 3, 3))
    labels = spots()
    moved = transform_labels(labels, found[0].numpy(), (10, 16), SIZE)
    assert np.array_equal(moved, labels[10:30, 16:48])


def test_matrices_by_hand():
    e = np.exp(0.2)
    found = matrix(1, -0.5, 1, -1)
    np.testing.assert_allclose(found, [[e, 0, 0.5], [0, 1 / e, -0.25], [0, 0, 1]])
    found = matrix(1, 0, -1, 0.5, 0, 0, 1, -1)
    np.testing.assert_allclose(found, [[1.2, 0, -0.5], [0.1, 1, 0], [0.1, -0.1, 1]])
    np.testing.assert_array_equal(matrix(1, 0, -1, 0.5, 0, 0), matrix(1, 0, -1, 0.5, 0, 0, 0, 0))


def test_parameters_are_in_shares_of_the_tile():
    """A quarter of 20 rows and an eighth of 32 columns; the map fills what comes in."""
    labels = spots()
    moved = transform_labels(labels, matrix(1, -0.5, 0, 0), (10, 16), SIZE)
    assert np.array_equal(moved, labels[5:25, 20:52])
    for parameters in ((1, -0.5, 0, 0), (0, 0, 1, 0, 0, -0.5)):
        apart = displacement(matrix(*parameters), np.eye(3), SIZE)
        assert apart == pytest.approx(np.hypot(5, 4))


def test_scale_is_about_the_centre():
    labels = np.zeros((41, 61), np.int16)
    labels[20, 20:41] = 1  # as long as half of a tile of 41 columns, in its middle
    found = transform_labels(labels, matrix(0, 0, 0, 1), (10, 10), (21, 41))
    columns = np.flatnonzero(found[10])
    assert found.dtype == labels.dtype
    assert columns.mean() == pytest.approx(20, abs=0.5)
    assert len(columns) == pytest.approx(21 * np.exp(0.2), abs=1)


def test_projective_parameters_move_every_point_where_the_matrix_says():
    transform = matrix(0.5, -0.3, 0.4, 0.2, 0.6, -0.2, 1, -0.7)
    labels = np.zeros((60, 80), np.int64)
    labels[28:31, 38:41] = 1  # centre (29, 39): pixel centre, in the tile (19, 23) of 40×48
    found = transform_labels(labels, transform, (10, 16), (40, 48))
    point = np.array([(19.5 / 40) * 2 - 1, (23.5 / 48) * 2 - 1, 1])
    y, x, w = transform @ point
    expected = ((y / w + 1) * 20 - 0.5, (x / w + 1) * 24 - 0.5)
    np.testing.assert_allclose(np.argwhere(found).mean(0), expected, atol=0.5)


def test_outside_of_the_map_its_border_goes_on():
    labels = np.arange(20 * 32).reshape(20, 32)
    moved = transform_labels(labels, matrix(1, 0, 0, 0), (0, 0), SIZE)
    assert np.array_equal(moved[5:], labels[:15])
    assert (moved[:5] == labels[0]).all()


def test_matrices_have_gradients():
    for count in RANGES:
        parameters = torch.rand(2, count, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(transform_matrix, parameters)


def test_other_numbers_of_parameters():
    for shape in ((2, 5), (4,)):
        with pytest.raises(ValueError, match=r'expected \(N, 4\), \(N, 6\) or \(N, 8\)'):
            transform_matrix(torch.zeros(shape))


@pytest.mark.parametrize('size', [(24, 40), (32, 32)])
@pytest.mark.parametrize('count', RANGES)
def test_transforms_of_mirrored_pairs_take_one_side_to_the_other(count, size):
    """Each orientation of (moved, true) is what its own parameters make of its true side."""
    labels = np.zeros(size, np.int64)
    labels[8:14, 10:18] = 1
    labels[15:18, 20:24] = 2
    generator = torch.Generator().manual_seed(count)
    parameters = torch.rand(1, count, generator=generator) - 0.5
    moved = transform_labels(labels, transform_matrix(parameters)[0].numpy(), (0, 0), size)
    pair = torch.from_numpy(np.stack([moved, labels]))[None].float()
    pairs, found = orientations(pair, parameters)
    assert len(pairs) == len(found) == (8 if size[0] == size[1] else 4)
    assert len(pairs.flatten(1).unique(dim=0)) == len(pairs)
    for (side, truth), transform in zip(pairs, transform_matrix(found), strict=True):
        again = transform_labels(truth.long().numpy(), transform.numpy(), (0, 0), size)
        assert (again != side.numpy()).mean() < 0.01
        assert (truth != side).float().mean() > 0.015
