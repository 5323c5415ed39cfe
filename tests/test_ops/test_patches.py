"""Crop and reassemble: round trips, plain loops, both kinds of arrays."""

import cv2
import numpy as np
import pytest
import torch

from mmrefine.ops import average_patches, crop_patches, propose_boxes, reassemble_patches

from .random_masks import blob, random_masks

KINDS = [np.asarray, torch.from_numpy]


def covered_by(boxes, shape):
    covered = np.zeros(shape, bool)
    for x1, y1, x2, y2 in boxes:
        covered[y1:y2, x1:x2] = True
    return covered


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('padding', [0, 3])
def test_crop_then_reassemble_gives_the_mask_back(kind, padding):
    for index, mask in enumerate(random_masks(600, seed=padding)):
        patch_size = (4, 8, 15)[index % 3]
        size = int((patch_size + 2 * padding) * (1, 1.4, 2, 4)[index % 4])
        boxes = propose_boxes(mask, patch_size, 0.25)
        patches = crop_patches(kind(mask), boxes, size, padding)
        assert tuple(patches.shape) == (len(boxes), size, size)
        values = patches.float() if isinstance(patches, torch.Tensor) else patches * 1.0
        result = reassemble_patches(kind(mask), boxes, values, padding=padding)
        np.testing.assert_array_equal(np.asarray(result), mask)


@pytest.mark.parametrize('kind', KINDS)
def test_only_pixels_in_boxes_change_and_all_of_them(kind):
    for mask in random_masks(200, seed=7):
        boxes = propose_boxes(mask, 8, 0.25)
        covered = covered_by(boxes, mask.shape)
        for value in (0, 1):
            patches = kind(np.full((len(boxes), 16, 16), value, np.float32))
            result = np.asarray(reassemble_patches(kind(mask), boxes, patches))
            np.testing.assert_array_equal(result, np.where(covered, value, mask))


def test_a_mask_touching_all_borders_is_refined_to_the_last_row_and_column():
    mask = np.ones((50, 70), bool)
    mask[20:30, 20:50] = False
    boxes = propose_boxes(mask, 32, 0.25)
    patches = np.zeros((len(boxes), 32, 32), np.float32)
    result = reassemble_patches(mask, boxes, patches)
    assert not result[[0, -1]].any()
    assert not result[:, [0, -1]].any()


@pytest.mark.parametrize('kind', KINDS)
def test_overlapping_patches_are_averaged(kind):
    boxes = np.array([[0, 0, 2, 1], [1, 0, 3, 1]])
    patches = np.zeros((2, 2, 2), np.float32)
    patches[0], patches[1] = [0.9, 0.9], [0.3, 0.6]
    average = average_patches(boxes, kind(patches), (1, 5))
    assert average.window == (slice(0, 1), slice(0, 3))
    np.testing.assert_allclose(np.asarray(average.probabilities), [[0.9, 0.6, 0.6]], rtol=1e-6)
    mask = kind(np.array([[0, 0, 0, 3, 0]], np.uint8))
    result = reassemble_patches(mask, boxes, kind(patches), threshold=0.7)
    np.testing.assert_array_equal(np.asarray(result), [[3, 0, 0, 3, 0]])


def test_average_against_a_plain_loop():
    rng = np.random.default_rng(0)
    mask = blob(rng, (60, 90), 5)
    boxes = propose_boxes(mask, 16, 0.55)
    patches = rng.random((len(boxes), 32, 32)).astype(np.float32)
    total, count = np.zeros(mask.shape), np.zeros(mask.shape)
    for patch, (x1, y1, x2, y2) in zip(patches, boxes, strict=True):
        total[y1:y2, x1:x2] += cv2.resize(patch, (16, 16), interpolation=cv2.INTER_LINEAR)
        count[y1:y2, x1:x2] += 1
    expected = np.where(count > 0, total / np.maximum(count, 1), 0)
    for kind in KINDS:
        average = average_patches(boxes, kind(patches), mask.shape)
        found = np.zeros(mask.shape)
        found[average.window] = np.asarray(average.probabilities)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        np.testing.assert_array_equal(np.asarray(average.covered), (count > 0)[average.window])
        result = reassemble_patches(kind(mask), boxes, kind(patches))
        np.testing.assert_array_equal(np.asarray(result), np.where(count > 0, expected > 0.5, mask))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_images_are_cut_and_scaled_bilinearly(kind, dtype):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (40, 60, 3)).astype(dtype)
    boxes = np.array([[0, 0, 16, 12], [44, 28, 60, 40]])
    same = np.asarray(crop_patches(kind(image), boxes[:, [0, 1, 0, 1]] + [0, 0, 9, 9], 9))
    np.testing.assert_array_equal(same[1], image[28:37, 44:53])
    patches = crop_patches(kind(image), boxes, 32)
    assert patches.shape == (2, 32, 32, 3)
    assert np.asarray(patches).dtype == dtype
    expected = cv2.resize(image[28:40, 44:60].astype(np.float64), (32, 32))
    np.testing.assert_allclose(np.asarray(patches)[1], expected, atol=1.01)


@pytest.mark.parametrize('kind', KINDS)
def test_padding_shows_what_is_around_and_zeros_outside(kind):
    image = np.arange(1, 61, dtype=np.uint8).reshape(6, 10)[..., None]
    patches = np.asarray(crop_patches(kind(image), np.array([[0, 2, 3, 5]]), 7, padding=2))
    expected = np.zeros((7, 7))
    expected[:6, 2:] = image[:, :5, 0]
    np.testing.assert_array_equal(patches[0, :, :, 0], expected)


@pytest.mark.parametrize('kind', KINDS)
def test_boxes_of_different_sizes(kind):
    mask = blob(np.random.default_rng(2), (30, 40))
    boxes = np.array([[0, 0, 10, 10], [20, 5, 40, 30], [3, 2, 13, 12], [0, 0, 40, 30]])
    patches = crop_patches(kind(mask), boxes, 64)
    result = reassemble_patches(kind(np.zeros_like(mask)), boxes, kind(np.asarray(patches) * 1.0))
    np.testing.assert_array_equal(np.asarray(result), mask)


def test_object_keeps_its_value_and_the_input_is_left_alone():
    mask = np.zeros((20, 30), np.uint8)
    mask[5:12, 4:9] = 255
    before = mask.copy()
    boxes = propose_boxes(mask, 8)
    result = reassemble_patches(mask, boxes, np.ones((len(boxes), 8, 8), np.float32))
    assert set(np.unique(result)) == {0, 255}
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize('kind', KINDS)
def test_no_boxes(kind):
    image, mask = kind(np.zeros((5, 7, 3), np.uint8)), kind(np.ones((5, 7), bool))
    boxes = np.zeros((0, 4), np.int64)
    assert crop_patches(image, boxes, 16).shape == (0, 16, 16, 3)
    result = reassemble_patches(mask, boxes, kind(np.zeros((0, 16, 16), np.float32)))
    assert np.asarray(result).all()


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('size', 'side', 'padding'), [(8, 16, 0), (11, 16, 3), (5, 13, 1)])
def test_patches_smaller_than_their_box_come_back_where_they_were(kind, size, side, padding):
    """A slope, seen at the centres of the patch's pixels, is that slope again; H != W."""
    full = side + 2 * padding
    y, x = np.mgrid[:size, :size].astype(np.float32) * full / size + full / size / 2
    boxes = np.array([[7, 4, 7 + side, 4 + side]])
    patch = (0.3 + 0.01 * y + 0.02 * x)[None]
    average = average_patches(boxes, kind(patch), (side + 9, side + 17), padding)
    y, x = np.mgrid[:side, :side] + padding + 0.5
    seen = full / size / 2  # further out than the outermost centres there is nothing to go by
    inside = (y >= seen) & (y <= full - seen) & (x >= seen) & (x <= full - seen)
    assert inside.sum() > side**2 / 2
    found = np.asarray(average.probabilities)
    np.testing.assert_allclose(found[inside], (0.3 + 0.01 * y + 0.02 * x)[inside], atol=1e-5)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('side', 'size'), [(48, 64), (96, 64), (160, 128), (64, 128), (7, 9)])
def test_masks_lie_where_the_image_lies(kind, side, size):
    """In stripes, a mask's pixel is object where the bilinear image is nearer to object."""
    rng = np.random.default_rng(side)
    for turn in (False, True):
        mask = (rng.random(side) < 0.5)[None].repeat(side, 0)
        mask = np.ascontiguousarray(mask.T if turn else mask)
        image = np.repeat(mask[..., None], 3, 2).astype(np.float32)
        box = np.array([[0, 0, side, side]])
        hard = np.asarray(crop_patches(kind(mask), box, size))[0]
        soft = np.asarray(crop_patches(kind(image), box, size))[0, ..., 0]
        decided = np.abs(soft - 0.5) > 1e-4
        assert decided.mean() > 0.6
        np.testing.assert_array_equal(hard[decided], soft[decided] > 0.5)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('threshold', [0.25, 0.5, 0.75])
def test_a_pixel_at_the_threshold_is_background(kind, threshold):
    mask, boxes = np.ones((6, 9), np.uint8), np.array([[2, 1, 6, 5]])
    for more, expected in ((0, 0), (2**-12, 1)):
        patches = np.full((1, 8, 8), threshold + more, np.float32)
        result = np.asarray(reassemble_patches(kind(mask), boxes, kind(patches), threshold))
        assert (result[1:5, 2:6] == expected).all()


def test_wrong_input_is_named():
    mask, boxes = np.zeros((5, 7), bool), np.array([[0, 0, 4, 4]])
    with pytest.raises(TypeError, match='bool, uint8 or float32, got int64'):
        crop_patches(mask.astype(np.int64), boxes, 8)
    with pytest.raises(ValueError, match=r'shape \(H, W, C\) or \(H, W\)'):
        crop_patches(mask[0], boxes, 8)
    with pytest.raises(ValueError, match=r'shape \(N, 4\)'):
        crop_patches(mask, boxes[0], 8)
    with pytest.raises(ValueError, match='inside 7 x 5 pixels'):
        crop_patches(mask, boxes + 3, 8)
    with pytest.raises(ValueError, match=r'N = 1 boxes, got \(2, 8, 8\)'):
        reassemble_patches(mask, boxes, np.zeros((2, 8, 8), np.float32))
    with pytest.raises(ValueError, match=r'mask must have shape \(H, W\)'):
        reassemble_patches(mask[0], boxes, np.zeros((1, 8, 8), np.float32))


def test_ids_of_any_size_are_put_back():
    """Also those that are no int64."""
    ids = np.zeros((6, 8), np.uint64)
    ids[2:4, 2:5] = 2**63 + 7
    boxes = np.array([[0, 0, 6, 6]])
    refined = reassemble_patches(ids, boxes, np.ones((1, 6, 6), np.float32))
    assert (refined[:6, :6] == 2**63 + 7).all()
    assert refined.dtype == np.uint64
