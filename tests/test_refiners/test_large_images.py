"""Large images in tiles and blocks give what the whole image gives."""

import cv2
import numpy as np
import pytest

from mmrefine.apis import build_refiner
from mmrefine.ops import boxes, colour_odds
from mmrefine.refiners import bpr_blocks, segfix_refiner, tiles
from mmrefine.structures.segfix_fields import PRED_VOTES

SIZE = (230, 331)  # of which 32 divides neither


@pytest.fixture(scope='module')
def image():
    """Textured ellipses on a textured ground."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.normal(0, 60, (*SIZE, 3)), (0, 0), 2)
    ground = np.full((*SIZE, 3), 90.0)
    for x, y, colour in ((60, 70, 180), (200, 60, 30), (290, 180, 210), (120, 190, 20)):
        cv2.ellipse(ground, (x, y), (34, 22), x, 0, 360, (colour, 255 - colour, 120), -1)
    return (ground + noise).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def labels():
    """The same ellipses, 3 px off, with an id each."""
    drawn = np.zeros(SIZE, np.uint16)
    for number, (x, y) in enumerate(((60, 70), (200, 60), (290, 180), (120, 190)), 300):
        cv2.ellipse(drawn, (x + 3, y + 3), (34, 22), x, 0, 360, number, -1)
    return drawn


def small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, 'WHOLE', 2**10)
    monkeypatch.setattr(tiles, 'CORE', 96)
    monkeypatch.setattr(tiles, 'MARGIN', 256)


def test_segfix_sees_in_tiles_what_it_sees_in_the_whole(image, labels, monkeypatch):
    refiner = build_refiner('segfix', device='cpu')
    votes = refiner.predict_fields(image)[PRED_VOTES].astype(np.float32)
    whole = refiner.refine(image, labels)
    small_tiles(monkeypatch)
    # fewer tiles are enough
    monkeypatch.setattr(tiles, 'CORE', 160)
    in_tiles = refiner.predict_fields(image)[PRED_VOTES].astype(np.float32)
    assert np.abs(votes - in_tiles).max() <= 0.001
    assert np.count_nonzero(whole != labels) > 300
    assert np.mean(refiner.refine(image, labels) == whole) >= 0.9999


def test_more_steps_than_a_tile_sees_far(image, labels, monkeypatch):
    small_tiles(monkeypatch)
    monkeypatch.setattr(tiles, 'MARGIN', 64)
    monkeypatch.setattr(segfix_refiner, 'MARGIN', 64)
    refined = build_refiner('segfix', device='cpu', steps=100).refine(image, labels)
    assert refined.shape == labels.shape
    assert 0 < (refined != labels).mean() < 0.1


def small_blocks(monkeypatch, context):
    monkeypatch.setattr(bpr_blocks, 'WHOLE', 2**14)
    monkeypatch.setattr(bpr_blocks, 'BLOCK', 128)
    monkeypatch.setattr(bpr_blocks, 'CONTEXT', context)
    monkeypatch.setattr(bpr_blocks, 'PART', 100)
    monkeypatch.setattr(colour_odds, 'STRIP', 2**12)
    monkeypatch.setattr(boxes, 'STRIP', 2**12)


@pytest.fixture(scope='module')
def cells(labels):
    """The ground in cells, each a label of its own."""
    y, x = np.indices(SIZE) // 100
    return np.where(labels > 0, labels, 1 + 10 * y + x)


@pytest.fixture(scope='module')
def land(labels):
    """Ground in which no block sees all of anything but the objects; a part is ignored."""
    y, x = np.indices(SIZE)
    ground = np.where(x + 20 * np.sin(y / 17) > 170, 7, 0)
    ground[200:, 40:90] = 255
    return np.where(labels > 0, labels % 200, ground).astype(np.uint8)


@pytest.fixture(scope='module')
def refined_whole(image, labels, cells, land):
    """A refiner, images with masks, and these refined without blocks.

    Objects that no block sees whole get no second look.
    """
    refiner = build_refiner('bpr', device='cpu', second_look=False)
    stack = np.stack([labels == 300, labels == 0])
    pairs = [(image, cells), (image[:90, :110], cells[:90, :110]), (image, stack), (image, land)]
    return refiner, pairs, list(refiner.refine_each(pairs))


# Around a block of 128 pixels, so much is seen that no object is seen whole; or objects of up to 72
# pixels, which are the ellipses.
@pytest.mark.parametrize('context', [114, 214])
def test_bpr_refines_in_blocks_as_in_the_whole(refined_whole, monkeypatch, context):
    refiner, pairs, whole = refined_whole
    small_blocks(monkeypatch, context)
    for found, expected, (_, coarse) in zip(refiner.refine_each(pairs), whole, pairs, strict=True):
        assert np.count_nonzero(expected != coarse) > 100
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == coarse.dtype


def test_second_look_at_masks_in_a_part_of_a_large_image(image, labels, monkeypatch):
    refiner = build_refiner('bpr', device='cpu')
    stack = np.stack([labels == 300, labels == 302])
    whole = refiner.refine(image, stack)
    once = build_refiner('bpr', device='cpu', second_look=False).refine(image, stack)
    assert np.count_nonzero(whole != once) > 20
    small_blocks(monkeypatch, 90)
    monkeypatch.setattr(
        bpr_blocks, 'WHOLE', 2**16
    )  # parts with an ellipse are less, the image more
    np.testing.assert_array_equal(refiner.refine(image, stack), whole)


@pytest.mark.parametrize('options', [dict(min_score_gain=0.2, leave_alone=False), dict(padding=7)])
def test_other_settings_in_blocks(image, land, monkeypatch, options):
    refiner = build_refiner('bpr', device='cpu', iou_threshold=0.2, second_look=False, **options)
    whole = refiner.refine(image, land)
    small_blocks(monkeypatch, 128)
    np.testing.assert_array_equal(refiner.refine(image, land), whole)


def test_masks_without_a_boundary_stay(image, monkeypatch):
    refiner = build_refiner('bpr', device='cpu')
    small_blocks(monkeypatch, 128)
    for masks in (np.ones(SIZE, bool), np.zeros((2, *SIZE), np.uint8), np.full(SIZE, 7)):
        np.testing.assert_array_equal(refiner.refine(image, masks), masks)
