"""SegFixRefiner: labels come from where the field points, and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from small_segfix import segfix_config, small_segfix

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.ops import apply_votes
from mmrefine.refiners import Refiner, SegFixRefiner, load_image
from mmrefine.registry import REFINERS

SIZE = (45, 61)
INTEGERS = [np.dtype(kind) for kind in ('i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8')]


@pytest.fixture(scope='module')
def refiner() -> SegFixRefiner:
    return SegFixRefiner(small_segfix(), device='cpu')


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    """BGR, patches of colour."""
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((9, 9, 1), np.uint8))[: SIZE[0], : SIZE[1]]


@pytest.fixture(scope='module')
def offset(refiner, image) -> np.ndarray:
    return refiner.predict_offset(image)


def label_map(seed: int = 1, dtype: np.dtype | type = np.uint8, ignored: int = 255) -> np.ndarray:
    """Random cells of labels 0 to 18, an ignored corner and an ignored pixel amid others."""
    cells = np.random.default_rng(seed).integers(0, 19, (12, 16))
    labels = np.kron(cells, np.ones((4, 4), int))[: SIZE[0], : SIZE[1]].astype(dtype)
    labels[:9, :7] = labels[20, 30] = np.array(ignored).astype(dtype)
    return labels


def plain_shift(
    labels: np.ndarray, offset: np.ndarray, scale: int, steps: int, ignored: int | None = 255
) -> np.ndarray:
    """Pixel by pixel, as the paper says it."""
    height, width = labels.shape
    out = labels.copy()
    for y in range(height):
        for x in range(width):
            at = (y, x)
            for _ in range(steps):
                dy, dx = offset[:, at[0], at[1]]
                at = (
                    min(max(at[0] + scale * int(dy), 0), height - 1),
                    min(max(at[1] + scale * int(dx), 0), width - 1),
                )
            if ignored is None or ignored not in (int(labels[y, x]), int(labels[at])):
                out[y, x] = labels[at]
    return out


def test_the_field_moves_something(offset):
    assert offset.shape == (2, *SIZE)
    assert offset.dtype == np.int8
    assert 0.1 < offset.any(0).mean() < 0.9
    assert len(np.unique(offset.reshape(2, -1), axis=1).T) > 3


@pytest.mark.quick
@pytest.mark.parametrize('dtype', INTEGERS, ids=str)
def test_label_maps_of_every_integer_dtype(refiner, image, offset, dtype):
    labels = label_map(dtype=dtype)
    before = labels.copy()
    refined = refiner.refine(image, labels)
    assert refined.dtype == dtype
    ignored = 255 if dtype == np.uint8 else None
    assert np.array_equal(refined, plain_shift(labels, offset, 2, 1, ignored))
    assert 0.01 < (refined != labels).mean() < 0.9
    assert np.array_equal(labels, before), 'the input must stay as it is'


def test_large_ids_and_negative_ones(refiner, image, offset):
    for ids in (label_map(dtype=np.int64) + 2**40, -label_map(dtype=np.int32) - 1):
        assert np.array_equal(refiner.refine(image, ids), plain_shift(ids, offset, 2, 1))


def test_one_mask(refiner, image, offset):
    mask = label_map() > 9
    refined = refiner.refine(image, mask)
    assert refined.dtype == bool
    assert np.array_equal(refined, plain_shift(mask, offset, 2, 1, None))


@pytest.mark.parametrize('dtype', [np.bool_, np.uint8])
def test_stacks(refiner, image, offset, dtype):
    """Empty and full masks, masks at the borders; 255 is a value like others."""
    stack = np.zeros((5, *SIZE), dtype)
    stack[1] = 255
    stack[2, 10:30, 20:50] = 255
    stack[3, :, -9:] = stack[3, :8] = 1
    stack[4] = (label_map() % 3).astype(dtype)
    refined = refiner.refine(image, stack)
    assert refined.dtype == dtype
    assert refined.shape == stack.shape
    for before, after in zip(stack, refined, strict=True):
        assert np.array_equal(after, plain_shift(before, offset, 2, 1, None))
    assert (refined != stack).any()
    assert refiner.refine(image, stack[:0]).shape == (0, *SIZE)


def test_ignored_pixels_stay_and_are_never_fetched(refiner, image, offset):
    labels = label_map()
    labels[np.random.default_rng(2).random(SIZE) < 0.2] = 255
    refined = refiner.refine(image, labels)
    assert np.array_equal(refined == 255, labels == 255)
    careless = SegFixRefiner(small_segfix(), device='cpu', ignore_index=None)
    assert not np.array_equal(careless.refine(image, labels) == 255, labels == 255)
    other = SegFixRefiner(small_segfix(), device='cpu', ignore_index=7)
    assert np.array_equal(other.refine(image, labels) == 7, labels == 7)
    nothing = np.full(SIZE, 255, np.uint8)
    assert np.array_equal(refiner.refine(image, nothing), nothing)


def test_zero_field_changes_nothing(refiner):
    zero = np.zeros((2, *SIZE), np.int8)
    for masks in (label_map(), label_map()[None] > 5):
        refined = refiner.shift(masks, zero)
        assert np.array_equal(refined, masks)
        assert not np.shares_memory(refined, masks)


@pytest.mark.parametrize(('scale', 'steps'), [(1, 1), (3, 1), (1, 4), (2, 3)])
def test_scale_and_steps(image, offset, scale, steps):
    refiner = SegFixRefiner(small_segfix(), device='cpu', scale=scale, steps=steps)
    labels = label_map()
    refined = refiner.refine(image, labels)
    assert np.array_equal(refined, plain_shift(labels, offset, scale, steps))
    assert not np.array_equal(refined, plain_shift(labels, offset, 2, 1))


def test_confidence(image, offset):
    model = small_segfix()
    model.test_cfg['min_confidence'] = 0.1
    labels = label_map()
    labels[:3, :5] = 255
    by_rule = SegFixRefiner(model, device='cpu', min_confidence=0).refine(image, labels)
    assert np.array_equal(
        by_rule, SegFixRefiner(small_segfix(), device='cpu').refine(image, labels)
    )
    refiner = SegFixRefiner(model, device='cpu')
    fields = refiner.predict_fields(image)
    votes = fields['pred_votes'].astype(np.float32)
    assert votes.shape == (8, *image.shape[:2])
    assert np.allclose(votes.sum(0), fields['pred_boundary'][0], atol=0.01)
    # In half precision, two directions may have the same.
    chosen = np.take_along_axis(votes, fields['pred_direction'].astype(int), 0)[0]
    assert np.array_equal(chosen, votes.max(0))
    by_votes = refiner.refine(image, labels)
    assert np.array_equal(by_votes, apply_votes(labels, votes.astype(np.float16), 2, 0.1, 255))
    assert not np.array_equal(by_votes, by_rule)
    assert np.array_equal(by_votes == 255, labels == 255)
    masks = label_map(5)[None] > 5
    assert np.array_equal(refiner.open(image)(masks), apply_votes(masks, votes, 2, 0.1))
    model.test_cfg['scale'] = 1
    assert SegFixRefiner(model, device='cpu').scale == 1
    assert SegFixRefiner(model, device='cpu', scale=3).scale == 3
    assert SegFixRefiner(model, device='cpu', min_confidence=0).scale == 2  # as published
    model.test_cfg['steps'] = 4
    assert SegFixRefiner(model, device='cpu').steps == 4
    assert SegFixRefiner(model, device='cpu', min_confidence=0).steps == 1  # as published
    stepping = SegFixRefiner(model, device='cpu', steps=3, scale=2)
    expected = apply_votes(labels, votes.astype(np.float16), 2, 0.1, 255, steps=3)
    assert np.array_equal(stepping.refine(image, labels), expected)


def test_one_field_for_many_masks(refiner, image, offset):
    for masks in (label_map(3), label_map(4, np.int32), label_map(5)[None] > 5):
        assert np.array_equal(refiner.shift(masks, offset), refiner.refine(image, masks))


@pytest.mark.quick
def test_path_and_array_are_the_same(refiner, image, offset, tmp_path):
    path = tmp_path / 'street.png'
    cv2.imwrite(str(path), image)
    labels = label_map()
    expected = refiner.refine(image, labels)
    for source in (path, str(path)):
        assert np.array_equal(refiner.refine(source, labels), expected)
    assert not np.array_equal(refiner.predict_offset(image[..., ::-1]), offset), 'BGR matters'


def test_orientation_in_the_file_is_applied(tmp_path):
    """Cameras store pictures lying on their side; label maps are of the picture as seen."""
    upright = np.zeros((30, 50, 3), np.uint8)
    upright[:10] = 255
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it
    lying.save(tmp_path / 'lying.jpg', exif=exif, quality=95)
    loaded = load_image(tmp_path / 'lying.jpg')
    assert loaded.shape == (30, 50, 3)
    assert np.abs(loaded.astype(int) - upright).mean() < 3


@pytest.mark.parametrize(
    ('masks', 'error', 'text'),
    [
        (np.zeros(SIZE, np.float32), TypeError, 'masks: expected integers or bool, got float32'),
        (np.zeros((2, *SIZE), np.int32), TypeError, 'stack .* must be bool or uint8, got int32'),
        (np.zeros((44, 61), np.uint8), ValueError, "size 44x61 .* is not the image's 45x61"),
        (np.zeros((3, 61, 45), bool), ValueError, "size 61x45 .* is not the image's 45x61"),
        (np.zeros((1, 1, *SIZE), bool), ValueError, r'expected shape \(H, W\) or \(N, H, W\)'),
        (np.zeros(61, bool), ValueError, r'expected shape \(H, W\) or \(N, H, W\)'),
        ([[0, 1]], TypeError, 'masks: expected a numpy array, got list'),
    ],
)
def test_wrong_masks(refiner, image, masks, error, text):
    with pytest.raises(error, match=text):
        refiner.refine(image, masks)


@pytest.mark.parametrize(
    ('image', 'error', 'text'),
    [
        (np.zeros((*SIZE, 3), np.float32), TypeError, 'image: expected a uint8 array, got float32'),
        (np.zeros((*SIZE, 2), np.uint8), ValueError, r'BGR of shape \(H, W, 3\), .* got \(45'),
        (np.zeros((3, *SIZE), np.uint8), ValueError, r'BGR of shape \(H, W, 3\)'),
        ('nowhere.png', ValueError, r'cannot read nowhere\.png: No such file'),
    ],
)
def test_wrong_images(refiner, image, error, text):
    with pytest.raises(error, match=text):
        refiner.refine(image, label_map())


@pytest.mark.parametrize('name', ['a.png', 'a.jpg'])
@pytest.mark.parametrize('share', [0, 0.05, 0.6, 0.97])
def test_incomplete_images_are_named(tmp_path, name, share):
    path = tmp_path / name
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    assert load_image(path).shape == (*SIZE, 3)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=rf'image: .*{name} is not an image, or is incomplete'):
        load_image(path)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(scale=0), 'scale: expected an integer of 1 or more, got 0'),
        (dict(scale=1.5), 'scale: expected an integer of 1 or more, got 1.5'),
        (dict(steps=-1), 'steps: expected an integer of 1 or more, got -1'),
        (dict(min_confidence=1), 'min_confidence: expected 0 to below 1, got 1'),
    ],
)
def test_wrong_options(options, text):
    with pytest.raises(ValueError, match=text):
        SegFixRefiner(small_segfix(), **options)


def test_models_that_are_none(tmp_path):
    with pytest.raises(TypeError, match=r'expected a mmrefine\.SegFix, got Conv2d'):
        SegFixRefiner(torch.nn.Conv2d(1, 1, 1))
    with pytest.raises(ValueError, match='trained weights are needed'):
        SegFixRefiner(segfix_config())
    with pytest.raises(ValueError, match='has its weights already'):
        SegFixRefiner(small_segfix(), tmp_path / 'weights.pth')
    with pytest.raises(ValueError, match=r'no\.pth does not exist'):
        SegFixRefiner(checkpoint=tmp_path / 'no.pth')


@pytest.mark.quick
def test_from_a_published_checkpoint_by_its_registered_name(tmp_path, image, offset):
    weights: Path = tmp_path / 'weights.pth'
    torch.save({'state_dict': small_segfix().state_dict()}, weights)
    publish_checkpoint(segfix_config(), weights, tmp_path / 'out.pth')
    cfg = dict(type='mmrefine.SegFixRefiner', checkpoint=str(tmp_path / 'out.pth'), device='cpu')
    refiner = REFINERS.build(cfg)
    assert isinstance(refiner, Refiner)
    found = refiner.predict_offset(image)
    assert (found == offset).all(0).mean() > 0.98  # half precision
    exact = SegFixRefiner(segfix_config(), weights, device='cpu')
    assert np.array_equal(exact.predict_offset(image), offset)


def test_shipped_weights_find_the_edge_of_a_drawn_object():
    """A bright disc on a dark ground: what is near its edge is fetched from away from it."""
    assert SegFixRefiner.shipped.stat().st_size < 12e6
    rows, columns = np.mgrid[:96, :128]
    radius = np.hypot(rows - 48, columns - 64)
    image = np.where(radius < 30, 210, 60).astype(np.uint8)
    image = np.repeat(cv2.GaussianBlur(image, (0, 0), 1)[..., None], 3, axis=2)
    offset = SegFixRefiner(device='cpu').predict_offset(image)
    moved = offset.any(0)
    assert 0.02 < moved.mean() < 0.5
    assert np.median(np.abs(radius[moved] - 30)) < 5
    outwards = offset[0] * (rows - 48) + offset[1] * (columns - 64)
    assert (outwards[moved & (radius < 30)] < 0).mean() > 0.8
    assert (outwards[moved & (radius > 30) & (radius < 36)] > 0).mean() > 0.8
