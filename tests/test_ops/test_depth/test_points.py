import numpy as np
import pytest

from mmrefine.ops.depth import depth_of_points

PROJECTION = np.array([[4.0, 0, 3, 0], [0, 4, 2, 0], [0, 0, 1, 0]])


def test_nearest_point_of_a_pixel_counts():
    points = np.array(
        [
            [0, 0, 5],  # pixel (row 2, column 3)
            [0, 0, 2],  # in front of it
            [1, -1, 2],  # row 0, column 5
            [-1.5, 0, 2],  # row 2, column 0
            [9, 0, 2],  # to the right of the image
            [0, -3, 2],  # above it
            [0, 0, -2],  # behind the camera
        ]
    )
    expected = np.zeros((5, 7), np.float32)
    expected[2, 3] = expected[0, 5] = expected[2, 0] = 2
    found = depth_of_points(points, PROJECTION, (5, 7))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_no_points_give_an_empty_map():
    assert not depth_of_points(np.zeros((0, 3)), PROJECTION, (5, 7)).any()


def test_projection_moves_points_first():
    shifted = PROJECTION.copy()
    shifted[:, 3] = PROJECTION[:, :3] @ [0.5, 0, 1]
    found = depth_of_points(np.array([[0, 0, 1.0]]), shifted, (5, 7))
    assert np.argwhere(found).tolist() == [[2, 4]]
    assert found[2, 4] == 2


@pytest.mark.parametrize(
    ('points', 'projection', 'text'),
    [
        (np.zeros((3, 4)), PROJECTION, r'points must have shape \(P, 3\)'),
        (np.zeros((3, 3)), PROJECTION[:, :3], r'projection must have shape \(3, 4\)'),
    ],
)
def test_wrong_shapes_are_refused(points, projection, text):
    with pytest.raises(ValueError, match=text):
        depth_of_points(points, projection, (5, 7))
