"""What all refiners share."""

import warnings

import cv2
import numpy as np
import PIL.Image
import pytest
import torch
from small_bpr import echo, knowing_bpr, lively_bpr
from small_segfix import small_segfix

from mmrefine.files.label_ids import ignored_pixels
from mmrefine.refiners import BPRRefiner, SegFixRefiner, refine_through, shift_masks
from mmrefine.refiners.base import check_masks, is_binary_mask, load_image

IMAGE = np.zeros((36, 50, 3), np.uint8)
PICTURE = np.random.default_rng(0).integers(0, 256, (36, 50, 3), dtype=np.uint8)
EVERY_KIND = pytest.mark.parametrize(
    'make',
    [
        lambda **options: SegFixRefiner(
            small_segfix(), device='cpu', min_confidence=0.05, **options
        ),
        lambda **options: SegFixRefiner(small_segfix(), device='cpu', min_confidence=0, **options),
        lambda **options: BPRRefiner(lively_bpr(), device='cpu', **options),
    ],
    ids=['votes', 'offsets', 'bpr'],
)


def cells(dtype: np.dtype | type, *labels: int) -> np.ndarray:
    """Cells of 4 x 4 pixels with random labels."""
    drawn = np.random.default_rng(1).choice(np.array(labels), (9, 13))
    return np.kron(drawn, np.ones((4, 4), int))[:, :50].astype(dtype)


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
    with pytest.warns(UserWarning, match='pass a binary mask as masks > 0') as warned:
        refined = make().refine(IMAGE, mask)
    assert {warning.filename for warning in warned} == {__file__}, "not the user's line"
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


@EVERY_KIND
@pytest.mark.parametrize('dtype', [np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64])
def test_255_is_ignored_in_maps_of_one_byte_and_a_label_like_others_elsewhere(make, dtype):
    """The same rule as for files; what a refiner was told goes before it."""
    labels, others = cells(dtype, 3, 7, 255), cells(dtype, 3, 7, 254)
    refined = make().refine(PICTURE, labels)
    ignored = ignored_pixels(labels)
    assert ignored.any() == (dtype is np.uint8)
    np.testing.assert_array_equal(refined[ignored], labels[ignored])
    if dtype is np.uint8:
        assert (refined == 255).sum() == ignored.sum()
    else:
        renamed = np.where(
            make().refine(PICTURE, others) == 254, 255, make().refine(PICTURE, others)
        )
        np.testing.assert_array_equal(refined, renamed)
        assert ((labels == 255) != (refined == 255)).any()
    told = make(ignore_index=255).refine(PICTURE, labels)
    np.testing.assert_array_equal(told == 255, labels == 255)
    free = make(ignore_index=None).refine(PICTURE, labels)
    assert ((free == 255) != (labels == 255)).any()


def test_known_fields_follow_the_same_rule():
    offset = np.zeros((2, 4, 8), np.int8)
    offset[1, :, 3] = 1
    for dtype, moved in ((np.uint8, 0), (np.uint16, 4), (np.int64, 4)):
        labels = np.zeros((4, 8), dtype)
        labels[:, 4:] = 255
        assert (shift_masks(labels, offset, scale=1) != labels).sum() == moved


@pytest.mark.parametrize('wrong', ['none', 2.0, True])
def test_ignore_index_that_is_none_of_its_kinds(wrong):
    with pytest.raises(ValueError, match="ignore_index: expected a label, None or 'auto'"):
        BPRRefiner(knowing_bpr(echo), device='cpu', ignore_index=wrong)


@EVERY_KIND
@pytest.mark.parametrize('masks', [cells(np.int64, 1, 2, 3), cells(np.uint8, 0, 1)[None] > 0])
def test_mixed_precision_around_a_refiner_changes_nothing(make, masks):
    """mmengine's TestLoop(fp16=True), or the caller's own."""
    refiner = make()
    expected = refiner.refine(PICTURE, masks)
    with torch.autocast('cpu', torch.bfloat16):
        found = refiner.refine(PICTURE, masks)
        opened = refiner.open(PICTURE)(masks)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(opened, expected)
    assert (expected != masks).any()


@EVERY_KIND
def test_views_of_images_and_masks_are_taken_as_copies_of_them(make):
    """RGB turned to BGR, flipped, cut out: torch, and so a GPU, takes no negative strides."""
    refiner, labels = make(), cells(np.int64, 1, 2, 3)
    views = [
        np.ascontiguousarray(PICTURE[..., ::-1])[..., ::-1],
        np.ascontiguousarray(PICTURE[::-1])[::-1],
        np.ascontiguousarray(PICTURE[:, ::-1])[:, ::-1],
        np.asfortranarray(PICTURE),
        np.pad(PICTURE, ((2, 1), (3, 4), (0, 1)))[2:-1, 3:-4, :3],
    ]
    expected = refiner.refine(PICTURE, labels)
    for view in views:
        loaded = load_image(view)
        assert loaded.flags.c_contiguous
        np.testing.assert_array_equal(torch.from_numpy(loaded).numpy(), PICTURE)
        flipped = np.ascontiguousarray(labels[:, ::-1])[:, ::-1]
        np.testing.assert_array_equal(refiner.refine(view, flipped), expected)
    assert np.shares_memory(load_image(PICTURE), PICTURE)


@pytest.mark.parametrize(
    ('kind', 'network'), [(SegFixRefiner, small_segfix), (BPRRefiner, lambda: knowing_bpr(echo))]
)
def test_weights_beside_a_built_network_are_refused(kind, network, tmp_path):
    with pytest.raises(ValueError, match='has its weights already'):
        kind(network(), checkpoint=tmp_path / 'other.pth')


def test_an_image_is_read_and_opened_once_for_a_chain(tmp_path, monkeypatch):
    refiners = [SegFixRefiner(small_segfix(), device='cpu'), BPRRefiner(lively_bpr(), device='cpu')]
    runs = []
    predict = refiners[0]._predict
    refiners[0]._predict = lambda image, *more: runs.append(image.shape) or predict(image, *more)
    path = tmp_path / 'image.png'
    cv2.imwrite(str(path), PICTURE)
    refine = refine_through(refiners, path)
    nothing = np.zeros((0, 0, 0), bool)
    assert refine(nothing) is nothing
    assert runs == []
    labels, stack = cells(np.int64, 1, 2, 3), cells(np.uint8, 0, 1)[None] > 0
    results = [refine(labels), refine(stack)]
    path.unlink()
    results.append(refine(labels))
    assert runs == [PICTURE.shape]
    step = [refiners[0].refine(PICTURE, masks) for masks in (labels, stack, labels)]
    for found, masks in zip(results, step, strict=True):
        np.testing.assert_array_equal(found, refiners[1].refine(PICTURE, masks))


@pytest.mark.parametrize('kind', [BPRRefiner, SegFixRefiner])
def test_weights_by_name(kind):
    research, openly = (
        kind(weights=name, device='cpu').model.state_dict() for name in ('research', 'open')
    )
    shipped = kind(device='cpu').model.state_dict()
    assert all(torch.equal(research[name], value) for name, value in shipped.items())
    assert not any(torch.equal(openly[n], v) for n, v in shipped.items() if n.endswith('.weight'))
    with pytest.raises(ValueError, match="weights: expected one of 'research', 'open', got 'all'"):
        kind(weights='all')
    with pytest.raises(ValueError, match='weights: a model or checkpoint of your own'):
        kind(checkpoint='my.pth', weights='open')
