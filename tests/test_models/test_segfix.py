"""What SegFix.predict writes, against the network's own logits worked up in plain numpy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.structures import SegDataSample
from small_segfix import MEAN, STD, segfix_config, small_segfix

from mmrefine.models.segmentors import SegFix

# (dy, dx) of the eight directions, from the paper's released code.
VECTORS = np.array([(0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1)])
SIZE = (45, 61)


def make_image(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """BGR uint8, large patches of colour: the small network answers differently on them."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, (6, 8), strict=True))
    return coarse[rows][:, columns]


def predict(model: SegFix, *images: np.ndarray, **meta: object) -> list[SegDataSample]:
    data = dict(inputs=[], data_samples=[])
    for image in images:
        size = image.shape[:2]
        known = dict(ori_shape=size, img_shape=size) | meta
        data['inputs'].append(torch.from_numpy(image.transpose(2, 0, 1).copy()))
        data['data_samples'].append(SegDataSample(metainfo=known))
    with torch.no_grad():
        return model.test_step(data)


def stretch(x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    return F.interpolate(x, size, mode='bilinear', align_corners=True)


def plain_probabilities(model: SegFix, pixels: torch.Tensor) -> torch.Tensor:
    """(1, 2 + m, H, W) of one normalised image or window (1, 3, H, W)."""
    with torch.no_grad():
        logits = stretch(model.decode_head(model.backbone(pixels)), pixels.shape[2:])
    return torch.cat([logits[:, :2].softmax(1), logits[:, 2:].softmax(1)], 1)


def normalise(image: np.ndarray) -> torch.Tensor:
    rgb = (image[..., ::-1] - np.array(MEAN)) / np.array(STD)
    return torch.tensor(rgb.transpose(2, 0, 1)[None], dtype=torch.float32)


def check_fields(sample: SegDataSample, probabilities: torch.Tensor) -> None:
    """The three fields of a sample against probabilities (1, 2 + m, H, W)."""
    size = tuple(probabilities.shape[2:])
    boundary, direction, offset = (
        sample.get(name).data for name in ('pred_boundary', 'pred_direction', 'pred_offset')
    )
    assert [x.dtype for x in (boundary, direction, offset)] == [
        torch.float32,
        torch.uint8,
        torch.int8,
    ]
    assert [tuple(x.shape) for x in (boundary, direction, offset)] == [
        (1, *size),
        (1, *size),
        (2, *size),
    ]
    torch.testing.assert_close(boundary, probabilities[0, 1:2], rtol=1e-4, atol=1e-5)
    top, second = probabilities[0, 2:].topk(2, 0).values
    clear = (top - second > 1e-4).numpy()
    expected = probabilities[0, 2:].argmax(0).numpy()
    assert clear.mean() > 0.95
    assert np.array_equal(direction[0].numpy()[clear], expected[clear])
    inside = boundary[0].numpy() > 0.5
    assert 0.02 < inside.mean() < 0.98
    assert not offset.numpy()[:, ~inside].any()
    moved = np.moveaxis(offset.numpy(), 0, -1)[inside]
    assert np.array_equal(moved, VECTORS[direction[0].numpy()[inside]])


@pytest.mark.quick
@pytest.mark.parametrize('size', [SIZE, (64, 96), (33, 70)])
def test_whole_image(size):
    model, image = small_segfix(), make_image(size=size)
    (sample,) = predict(model, image)
    check_fields(sample, plain_probabilities(model, normalise(image)))


@pytest.mark.parametrize(
    ('crop', 'stride'), [((32, 40), (20, 30)), ((32, 64), (32, 64)), ((64, 64), (1, 1))]
)
def test_slide_is_the_average_of_its_windows(crop, stride):
    size = (70, 90)
    model = small_segfix(test_cfg=dict(mode='slide', crop_size=crop, stride=stride))
    if stride == (1, 1):
        size = SIZE  # the window is larger than the image: one window
    image = make_image(size=size)
    total, count = torch.zeros(1, 10, *size), torch.zeros(size)
    pixels = normalise(image)
    corners = set()
    for y in range(0, max(size[0] - crop[0] + stride[0] - 1, 0) // stride[0] + 1):
        for x in range(0, max(size[1] - crop[1] + stride[1] - 1, 0) // stride[1] + 1):
            bottom = min(y * stride[0] + crop[0], size[0])
            right = min(x * stride[1] + crop[1], size[1])
            top, left = max(bottom - crop[0], 0), max(right - crop[1], 0)
            window = (..., slice(top, bottom), slice(left, right))
            total[window] += plain_probabilities(model, pixels[window])
            count[window[1:]] += 1
            corners.add((top, left))
    assert count.min() >= 1
    assert (count.max() > 1) == (len(corners) > 1)
    (sample,) = predict(model, image)
    check_fields(sample, total / count)


def test_slide_differs_from_whole():
    """Otherwise the test above would hold for a window that sees everything, too."""
    image = make_image(size=(70, 90))
    slide = small_segfix(test_cfg=dict(mode='slide', crop_size=(32, 40), stride=(20, 30)))
    (a,), (b,) = predict(slide, image), predict(small_segfix(), image)
    assert (a.pred_boundary.data - b.pred_boundary.data).abs().max() > 0.01


@pytest.mark.parametrize('mode', ['whole', 'slide'])
def test_padding_of_the_preprocessor_is_removed(mode):
    cfg = segfix_config()['data_preprocessor'] | dict(size=None, test_cfg=dict(size_divisor=32))
    test_cfg = dict(mode=mode, crop_size=(64, 64), stride=(64, 64))
    model = small_segfix(data_preprocessor=cfg, test_cfg=test_cfg)
    image = make_image()
    padded = F.pad(normalise(image), (0, 64 - SIZE[1], 0, 64 - SIZE[0]))
    (sample,) = predict(model, image)
    check_fields(sample, plain_probabilities(model, padded)[..., : SIZE[0], : SIZE[1]])


def test_padding_on_all_sides_is_removed():
    model, image = small_segfix(), make_image()
    (sample,) = predict(model, image, img_padding_size=(3, 5, 2, 7), ori_shape=(36, 53))
    whole = plain_probabilities(model, normalise(image))
    check_fields(sample, whole[..., 2:-7, 3:-5])


def test_result_has_the_original_size():
    model, image = small_segfix(), make_image()
    (sample,) = predict(model, image, ori_shape=(90, 130, 3))
    check_fields(sample, stretch(plain_probabilities(model, normalise(image)), (90, 130)))


def test_images_of_a_batch_do_not_mix():
    model = small_segfix()
    images = [make_image(seed) for seed in (0, 1)]
    for sample, image in zip(predict(model, *images), images, strict=True):
        check_fields(sample, plain_probabilities(model, normalise(image)))


def test_inputs_without_samples():
    model, image = small_segfix(), make_image()
    with torch.no_grad():
        (sample,) = model(normalise(image), mode='predict')
    check_fields(sample, plain_probabilities(model, normalise(image)))


def test_threshold_of_the_head_is_used():
    cfg = segfix_config()
    cfg['decode_head']['boundary_threshold'] = -1
    model = small_segfix(decode_head=ConfigDict(cfg['decode_head']))
    (sample,) = predict(model, make_image())
    assert sample.pred_offset.data.any(0).all()


@pytest.mark.parametrize(('m', 'longest'), [(4, 1), (16, 2), (32, 4)])
def test_other_numbers_of_directions(m, longest):
    (sample,) = predict(small_segfix(m), make_image())
    assert sample.pred_direction.data.max() < m
    assert sample.pred_offset.data.abs().max() <= longest


def test_flipped_images_are_refused():
    with pytest.raises(ValueError, match=r'street\.png was flipped .* remove the flip'):
        predict(small_segfix(), make_image(), flip=True, img_path='street.png')
    predict(small_segfix(), make_image(), flip=False)
