"""What all refiners share."""

import warnings

import numpy as np
import pytest
from small_bpr import echo, knowing_bpr

from mmrefine.refiners import BPRRefiner, SegFixRefiner
from mmrefine.refiners.base import is_binary_mask

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
