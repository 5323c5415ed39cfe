"""Masks of any container come in and go out."""

import numpy as np
import pytest
import torch

from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.structures.predicted_masks import as_given, to_array

MASK = np.zeros((6, 9), bool)
MASK[1:4, 2:7] = True
FLOATS = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@pytest.mark.parametrize('dtype', FLOATS)
def test_whole_floats_are_masks(dtype):
    labels = torch.from_numpy(3.0 * MASK).to(dtype)
    array = to_array(labels)
    assert array.dtype == np.int64
    np.testing.assert_array_equal(array, 3 * MASK)
    back = as_given(array, labels)
    assert back.dtype == dtype
    assert torch.equal(back, labels)
    stack = torch.from_numpy(MASK[None]).to(dtype)
    assert to_array(stack).dtype == bool
    np.testing.assert_array_equal(to_array(stack)[0], MASK)


@pytest.mark.parametrize('dtype', FLOATS)
@pytest.mark.parametrize('ndim', [2, 3])
def test_soft_masks_are_refused(dtype, ndim):
    soft = torch.from_numpy(0.75 * MASK).to(dtype)
    soft = soft if ndim == 2 else soft[None]
    name = str(dtype).removeprefix('torch.')
    with pytest.raises(TypeError, match=f'expected integers or bool, got {name} with values'):
        to_array(soft)
    if dtype != torch.bfloat16:
        with pytest.raises(TypeError, match=f'got {name} .*; masks > 0.5 makes'):
            to_array(soft.numpy())


@pytest.mark.parametrize('value', [np.nan, np.inf, -0.5])
def test_floats_that_are_no_labels_are_refused(value):
    labels = torch.zeros(4, 5)
    labels[1, 2] = value
    with pytest.raises(TypeError, match='not whole numbers'):
        to_array(labels)


def test_logits_that_happen_to_be_whole_are_no_stack():
    with pytest.raises(TypeError, match='values that are not 0 or 1'):
        to_array(torch.full((2, 4, 5), 3.0))


def test_run_lengths():
    coded = [encode_mask(MASK), encode_mask(~MASK)]
    np.testing.assert_array_equal(to_array(coded), [MASK, ~MASK])
    back = as_given(to_array(coded), coded)
    np.testing.assert_array_equal(decode_mask(back[1], MASK.shape), ~MASK)
    assert to_array([]).shape == (0, 0, 0)
    with pytest.raises(ValueError, match='masks: run lengths 1: its compressed runs are broken'):
        to_array([coded[0], dict(size=[6, 9], counts='x')])
    with pytest.raises(ValueError, match='expected run lengths of one size'):
        to_array([coded[0], encode_mask(MASK.T)])


def test_anything_else_is_named():
    for masks, name in ((['a'], 'list'), ({}, 'dict'), (None, 'NoneType')):
        with pytest.raises(TypeError, match=f'a list of run lengths, got {name}'):
            to_array(masks)


def test_containers_of_mmdet():
    structures = pytest.importorskip('mmdet.structures.mask')
    bitmaps = structures.BitmapMasks([MASK.astype(np.uint8)], *MASK.shape)
    np.testing.assert_array_equal(to_array(bitmaps)[0], MASK)
    back = as_given(to_array(bitmaps), bitmaps)
    assert isinstance(back, structures.BitmapMasks)
    np.testing.assert_array_equal(back.masks, bitmaps.masks)
    square = np.array([2.0, 1, 7, 1, 7, 4, 2, 4])
    polygons = structures.PolygonMasks([[square]], *MASK.shape)
    np.testing.assert_array_equal(to_array(polygons)[0], MASK)
    assert isinstance(as_given(to_array(polygons), polygons), structures.BitmapMasks)
