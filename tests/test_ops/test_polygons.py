"""Masks as polygons, and back."""

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

pytest.importorskip('shapely')

from mmrefine.ops.polygons import mask_polygons, mask_ring
from mmrefine.ops.run_lengths import decode_mask, whole_polygons

SIZE = (41, 60)


def back(polygons: list, size_hw: tuple[int, int]) -> np.ndarray:
    """What COCO's own code makes of polygons."""
    if not polygons:
        return np.zeros(size_hw, bool)
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, *size_hw))) > 0


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / max((one | other).sum(), 1)


def drawn(kind: str) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[5:30, 7:50] = True
    if kind == 'full':
        mask[:] = True
    if kind in ('holes', 'islands'):
        mask[8:16, 10:20] = mask[20:25, 30:33] = mask[28, 45] = False
    if kind == 'islands':
        mask[22, 31] = mask[34:38, 2:9] = mask[0, 0] = mask[30, 50] = mask[40, 40:] = True
    if kind == 'empty':
        mask[:] = False
    if kind == 'pixel':
        mask[:] = False
        mask[3, 4] = True
    return mask


KINDS = ['square', 'full', 'holes', 'islands', 'pixel', 'empty']


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('tolerance', [0, 0.5, 2])
def test_drawn_masks_come_back(kind, tolerance):
    mask = drawn(kind)
    least = 0.995 if tolerance else 1
    assert iou(back(mask_polygons(mask, tolerance), SIZE), mask) >= least or kind == 'empty'
    ring = mask_ring(mask, tolerance)
    assert iou(back([ring] if ring else [], SIZE), mask) >= least or kind == 'empty'
    assert bool(ring) == (kind != 'empty') == bool(mask_polygons(mask, tolerance))


@pytest.mark.parametrize('seed', range(6))
def test_any_mask_comes_back_exactly_without_tolerance(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((17, 23)) < (0.1, 0.3, 0.5, 0.5, 0.7, 0.95)[seed]
    np.testing.assert_array_equal(back(mask_polygons(mask, 0), mask.shape), mask)
    np.testing.assert_array_equal(back([mask_ring(mask, 0)], mask.shape), mask)


@pytest.mark.parametrize('seed', range(4))
def test_natural_outlines_take_few_points(seed):
    noise = np.random.default_rng(seed).random((150, 211))
    mask = cv2.GaussianBlur(noise, (0, 0), 9) > 0.5
    exact, simple = (mask_polygons(mask, tolerance) for tolerance in (0, 0.5))
    assert iou(back(simple, mask.shape), mask) >= 0.99
    assert sum(map(len, simple)) < 0.8 * sum(map(len, exact))


def test_holes_stay_holes_in_every_reader():
    """Also where parts are drawn one over the other, which makes even-odd readers fail."""
    mask = drawn('holes')
    canvas = np.zeros(SIZE, np.uint8)
    for part in mask_polygons(mask, 0):
        points = np.array(part).reshape(-1, 2)
        canvas |= coco_mask.decode(coco_mask.frPyObjects([part], *SIZE))[..., 0]
        assert len(points) >= 3
    np.testing.assert_array_equal(canvas > 0, mask)


SQUARE = [10, 10, 40, 10, 40, 40, 10, 40]


@pytest.mark.parametrize(
    ('polygons', 'dropped'),
    [
        ([SQUARE], 0),
        ([SQUARE, [5, 5, 6, 6]], 1),
        ([[], SQUARE, [5, 5]], 2),
        (SQUARE, 0),
        ([[10, 10], [40, 10], [40, 40], [10, 40]], 0),
        ([(10.0, 10), (40, 10), (40, 40), (10, 40)], 0),
    ],
)
def test_parts_without_area_do_not_cost_the_mask(polygons, dropped):
    assert decode_mask(polygons, (64, 65)).sum() == 900
    assert whole_polygons(polygons, (64, 65))[1] == dropped


@pytest.mark.parametrize('far', [1e4, 1e7, 1e9, 1e300, float('inf'), float('nan'), -1e9])
def test_far_coordinates_are_refused_before_a_decoder_sees_them(far):
    with pytest.raises(ValueError, match='expected polygons in the image of 48 x 64'):
        decode_mask([[0, 0, far, 0, 3, far]], (48, 64))


@pytest.mark.parametrize(
    'polygons', [[], [[]], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, 6, 7]], [['a'] * 6]]
)
def test_what_is_no_polygon_is_refused(polygons):
    with pytest.raises(ValueError, match=r'polygon.*\[x1, y1, x2, y2, x3, y3'):
        decode_mask(polygons, (48, 64))


@pytest.mark.parametrize('counts', [[100.0, 3012], [True, 3071], [1.5, 3070.5]])
def test_runs_are_whole_numbers(counts):
    with pytest.raises(ValueError, match='its runs must be whole numbers'):
        decode_mask(dict(size=[48, 64], counts=counts), (48, 64))
