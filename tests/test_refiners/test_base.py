"""What all refiners share."""

import warnings

import cv2
import numpy as np
import PIL.Image
import pytest
import torch
from small_bpr import echo, knowing_bpr

from mmrefine.refiners import BPRRefiner, SegFixRefiner
from mmrefine.refiners.base import check_masks, is_binary_mask, load_image

IMAGE = np.zeros((36, 50, 3), np.uint8)


def test_binary_masks_are_noticed():
    mask = np.zeros((3, 4), np.uint8)
    assert not is_binary_mask(mask)
    mask[1, 2] = 255
    assert is_binary_mask(mask)
    assert not is_binary_mask(mask.astype(np.uint16))
    mask[0, 0] = 1
    assert not is_binary_mask(mask)
    assert not is_binary_mask(mask[:0])


@pytest.mark.parametrize(
    'make',
    [
        lambda **options: SegFixRefiner(device='cpu', **options),
        lambda **options: SegFixRefiner(device='cpu', min_confidence=0, **options),
        lambda **options: BPRRefiner(knowing_bpr(echo), device='cpu', **options),
    ],
    ids=['votes', 'offsets', 'bpr'],
)
def test_binary_label_maps_are_warned_of(make):
    mask = np.zeros(IMAGE.shape[:2], np.uint8)
    mask[5:20, 10:30] = 255
    with pytest.warns(UserWarning, match='pass a binary mask as masks > 0'):
        refined = make().refine(IMAGE, mask)
    np.testing.assert_array_equal(refined, mask)
    with warnings.catch_warnings():
        warnings.filterwarnings('error', 'masks: a label map')
        make().refine(IMAGE, mask > 0)
        make().refine(IMAGE, mask[None])
        make(ignore_index=None).refine(IMAGE, mask)


def grid_of_squares(height: int, width: int, side_yx: tuple[int, int]) -> np.ndarray:
    """Instances of a few pixels, which networks like to swallow."""
    labels = np.zeros((height, width), np.int64)
    corners = [(y, x) for y in range(2, height - 8, 12) for x in range(2, width - 14, 16)]
    for number, (y, x) in enumerate(corners, 1):
        labels[y : y + side_yx[0], x : x + side_yx[1]] = number
    return labels


@pytest.mark.parametrize('side_yx', [(1, 1), (2, 2), (1, 12), (3, 3)])
@pytest.mark.parametrize('ignore_index', [255, None])
@pytest.mark.parametrize(
    'make',
    [
        lambda **options: SegFixRefiner(device='cpu', scale=2, **options),
        lambda **options: SegFixRefiner(device='cpu', min_confidence=0, steps=3, **options),
        lambda **options: BPRRefiner(device='cpu', min_score_gain=0, **options),
    ],
    ids=['votes', 'offsets', 'bpr'],
)
def test_nothing_vanishes(make, ignore_index, side_yx):
    refiner = make(ignore_index=ignore_index)
    image = np.random.default_rng(0).integers(0, 256, (40, 66, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 3)
    labels = grid_of_squares(40, 66, side_yx)
    refined = refiner.refine(image, labels)
    assert set(np.unique(refined)) == set(np.unique(labels))
    stack = np.stack([labels == label for label in range(1, labels.max() + 1)])
    assert refiner.refine(image, stack).any((1, 2)).all()


@pytest.mark.parametrize('image', [np.zeros((36, 50), np.uint8), PIL.Image.new('RGB', (50, 36))])
def test_images_of_other_kinds_are_refined_as_the_colour_array(image):
    masks = np.zeros((36, 50), bool)
    masks[10:20, 10:30] = True
    refiner = SegFixRefiner(device='cpu')
    expected = refiner.refine(IMAGE, masks)
    np.testing.assert_array_equal(refiner.refine(image, masks), expected)


def test_what_is_no_image_is_named():
    with pytest.raises(TypeError, match='path, a PIL image or a BGR uint8 array, got torch Tensor'):
        load_image(torch.zeros(3, 4, 5))


def test_swapped_sizes_speak_of_exif():
    with pytest.raises(ValueError, match='height and width are swapped: images are turned by'):
        check_masks(np.zeros((50, 36), bool), (36, 50))
