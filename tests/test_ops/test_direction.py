"""Directions against the plain definition, drawings and symmetries."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import correlate, distance_transform_edt, gaussian_filter

from mmrefine.ops import (
    apply_offset,
    boundary_map,
    direction_map,
    direction_to_offset,
    distance_map,
    segfix_targets,
)

DIRECTIONS = (4, 8, 16, 32)


def gradient_by_definition(labels, kernel_size, ignore_index=255):
    """Full-size distance map and full Sobel convolution of every label, float64 (2, H, W)."""
    radius = kernel_size // 2
    kernel_y, kernel_x = np.zeros((2, kernel_size, kernel_size))
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if (i, j) != (0, 0):
                kernel_y[radius + i, radius + j] = i / (i**2 + j**2)
                kernel_x[radius + i, radius + j] = j / (i**2 + j**2)
    gradient = np.zeros((2, *labels.shape))
    for label in set(labels.ravel().tolist()) - {ignore_index}:
        inside = labels == label
        if not inside.all():
            distance = distance_transform_edt(inside)
            for axis, kernel in enumerate((kernel_y, kernel_x)):
                gradient[axis][inside] = correlate(distance, kernel, mode='constant')[inside]
    return gradient


def sectors(gradient, num_directions):
    """Angle in classes, not rounded: class c is c - 0.5 ... c + 0.5."""
    start = -135 if num_directions == 4 else -180
    return (np.degrees(np.arctan2(*gradient)) - start) / (360 / num_directions)


def smooth_labels(shape, num_labels, seed, sigma=6):
    """Blobs of every size, as a semantic label map has them."""
    noise = np.random.default_rng(seed).standard_normal((num_labels, *shape))
    return np.argmax([gaussian_filter(layer, sigma) for layer in noise], axis=0)


def assert_follows_definition(labels, num_directions, kernel_size):
    """Equal wherever the gradient is not zero; either neighbour exactly between two classes.

    Returns the share of pixels that do not lie between two classes and have a gradient.
    """
    direction = direction_map(labels, num_directions, kernel_size)
    gradient = gradient_by_definition(labels, kernel_size)
    sector = sectors(gradient, num_directions)
    expected = np.rint(sector) % num_directions
    pointing = (np.hypot(*gradient) > 1e-9) & (labels != 255)
    between = np.abs(sector - np.floor(sector) - 0.5) < 1e-9
    clear = pointing & ~between
    np.testing.assert_array_equal(direction[clear], expected[clear])
    later = np.rint(sector + 0.5) % num_directions
    np.testing.assert_array_equal(direction[pointing & between], later[pointing & between])
    assert (direction[labels == 255] == 255).all()
    assert (direction[labels != 255] < num_directions).all()
    return clear.sum() / max(1, (labels != 255).sum())


@pytest.mark.parametrize('kernel_size', [3, 9, 13])
@pytest.mark.parametrize('num_directions', DIRECTIONS)
def test_direction_equals_definition(num_directions, kernel_size):
    labels = smooth_labels((120, 170), 9, seed=kernel_size)
    labels[labels == 8] = 255
    clear = assert_follows_definition(labels, num_directions, kernel_size)
    # straight stretches of a boundary point along the axes, where the quadrants of m = 4 meet
    assert clear > (0.8 if num_directions == 4 else 0.98)


@pytest.mark.parametrize(
    'labels',
    [
        np.random.default_rng(0).integers(0, 4, (40, 57)),
        smooth_labels((50, 70), 100, seed=1, sigma=2) + 70_000,
        np.kron(np.random.default_rng(2).integers(0, 5, (4, 6)), np.ones((13, 11), int)),
        (np.hypot(*(np.indices((300, 210)) - 100)) < 80).astype(np.uint8),
    ],
    ids=['noise', 'instances', 'rectangles', 'disc'],
)
@pytest.mark.parametrize('num_directions', [4, 8])
def test_direction_of_other_maps_equals_definition(labels, num_directions):
    assert_follows_definition(labels, num_directions, 9)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        np.uint8,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.sampled_from([0, 1, 2, 255]),
    ),
    st.sampled_from(DIRECTIONS),
    st.sampled_from([3, 5, 9, 21]),
)
def test_direction_of_any_small_map_equals_definition(labels, num_directions, kernel_size):
    assert_follows_definition(labels, num_directions, kernel_size)


def test_drawn_directions_point_into_the_corner_regions():
    labels = np.zeros((24, 32), np.uint8)
    labels[6:18, 8:24] = 1
    direction = direction_map(labels)
    rows, columns = [6, 6, 12, 17, 17, 17, 12, 6], [8, 16, 8, 8, 16, 23, 23, 23]
    # corner up left, edge up, edge left, corner down left, edge down, ...: towards the middle
    assert direction[rows, columns].tolist() == [5, 6, 4, 3, 2, 1, 0, 7]
    # just outside, away from the rectangle
    assert direction[[5, 12, 18, 12], [16, 7, 16, 24]].tolist() == [2, 0, 6, 4]
    quadrants = direction_map(labels, num_directions=4)
    assert quadrants[[6, 6, 17, 17], [8, 23, 23, 8]].tolist() == [2, 3, 0, 1]


@pytest.mark.parametrize('num_directions', DIRECTIONS)
def test_offset_of_a_disc_points_to_its_middle(num_directions):
    to_middle = np.array([30, 40]).reshape(2, 1, 1) - np.indices((60, 81))
    disc = (np.hypot(*to_middle) < 24.3).astype(np.uint8)
    offset = direction_to_offset(direction_map(disc, num_directions), num_directions)
    rim = (disc == 1) & (boundary_map(disc, 5) == 1)
    cosine = (offset * to_middle).sum(0) / (np.hypot(*offset) * np.hypot(*to_middle) + 1e-12)
    # half a sector, the vector's distance from the sector's middle, and the steps of the rim
    allowed = 180 / num_directions + 4.1 + 6
    assert np.degrees(np.arccos(cosine[rim].clip(-1, 1))).max() < allowed


def test_eight_directions_are_the_neighbours_clockwise_from_the_left():
    direction = np.array([[1, 2, 3], [0, 255, 4], [7, 6, 5], [255, 255, 255]], np.uint8)
    offset = direction_to_offset(direction)
    assert np.issubdtype(offset.dtype, np.signedinteger)
    assert offset.flags.c_contiguous
    np.testing.assert_array_equal(offset[0], [[-1, -1, -1], [0, 0, 0], [1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(offset[1], [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1], [0, 0, 0]])


def test_four_directions_are_the_diagonals():
    offset = direction_to_offset(np.array([[0, 1, 2, 3]]), num_directions=4)
    assert offset[:, 0].T.tolist() == [[-1, -1], [-1, 1], [1, 1], [1, -1]]


@pytest.mark.parametrize(('num_directions', 'length'), [(4, 1), (8, 1), (16, 2), (32, 4)])
def test_vectors_lie_in_their_own_sector(num_directions, length):
    classes = np.arange(num_directions)
    vectors = direction_to_offset(classes[None], num_directions)[:, 0]
    off_centre = (sectors(vectors.astype(float), num_directions) - classes) % num_directions
    off_centre = np.minimum(off_centre, num_directions - off_centre) * 360 / num_directions
    assert (off_centre < min(4.1, 180 / num_directions)).all()
    assert (np.abs(vectors).max(0) == length).all()


def test_released_vectors_of_16_and_32_directions():
    sixteen = direction_to_offset(np.arange(16)[None], 16)[:, 0].T.tolist()
    assert sixteen[:5] == [[0, -2], [-1, -2], [-2, -2], [-2, -1], [-2, 0]]
    assert sixteen[8:] == [[-y, -x] for y, x in sixteen[:8]]
    thirty_two = direction_to_offset(np.arange(32)[None], 32)[:, 0].T.tolist()
    assert thirty_two[:6] == [[0, -4], [-1, -4], [-2, -4], [-3, -4], [-4, -4], [-4, -3]]
    assert thirty_two[16:] == [[-y, -x] for y, x in thirty_two[:16]]


def test_mirrored_map_has_mirrored_directions():
    labels = smooth_labels((70, 110), 6, seed=5)
    pointing = np.hypot(*gradient_by_definition(labels, 9)) > 1e-9
    direction = direction_map(labels).astype(int)
    flipped = direction_map(labels[:, ::-1])[:, ::-1]
    np.testing.assert_array_equal(flipped[pointing], ((4 - direction) % 8)[pointing])
    upside_down = direction_map(labels[::-1])[::-1]
    np.testing.assert_array_equal(upside_down[pointing], ((8 - direction) % 8)[pointing])
    transposed = direction_map(labels.T).T
    np.testing.assert_array_equal(transposed[pointing], ((10 - direction) % 8)[pointing])


def test_direction_depends_on_the_own_label_only():
    labels = smooth_labels((50, 80), 5, seed=6)
    own = labels == 2
    assert own.any()
    direction = direction_map(labels)
    np.testing.assert_array_equal(direction_map(np.where(own, 2, 0))[own], direction[own])


def test_zero_gradient_has_the_class_of_zero_degrees():
    dot = np.zeros((21, 31), np.uint8)
    dot[10, 15] = 1
    line = np.zeros((21, 31), np.uint8)
    line[10] = 1
    for num_directions, zero_degrees in ((4, 2), (8, 4), (16, 8), (32, 16)):
        assert direction_map(dot, num_directions)[10, 15] == zero_degrees
        assert (direction_map(line, num_directions)[10, 4:-4] == zero_degrees).all()
        full = direction_map(np.full((4, 6), 3, np.int64), num_directions)
        assert (full == zero_degrees).all()


def test_everything_ignored():
    assert (direction_map(np.full((4, 6), 255, np.uint8)) == 255).all()
    assert (direction_map(np.full((4, 6), 7, np.uint8), ignore_index=7) == 255).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5, math.inf]), st.sampled_from([4, 8]))
def test_targets_are_the_three_maps(seed, width, num_directions):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.choice([0, 1, 70_000, 9], (4, 5)), np.ones(rng.integers(1, 8, 2), int))
    targets = segfix_targets(labels, width, num_directions, 5, ignore_index=9)
    expected = (
        distance_map(labels, ignore_index=9),
        boundary_map(labels, width, ignore_index=9),
        direction_map(labels, num_directions, 5, ignore_index=9),
    )
    for target, one, dtype in zip(targets, expected, ('float32', 'uint8', 'uint8'), strict=True):
        assert target.dtype == dtype
        np.testing.assert_array_equal(target, one)


@pytest.mark.parametrize('shift', [(0, 1), (1, 0), (-1, 1), (2, 0), (0, -2)])
def test_true_offset_repairs_a_shifted_prediction(shift):
    truth = smooth_labels((150, 230), 6, seed=7, sigma=12)
    prediction = np.roll(truth, shift, (0, 1))
    inner = np.s_[4:-4, 4:-4]
    _, boundary, direction = segfix_targets(truth)
    offset = direction_to_offset(np.where(boundary == 1, direction, 255))
    before = (prediction != truth)[inner].mean()
    after = (apply_offset(prediction, offset, scale=2) != truth)[inner].mean()
    assert before > 0.01
    assert after < 0.15 * before


def test_true_offset_repairs_a_straight_boundary_completely():
    truth = np.repeat([[3] * 9 + [200] * 11], 16, axis=0).astype(np.uint8)
    prediction = np.repeat([[3] * 7 + [200] * 13], 16, axis=0).astype(np.uint8)
    _, boundary, direction = segfix_targets(truth)
    offset = direction_to_offset(np.where(boundary == 1, direction, 255))
    np.testing.assert_array_equal(apply_offset(prediction, offset, scale=2)[4:-4], truth[4:-4])
    np.testing.assert_array_equal(apply_offset(truth, offset, scale=2), truth)


def test_torch_in_torch_out():
    labels = smooth_labels((20, 30), 4, seed=8)
    tensor = torch.from_numpy(labels)
    for target, expected in zip(segfix_targets(tensor), segfix_targets(labels), strict=True):
        assert isinstance(target, torch.Tensor)
        np.testing.assert_array_equal(target.numpy(), expected)
    direction = direction_map(tensor, 16)
    assert direction.dtype == torch.uint8
    offset = direction_to_offset(direction, 16)
    assert isinstance(offset, torch.Tensor)
    assert offset.is_contiguous()
    np.testing.assert_array_equal(
        offset.numpy(), direction_to_offset(direction_map(labels, 16), 16)
    )


@pytest.mark.parametrize('num_directions', [0, 2, 9, 19, 255])
def test_number_of_directions_is_not_the_number_of_classes(num_directions):
    labels = np.zeros((3, 4), np.uint8)
    message = rf'num_directions must be one of 4, 8, 16, 32 .*classes.*got {num_directions}'
    for function in (direction_map, direction_to_offset):
        with pytest.raises(ValueError, match=message):
            function(labels, num_directions)
    with pytest.raises(ValueError, match=message):
        segfix_targets(labels, num_directions=num_directions)


@pytest.mark.parametrize('kernel_size', [1, 4, -3, 9.0])
def test_kernel_size_must_be_odd(kernel_size):
    with pytest.raises(
        ValueError, match=f'kernel_size must be an odd number >= 3, got {kernel_size}'
    ):
        direction_map(np.zeros((3, 4), np.uint8), kernel_size=kernel_size)


def test_bad_label_and_direction_maps_are_named():
    with pytest.raises(TypeError, match=r'label_map .* got float64'):
        direction_map(np.zeros((3, 4)))
    with pytest.raises(ValueError, match='width must be > 0'):
        segfix_targets(np.zeros((3, 4), int), width=0)
    for bad in (np.zeros((3, 4)), torch.zeros(3, 4)):
        with pytest.raises(TypeError, match=r'direction_map .* integer dtype, got .*float'):
            direction_to_offset(bad)
    with pytest.raises(
        ValueError, match=r'direction_map must have shape \(H, W\), got \(1, 3, 4\)'
    ):
        direction_to_offset(np.zeros((1, 3, 4), np.uint8))
    for wrong in (8, -1, 254):
        with pytest.raises(ValueError, match=r'direction_map must hold 0 \.\.\. 7'):
            direction_to_offset(np.full((3, 4), wrong))


def test_small_maps_of_many_shapes():
    for shape in ((1, 1), (1, 9), (9, 1), (2, 3), (30, 2)):
        labels = np.arange(np.prod(shape)).reshape(shape) // 2
        assert_follows_definition(labels, 8, 9)
