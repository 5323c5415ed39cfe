"""Shifting labels: against a loop over pixels, drawings and properties."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrefine.ops import apply_offset
from mmrefine.ops.offset import BLOCK, _shift_on_device

DTYPES = ['bool', 'uint8', 'int8', 'uint16', 'int32', 'int64', 'uint64', 'float16', 'float64']


def shift_by_loop(masks, offset, scale, steps):
    """Walk from every pixel, one after the other."""
    height, width = masks.shape[-2:]
    shifted = masks.copy()
    for start in np.ndindex(height, width):
        y, x = start
        for _ in range(steps):
            dy, dx = offset[:, y, x].tolist()
            y = min(max(y + round(dy * scale), 0), height - 1)
            x = min(max(x + round(dx * scale), 0), width - 1)
        shifted[(..., *start)] = masks[..., y, x]
    return shifted


@st.composite
def cases(draw):
    """Random masks of any dtype and a field in which about a third of the pixels move."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.tuples(st.integers(1, 7), st.integers(8, 12)).flatmap(st.permutations))
    shape = draw(st.sampled_from([(), (1,), (3,)])) + (height, width)
    masks = rng.integers(0, 100, shape).astype(draw(st.sampled_from(DTYPES)))
    offset = rng.integers(-2, 3, (2, height, width)) * (rng.random((height, width)) < 0.4)
    return masks, offset.astype(draw(st.sampled_from(['int8', 'int16', 'int32', 'int64'])))


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from([1, 2, 3, 0.5, 1.5]), st.integers(1, 5))
def test_shift_equals_a_walk_from_every_pixel(case, scale, steps):
    masks, offset = case
    before, field = masks.copy(), offset.copy()
    shifted = apply_offset(masks, offset, scale, steps)
    assert shifted.dtype == masks.dtype
    np.testing.assert_array_equal(shifted, shift_by_loop(masks, offset, scale, steps))
    np.testing.assert_array_equal(masks, before)
    np.testing.assert_array_equal(offset, field)
    assert not np.shares_memory(shifted, masks)


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([1, 2, 1.5]), st.integers(1, 3))
def test_torch_gives_the_same_on_every_device(case, scale, steps):
    masks, offset = case
    expected = shift_by_loop(masks, offset, scale, steps)
    tensors = torch.from_numpy(masks), torch.from_numpy(offset)
    # the second is what runs on other devices, and runs on this one too
    for shifted in (apply_offset(*tensors, scale, steps), _shift_on_device(*tensors, scale, steps)):
        assert isinstance(shifted, torch.Tensor)
        assert shifted.dtype == tensors[0].dtype
        assert shifted.data_ptr() != tensors[0].data_ptr()
        np.testing.assert_array_equal(shifted.numpy(), expected)


@pytest.mark.parametrize(
    ('scale', 'steps', 'expected'),
    [
        (1, 1, [[7, 7, 5, 5], [7, 7, 7, 5]]),
        (2, 1, [[7, 7, 7, 5], [7, 7, 7, 5]]),
        (1, 2, [[7, 7, 7, 5], [7, 7, 7, 5]]),
        (1, 9, [[7, 7, 7, 5], [7, 7, 7, 5]]),
    ],
)
def test_drawn_shift(scale, steps, expected):
    masks = np.array([[7, 5, 5, 5], [7, 7, 5, 5]], np.uint8)
    offset = np.array([[[0] * 4] * 2, [[0, -1, -1, 0], [0, -1, -1, 1]]], np.int32)
    np.testing.assert_array_equal(apply_offset(masks, offset, scale, steps), expected)


@pytest.mark.parametrize('kind', [np.asarray, torch.from_numpy])
@pytest.mark.parametrize('scale', [2, 2.0, 3])
@pytest.mark.parametrize('by', [100, -100, 127, -128])
def test_steps_are_longer_than_their_dtype_holds(kind, scale, by):
    """2 x 100 is -56 in int8."""
    masks = np.arange(2 * 900).reshape(2, 900)
    offset = np.zeros((2, 2, 900), np.int8)
    offset[1, :, 450] = by
    expected = masks.copy()
    expected[:, 450] = masks[:, int(450 + scale * by)]
    shifted = apply_offset(kind(masks), kind(offset), scale)
    np.testing.assert_array_equal(np.asarray(shifted), expected)


def test_rows_come_first():
    masks = np.array([[1, 2, 3], [4, 5, 6]])
    up_and_left = np.zeros((2, 2, 3), int)
    up_and_left[:, 1, 2] = -1, -2
    np.testing.assert_array_equal(apply_offset(masks, up_and_left, scale=1), [[1, 2, 3], [4, 5, 1]])


def test_steps_end_where_the_offset_is_zero():
    masks = np.arange(8)[None]
    offset = np.zeros((2, 1, 8), int)
    offset[1, 0, 3:] = -1
    np.testing.assert_array_equal(apply_offset(masks, offset, 1, 3), [[0, 1, 2, 2, 2, 2, 3, 4]])
    np.testing.assert_array_equal(apply_offset(masks, offset, 1, 50), [[0, 1, 2, 2, 2, 2, 2, 2]])
    # steps of two pixels may jump over the end, but not away from a pixel that has none
    np.testing.assert_array_equal(apply_offset(masks, offset, 2, 50), [[0, 1, 2, 1, 2, 1, 2, 1]])


def test_zero_offset_keeps_every_bit():
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 2**64, (3, 9, 14), dtype=np.uint64).view(np.float64)  # NaNs included
    offset = np.zeros((2, 9, 14), np.int8)
    offset[:, 4, 5] = 1
    shifted = apply_offset(masks, offset).view(np.uint64)
    there = np.zeros((9, 14), bool)
    there[4, 5] = True
    np.testing.assert_array_equal(shifted[:, ~there], masks.view(np.uint64)[:, ~there])
    np.testing.assert_array_equal(shifted[:, 4, 5], masks.view(np.uint64)[:, 6, 7])


@pytest.mark.parametrize('label', [65_535, 70_000, 2**40 + 1])
def test_large_labels_come_back_exactly(label):
    masks = np.array([[0, 0, label]])
    offset = np.zeros((2, 1, 3), int)
    offset[1, 0, 1] = 1
    np.testing.assert_array_equal(apply_offset(masks, offset, 1), [[0, label, label]])
    np.testing.assert_array_equal(
        apply_offset(torch.from_numpy(masks), torch.from_numpy(offset), 1).numpy(),
        [[0, label, label]],
    )


@pytest.mark.parametrize('dtype', ['int8', 'int64'])
def test_far_offsets_end_at_the_border(dtype):
    masks = np.arange(12).reshape(3, 4)
    for (dy, dx), expected in {(-100, 0): 2, (0, -100): 4, (100, 100): 11, (-100, 100): 3}.items():
        offset = np.zeros((2, 3, 4), dtype)
        offset[:, 1, 2] = dy, dx
        shifted = apply_offset(masks, offset, scale=100)
        assert shifted[1, 2] == expected
        assert (np.delete(shifted, 6) == np.delete(masks, 6)).all()


def test_images_of_more_than_one_block():
    rng = np.random.default_rng(1)
    masks = rng.integers(0, 2**16, (2, 270, 520)).astype(np.uint16)
    assert masks[0].size > 2 * BLOCK
    offset = rng.integers(-1, 2, (2, 270, 520))
    shifted = apply_offset(masks, offset, scale=3)
    y, x = np.indices((270, 520)) + 3 * offset
    np.testing.assert_array_equal(shifted, masks[:, y.clip(0, 269), x.clip(0, 519)])


def test_views_that_are_not_contiguous():
    rng = np.random.default_rng(2)
    masks = rng.integers(0, 9, (11, 16, 2)).transpose(2, 1, 0)[:, ::2]
    offset = rng.integers(-1, 2, (8, 11, 2)).transpose(2, 0, 1)
    expected = shift_by_loop(masks, offset, 2, 1)
    np.testing.assert_array_equal(apply_offset(masks, offset), expected)
    tensors = torch.from_numpy(masks.copy()).transpose(1, 2), torch.from_numpy(offset)
    shifted = apply_offset(tensors[0].transpose(1, 2), tensors[1])
    np.testing.assert_array_equal(shifted.numpy(), expected)


def test_empty_stack():
    offset = np.ones((2, 4, 5), int)
    assert apply_offset(np.zeros((0, 4, 5), bool), offset).shape == (0, 4, 5)


def test_bad_input_is_named():
    masks, offset = np.zeros((4, 5), np.uint8), np.zeros((2, 4, 5), int)
    for bad in (offset.astype(float), offset.astype(np.uint8)):
        with pytest.raises(TypeError, match='offset must be of a signed integer dtype, got '):
            apply_offset(masks, bad)
        with pytest.raises(TypeError, match='offset must be of a signed integer dtype, got '):
            apply_offset(torch.from_numpy(masks), torch.from_numpy(bad))
    with pytest.raises(TypeError, match=r'masks and offset must both be .* got ndarray and Tensor'):
        apply_offset(masks, torch.from_numpy(offset))
    with pytest.raises(ValueError, match=r'offset must have shape .* \(4, 5\), got \(2, 5, 4\)'):
        apply_offset(masks, offset.reshape(2, 5, 4))
    with pytest.raises(ValueError, match=r'offset must have shape .* got \(4, 5\)'):
        apply_offset(masks, offset[0])
    with pytest.raises(ValueError, match=r'masks must have shape .* got \(1, 1, 4, 5\)'):
        apply_offset(masks[None, None], offset)
    with pytest.raises(ValueError, match='scale must be > 0, got 0'):
        apply_offset(masks, offset, scale=0)
    with pytest.raises(ValueError, match='steps must be at least 1, got 0'):
        apply_offset(masks, offset, steps=0)
