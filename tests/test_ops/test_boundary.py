"""Distance and boundary maps against scipy, drawings and properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from mmrefine.ops import boundary_map, distance_map
from mmrefine.ops.label_boxes import LabelBox, label_boxes

DTYPES = ['uint8', 'int8', 'uint16', 'int16', 'int32', 'uint32', 'int64', 'uint64']


@st.composite
def label_maps(draw):
    """Blocky or noisy label maps with ids 0 ... 3 and 255, H != W, of any integer dtype."""
    ids = st.sampled_from([0, 1, 2, 3, 255])
    coarse = draw(
        hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=ids)
    )
    zoom = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    labels = np.kron(coarse, np.ones(zoom, np.int64))
    assume(labels.shape[0] != labels.shape[1])
    dtype = draw(st.sampled_from(DTYPES))
    return labels.astype(dtype) if dtype != 'int8' else np.minimum(labels, 100).astype(dtype)


def distance_by_scipy(labels, ignore_index=255):
    """One distance transform of the whole image per label."""
    distance = np.zeros(labels.shape)
    for label in np.unique(labels):
        inside = labels == label
        if label != ignore_index:
            whole = inside.all()  # scipy measures to nowhere then
            distance[inside] = np.inf if whole else distance_transform_edt(inside)[inside]
    return distance


def voronoi(shape, num_labels, seed):
    rng = np.random.default_rng(seed)
    seeds = rng.uniform((0, 0), shape, (num_labels, 2))
    pixels = np.indices(shape).reshape(2, -1, 1)
    return ((pixels - seeds.T[:, None]) ** 2).sum(0).argmin(1).reshape(shape)


def test_drawn_distances():
    labels = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    expected = [[3, 2, 1, 1], [3, 2, 1, 1], [10**0.5, 5**0.5, 2**0.5, 1]]
    distance = distance_map(labels)
    assert distance.dtype == np.float32
    np.testing.assert_allclose(distance, expected, rtol=1e-6)


def test_ignored_pixels_are_another_label_and_get_zero():
    labels = np.array([[7, 7, 7, 255, 7]])
    np.testing.assert_array_equal(distance_map(labels), [[3, 2, 1, 0, 1]])
    np.testing.assert_array_equal(boundary_map(labels, width=1), [[0, 0, 1, 255, 1]])


@settings(max_examples=80, deadline=None)
@given(label_maps())
def test_distance_equals_scipy_label_by_label(labels):
    np.testing.assert_allclose(distance_map(labels), distance_by_scipy(labels), atol=1e-4)


@pytest.mark.parametrize(
    'labels',
    [
        voronoi((70, 100), 300, seed=1),
        voronoi((200, 150), 11, seed=2) % 4,
        np.random.default_rng(3).integers(0, 3, (60, 70)),
        np.indices((9, 14)).sum(0) % 2,
    ],
    ids=['instances', 'labels in many pieces', 'noise', 'checkerboard'],
)
def test_distance_of_whole_maps_equals_scipy(labels):
    np.testing.assert_allclose(distance_map(labels), distance_by_scipy(labels), atol=1e-4)


def test_piece_of_one_label_in_the_box_of_another():
    labels = np.zeros((200, 300), int)
    labels[0:44, 130:140] = labels[40:44, 80:140] = labels[40:80, 80:108] = 1
    labels[20:120, 0:10] = labels[110:120, 0:105] = 1  # its box cuts the block above off at 105
    labels[190:200, 290:300] = 1
    assert LabelBox(1, 20, 120, 0, 105) in label_boxes(labels, 255)
    assert distance_map(labels)[60, 104] == 4
    np.testing.assert_allclose(distance_map(labels), distance_by_scipy(labels), atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(label_maps(), st.permutations([-5, 0, 70_000, 2**40]))
def test_only_equality_of_ids_matters(labels, names):
    labels = labels.astype(int) % 4
    renamed = np.array(names)[labels]
    np.testing.assert_array_equal(distance_map(renamed), distance_map(labels))


def test_ids_that_agree_in_their_last_16_bits_are_different():
    labels = np.array([[1, 1, 1 + 65536, 1 + 65536, 1 + 65536]], np.int32)
    np.testing.assert_array_equal(distance_map(labels), [[2, 1, 1, 2, 3]])


@pytest.mark.parametrize('dtype', [*DTYPES, 'bool'])
def test_one_label_fills_the_image(dtype):
    labels = np.ones((4, 6), dtype)
    assert np.isposinf(distance_map(labels)).all()
    assert (boundary_map(labels, width=5) == 0).all()
    assert (boundary_map(labels, width=math.inf) == 1).all()


def test_everything_ignored():
    labels = np.full((4, 6), 255, np.uint8)
    np.testing.assert_array_equal(distance_map(labels), np.zeros((4, 6)))
    assert (boundary_map(labels, width=math.inf) == 255).all()


@pytest.mark.parametrize('pixel', [(0, 0), (0, 3), (4, 6), (2, 0), (2, 3)])
def test_label_of_one_pixel(pixel):
    labels = np.zeros((5, 7), np.uint8)
    labels[pixel] = 9
    distance = distance_map(labels)
    assert distance[pixel] == 1
    np.testing.assert_allclose(distance, distance_by_scipy(labels), atol=1e-4)


def test_boundary_includes_the_width():
    labels = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], np.uint8)
    boundary = boundary_map(labels, width=1)
    assert boundary.dtype == np.uint8
    np.testing.assert_array_equal(boundary, [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]])
    np.testing.assert_array_equal(
        boundary_map(labels, width=2), [[0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1]]
    )


def test_whole_distances_are_whole():
    labels = np.zeros((40, 70), np.uint8)
    labels[20, 35] = 1
    y, x = np.indices(labels.shape) - np.array([20, 35]).reshape(2, 1, 1)
    expected = np.sqrt((y**2 + x**2).astype(np.float32))
    expected[20, 35] = 1
    for _ in range(20):  # OpenCV's own result depends on where its buffers lie
        np.testing.assert_array_equal(distance_map(labels), expected)


@settings(max_examples=30, deadline=None)
@given(label_maps(), st.sampled_from([0.5, 1, 2.5, 5, math.inf]))
def test_boundary_is_thresholded_distance(labels, width):
    expected = np.where(distance_by_scipy(labels) <= width, 1, 0)
    expected[labels == 255] = 255
    np.testing.assert_array_equal(boundary_map(labels, width), expected)


def test_another_ignore_index():
    labels = np.array([[255, 255, 0, 0]], np.uint8)
    np.testing.assert_array_equal(distance_map(labels, ignore_index=0), [[2, 1, 0, 0]])
    np.testing.assert_array_equal(distance_map(labels, ignore_index=-1), [[2, 1, 1, 2]])
    np.testing.assert_array_equal(boundary_map(labels, 1, ignore_index=0), [[0, 1, 255, 255]])


def test_views_that_are_not_contiguous_and_stay_as_they_were():
    labels = voronoi((30, 50), 9, seed=4)
    for view in (labels.T, labels[::2, ::-1]):
        before = view.copy()
        np.testing.assert_allclose(distance_map(view), distance_by_scipy(view), atol=1e-4)
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool])
def test_torch_in_torch_out(dtype):
    labels = voronoi((12, 20), 2, seed=5)
    tensor = torch.from_numpy(labels).to(dtype)
    for function in (distance_map, boundary_map):
        result = function(tensor)
        assert isinstance(result, torch.Tensor)
        assert result.device == tensor.device
        np.testing.assert_array_equal(result.numpy(), function(labels))


@pytest.mark.parametrize('function', [distance_map, boundary_map])
def test_bad_input_is_named(function):
    with pytest.raises(TypeError, match=r'label_map .* integer dtype, got float32'):
        function(np.zeros((3, 4), np.float32))
    with pytest.raises(TypeError, match=r'label_map .* got torch.float32'):
        function(torch.zeros(3, 4))
    with pytest.raises(TypeError, match=r'label_map .* got list'):
        function([[0, 1]])
    with pytest.raises(ValueError, match=r'label_map .* \(H, W\).* got \(3, 4, 3\)'):
        function(np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r'label_map .* got \(0, 4\)'):
        function(np.zeros((0, 4), np.uint8))


@pytest.mark.parametrize('width', [0, -1, math.nan])
def test_width_must_be_positive(width):
    with pytest.raises(ValueError, match='width must be > 0'):
        boundary_map(np.zeros((3, 4), np.uint8), width)
