"""COCO's run lengths: round trips, drawings, and everything that can be wrong with them."""

import numpy as np
import pytest
from pycocotools import mask as coco

from mmrefine.ops.run_lengths import decode_mask, encode_mask, run_lengths

SIZE = (3, 4)
# Runs go down the columns: 2 background, 3 object, 7 background.
RUNS = dict(size=[3, 4], counts=[2, 3, 7])
DRAWN = np.array([[0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]], bool)


def test_drawn_mask():
    np.testing.assert_array_equal(decode_mask(RUNS, SIZE), DRAWN)
    assert decode_mask(RUNS, SIZE).flags.c_contiguous


@pytest.mark.parametrize('kind', [str, bytes])
def test_compressed_as_pycocotools_writes_it(kind):
    rng = np.random.default_rng(0)
    for _ in range(300):
        size = tuple(rng.integers(1, 90, 2))
        mask = rng.random(size) < rng.random() ** 3
        encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert encode_mask(mask)['counts'] == encoded['counts'].decode()
        if kind is str:
            encoded['counts'] = encoded['counts'].decode()
        np.testing.assert_array_equal(decode_mask(encoded, size), mask)


@pytest.mark.parametrize(
    'part', [np.s_[:], np.s_[:, 2:5], np.s_[:3, 1:], np.s_[4:, :2], np.s_[2:4]]
)
def test_runs_go_on_in_the_next_column(part):
    mask = np.zeros((7, 9), np.uint8)
    mask[part] = 255
    encoded = coco.encode(np.asfortranarray(mask > 0).view(np.uint8))
    assert encode_mask(mask)['counts'] == encoded['counts'].decode()
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), (7, 9)), mask > 0)


def test_polygons():
    corners = [[0, 0, 4, 0, 4, 3, 0, 3], [6, 4, 8, 4, 8, 6, 6, 6]]
    mask = decode_mask(corners, (7, 9))
    expected = np.zeros((7, 9), bool)
    expected[:3, :4] = expected[4:6, 6:8] = True
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize('value', [0, 255])
def test_any_value_but_zero_is_object(value):
    mask = np.full((5, 6), value, np.uint8)
    np.testing.assert_array_equal(decode_mask(encode_mask(mask), (5, 6)), mask != 0)


def compressed(mask=DRAWN, size=None, cut=None):
    encoded = encode_mask(mask)
    return dict(size=size or encoded['size'], counts=encoded['counts'][:cut])


@pytest.mark.parametrize(
    ('segmentation', 'text'),
    [
        (compressed(size=[4, 3]), r'size \(4, 3\) is not the size \(3, 4\)'),
        (compressed(cut=-1), 'broken or do not add up to 12'),
        (compressed(np.zeros((40, 50), bool), [3, 4]), 'broken or do not add up'),
        (dict(size=[3, 4], counts=''), 'broken'),
        (dict(size=[3, 4], counts='ooooooooo'), 'broken'),
        (dict(size=[3, 4], counts='\x01\x02'), 'broken'),
        (dict(size=[3, 4], counts='ä'), 'expected run lengths'),
        (dict(size=[3, 4], counts=[2, 3, 8]), 'do not add up'),
        (dict(size=[3, 4], counts=[2, -3, 13]), 'do not add up'),
        (dict(counts=[2, 3, 7]), 'expected run lengths'),
        (None, 'there is no segmentation'),
        ('a.png', 'expected run lengths'),
        ([], 'at least one polygon'),
        ([[0, 0, 1, 1]], 'at least one polygon'),
        ([[0, 0, 1, 1, 2]], 'expected polygons'),
        ([[0, 0, 1, 1, 2, float('nan')]], 'expected polygons'),
    ],
)
def test_broken_ones_are_refused(segmentation, text):
    with pytest.raises(ValueError, match=text):
        run_lengths(segmentation, SIZE)


def test_every_cut_is_found():
    rng = np.random.default_rng(1)
    for _ in range(100):
        mask = rng.random((30, 40)) < 0.2
        counts = encode_mask(mask)['counts']
        with pytest.raises(ValueError, match='broken'):
            run_lengths(dict(size=[30, 40], counts=counts[: rng.integers(len(counts))]), (30, 40))
