"""Flow of scenes that move as a whole, and warping against hand-drawn arrays."""

import cv2
import numpy as np
import pytest

from mmrefine.ops import optical_flow, warp_labels, warp_values


def texture(size_hw, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 255, (*size_hw, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.mark.parametrize('preset', ['ultrafast', 'fast', 'medium'])
def test_flow_leads_to_where_the_scene_moved(preset):
    large = texture((90, 120))
    frame, other = large[10:80, 10:110], large[7:77, 15:115]  # the scene moves by (-5, +3)
    flow = optical_flow(frame, other, preset)
    assert flow.shape == (70, 100, 2)
    inner = flow[12:-12, 12:-12]
    np.testing.assert_allclose(np.median(inner, (0, 1)), [-5, 3], atol=0.3)


@pytest.mark.parametrize('size', [(1, 1), (3, 40), (9, 17), (16, 16)])
def test_tiny_frames_have_flow(size):
    frame = texture(size)
    flow = optical_flow(frame, frame)
    assert flow.shape == (*size, 2)
    assert np.abs(flow).max() < 1


def test_labels_come_from_where_flow_leads():
    labels = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint8)
    flow = np.zeros((2, 4, 2), np.float32)
    flow[..., 0] = 1
    np.testing.assert_array_equal(warp_labels(labels, flow), [[1, 2, 3, 255], [5, 6, 7, 255]])
    flow[..., 0], flow[..., 1] = 0.4, -1
    np.testing.assert_array_equal(
        warp_labels(labels, flow, outside=9), [[9, 9, 9, 9], [0, 1, 2, 3]]
    )
    assert warp_labels(labels.astype(np.int32), flow).dtype == np.int32


def test_values_are_interpolated():
    values = np.array([[0, 1, 2], [10, 11, 12]], np.float32)
    flow = np.full((2, 3, 2), 0.25, np.float32)
    found, inside = warp_values(values, flow)
    np.testing.assert_allclose(found, [[2.75, 3.75, 4.5], [10.25, 11.25, 12]], atol=0.05)
    assert inside.all()
    flow[0] = -1
    assert not warp_values(values, flow)[1][0].any()
    stack = np.stack([values, -values], 2)
    np.testing.assert_allclose(warp_values(stack, flow)[0][..., 1], -warp_values(values, flow)[0])


def test_wrong_input_is_named():
    frame = texture((20, 30))
    with pytest.raises(ValueError, match='preset'):
        optical_flow(frame, frame, 'slow')
    with pytest.raises(TypeError, match='other: must be uint8'):
        optical_flow(frame, frame.astype(np.float32))
    with pytest.raises(ValueError, match='frame: must be BGR'):
        optical_flow(frame[..., 0], frame)
    with pytest.raises(ValueError, match='of one size'):
        optical_flow(frame, frame[1:])
    with pytest.raises(ValueError, match='flow: must be'):
        warp_labels(frame[..., 0], np.zeros((20, 29, 2), np.float32))
