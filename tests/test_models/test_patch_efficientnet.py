"""EfficientNet-Lite0's first blocks, and the head for patches."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.models.backbones import PatchEfficientNet
from mmrefine.models.backbones.inverted_blocks import SameConv2d
from mmrefine.models.backbones.patch_efficientnet import SquaresConv2d
from mmrefine.models.decode_heads import PatchHead
from mmrefine.models.decode_heads.patch_head import _grow


def test_features_halve_from_pixels_to_cells():
    model = PatchEfficientNet(in_channels=6, fine_channels=8)
    found = [tuple(f.shape) for f in model(torch.randn(2, 6, 64, 96))]
    assert found == [
        *((2, 8, 32, 48), (2, 16, 32, 48), (2, 24, 16, 24)),
        *((2, 40, 8, 12), (2, 112, 4, 6)),
    ]
    assert sum(p.numel() for name, p in model.named_parameters() if 'fine' not in name) < 710_000


@pytest.mark.parametrize('size', [(12, 16), (13, 16), (12, 15), (9, 7)])
@pytest.mark.parametrize(('kernel', 'stride'), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_padding_is_tensorflows(kernel, stride, size):
    """Its documentation: k - s in all where s divides the size, else k - size % s."""
    conv = SameConv2d(2, 3, kernel, stride, bias=False)
    inputs = torch.randn(1, 2, *size)
    total = [kernel - (side % stride or stride) for side in size]
    (top, left), (bottom, right) = ([t // 2 for t in total], [t - t // 2 for t in total])
    padded = F.pad(inputs, (left, right, top, bottom))
    expected = F.conv2d(padded, conv.weight, stride=stride)
    torch.testing.assert_close(conv(inputs), expected)
    assert expected.shape[2:] == tuple(-(-side // stride) for side in size)


def test_squares_are_seen_as_if_unshuffled():
    conv = SquaresConv2d(5, 3)
    inputs = torch.randn(2, 5, 12, 16)
    expected = F.conv2d(F.pixel_unshuffle(inputs, 2), conv.weight, padding=1)
    torch.testing.assert_close(conv(inputs), expected, rtol=0, atol=1e-5)
    assert expected.shape[2:] == (6, 8)


def with_underscores(name):
    """``blocks.3.bn1.weight`` → ``_blocks.3._bn1.weight``."""
    *modules, last = name.split('.')
    return '.'.join([*(m if m.isdigit() else f'_{m}' for m in modules), last])


def test_published_keys_are_taken():
    """With underscores in front, with deeper blocks and a classifier that are not needed."""
    torch.manual_seed(0)
    source = PatchEfficientNet(in_channels=3)
    published = {
        with_underscores(name): torch.randn_like(value.float())
        for name, value in source.state_dict().items()
        if not name.startswith('fine.')
    }
    assert '_blocks.3._depthwise_conv.weight' in published
    published['_blocks.11._bn1.weight'] = published['_fc.weight'] = torch.zeros(3)
    model = PatchEfficientNet(in_channels=3)
    result = model.load_state_dict(published, strict=False)
    assert all(key.startswith('fine.') for key in result.missing_keys)
    assert not result.unexpected_keys
    loaded = model.state_dict()
    for key, value in published.items():
        name = re.sub(r'(^|\.)_', r'\1', key)
        if name in loaded and not name.endswith('num_batches_tracked'):
            np.testing.assert_allclose(loaded[name].float(), value)


def sample(truth, coarse):
    made = SegDataSample(gt_sem_seg=PixelData(data=torch.from_numpy(truth).long()[None]))
    made.set_data(dict(coarse_mask=PixelData(data=torch.from_numpy(coarse)[None])))
    return made


def square(size=32, rows=slice(8, 24), columns=slice(10, 20)):
    mask = np.zeros((size, size), np.uint8)
    mask[rows, columns] = 1
    return mask


def losses(head, logits, *samples):
    found = head.loss_by_feat(logits, list(samples))
    return {key: float(value) for key, value in found.items()}


@pytest.fixture
def head():
    return PatchHead(align_corners=False, off_weight=1.0)


def test_both_answers_at_full_size(head):
    features = PatchEfficientNet(in_channels=5)(torch.randn(2, 5, 48, 64))
    assert head(features).shape == (2, 2, 48, 64)
    assert head.predict_by_feat(head(features), [dict(img_shape=(48, 64))]).shape == (2, 1, 48, 64)


def test_right_answers_cost_nothing(head):
    truth = square()
    logits = torch.zeros(1, 2, 32, 32)
    logits[0, 0] = torch.from_numpy(truth * 40.0 - 20)
    logits[0, 1] = -20
    found = losses(head, logits, sample(truth, truth))
    assert found['loss_mask'] < 1e-6
    assert found['loss_off'] < 1e-6
    assert found['acc_near'] == found['acc_coarse'] == 100


@pytest.mark.parametrize('radius', [1, 3, 8])
def test_sums_grow_masks_as_maxima_do(radius):
    masks = (
        torch.rand(3, 1, 20, 27, generator=torch.Generator().manual_seed(radius)) > 0.97
    ).float()
    masks[1] = 0
    expected = F.max_pool2d(masks, 2 * radius + 1, 1, radius)
    assert torch.equal(_grow(masks, radius), expected)


@pytest.mark.parametrize(('moved', 'is_off'), [(0, False), (1, False), (3, True)])
def test_off_means_two_pixels_or_more(head, moved, is_off):
    truth = square()
    coarse = np.roll(truth, moved, axis=1)
    says_off, says_not = torch.zeros(1, 2, 32, 32), torch.zeros(1, 2, 32, 32)
    says_off[:, 1], says_not[:, 1] = 5, -5
    costs = [losses(head, said, sample(truth, coarse))['loss_off'] for said in (says_off, says_not)]
    assert (costs[0] < costs[1]) == is_off


def test_unknown_pixels_do_not_count(head):
    truth, coarse = square(), square(columns=slice(14, 26))
    unknown = truth.copy()
    unknown[coarse != truth] = 255
    logits = torch.randn(1, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    other = logits.clone()
    other[0, :, torch.from_numpy(unknown == 255)] += 3
    first, second = (losses(head, said, sample(unknown, coarse)) for said in (logits, other))
    assert first == pytest.approx(second)
    everything = np.full_like(truth, 255)
    assert losses(head, logits, sample(everything, coarse))['loss_mask'] == 0


def test_pixels_near_an_outline_count_more(head):
    truth = square()
    near, far = torch.zeros(1, 2, 32, 32), torch.zeros(1, 2, 32, 32)
    near[0, 0], far[0, 0] = (torch.from_numpy(truth * 8.0 - 4) for _ in range(2))
    near[0, 0, 8, 9] *= -1  # beside the object
    far[0, 0, 1, 1] *= -1
    right = torch.zeros(1, 2, 32, 32)
    right[0, 0] = torch.from_numpy(truth * 8.0 - 4)
    base, *costs = (
        losses(head, said, sample(truth, truth))['loss_mask'] for said in (right, near, far)
    )
    assert costs[0] - base > 3 * (costs[1] - base)


def test_sides_that_do_not_fit_are_told():
    with pytest.raises(ValueError, match='inputs: expected images whose sides 16 divides, got 32x'):
        PatchEfficientNet(3)(torch.zeros(1, 3, 32, 40))
