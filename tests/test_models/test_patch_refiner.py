"""The BPR network: its input, its output, and the weights it can start from."""

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import load_checkpoint
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from small_bpr import bpr_config, small_bpr

from mmrefine.models.data_preprocessors import PatchDataPreProcessor
from mmrefine.registry import MODELS

MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def sample(mask, truth=None):
    data = SegDataSample(
        metainfo=dict(ori_shape=mask.shape, img_shape=mask.shape, pad_shape=mask.shape)
    )
    data.set_data(dict(coarse_mask=PixelData(data=torch.from_numpy(mask)[None])))
    if truth is not None:
        data.gt_sem_seg = PixelData(data=torch.from_numpy(truth.astype(np.int64))[None])
    return data


def patches(number=3, size=32, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (number, 3, size, size), dtype=np.uint8)
    masks = (rng.random((number, size, size)) < 0.5).astype(np.uint8)
    return images, masks


@pytest.mark.parametrize('with_mask', [True, False])
def test_input_is_the_normalised_image_and_the_mask(with_mask):
    images, masks = patches()
    data = dict(inputs=list(map(torch.from_numpy, images)), data_samples=list(map(sample, masks)))
    found = PatchDataPreProcessor(with_mask=with_mask)(data, training=True)
    rgb = images[:, ::-1].astype(np.float64)
    expected = (rgb - MEAN[:, None, None]) / STD[:, None, None]
    np.testing.assert_allclose(found['inputs'][:, :3], expected, atol=1e-5)
    assert found['inputs'].shape[1] == (4 if with_mask else 3)
    if with_mask:
        np.testing.assert_array_equal(found['inputs'][:, 3], np.where(masks == 1, 1, -1))
    assert found['inputs'].is_contiguous(memory_format=torch.channels_last)


def test_patches_of_several_images_become_one_batch():
    images, masks = patches(6)
    tensors, samples = list(map(torch.from_numpy, images)), list(map(sample, masks))
    flat = PatchDataPreProcessor()(dict(inputs=tensors, data_samples=samples))
    nested = PatchDataPreProcessor()(
        dict(inputs=[tensors[:3], tensors[3:]], data_samples=[samples[:3], samples[3:]])
    )
    torch.testing.assert_close(nested['inputs'], flat['inputs'])
    assert len(nested['data_samples']) == 6


def test_patches_of_two_sizes_are_refused():
    (a, m), (b, n) = patches(1), patches(1, size=16)
    data = dict(
        inputs=[torch.from_numpy(a[0]), torch.from_numpy(b[0])],
        data_samples=[sample(m[0]), sample(n[0])],
    )
    with pytest.raises(ValueError, match=r'must have one size, got \[\(16, 16\), \(32, 32\)\]'):
        PatchDataPreProcessor()(data)


def test_bgr_stays_bgr_if_asked():
    images, masks = patches(1)
    pair = torch.from_numpy(images), torch.from_numpy(masks)
    kept = PatchDataPreProcessor(mean=(0, 0, 0), std=(1, 1, 1), bgr_to_rgb=False).assemble(*pair)
    np.testing.assert_array_equal(kept[:, :3], images)


def test_mean_of_another_length_is_refused():
    with pytest.raises(ValueError, match='mean must have 3 values'):
        PatchDataPreProcessor(mean=(0.5,))


def test_probabilities_are_those_of_predict():
    model = small_bpr()
    images, masks = patches(2)
    data = dict(inputs=list(map(torch.from_numpy, images)), data_samples=list(map(sample, masks)))
    with torch.no_grad():
        inputs = model.data_preprocessor(data)['inputs']
        found = model.predict_probabilities(inputs)
        logits = torch.stack([r.seg_logits.data for r in model.test_step(data)])
    assert found.shape == (2, 32, 32)
    torch.testing.assert_close(found, logits.softmax(1)[:, 1])


def test_a_plain_dict_is_a_config():
    images, masks = patches(1)
    data = dict(inputs=list(map(torch.from_numpy, images)), data_samples=list(map(sample, masks)))
    torch.manual_seed(0)
    plain = MODELS.build(bpr_config()).eval()
    with torch.no_grad():
        found, expected = (m.test_step(data)[0].seg_logits.data for m in (plain, small_bpr()))
    torch.testing.assert_close(found, expected)


def test_a_head_with_one_class():
    head = bpr_config()['decode_head'] | dict(
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True),
    )
    model = small_bpr(decode_head=head)
    inputs = torch.randn(2, 4, 32, 32)
    with torch.no_grad():
        found = model.predict_probabilities(inputs)
        logits = model.encode_decode(inputs, [dict(img_shape=(32, 32))] * 2)
    torch.testing.assert_close(found, logits[:, 0].sigmoid())


def test_it_learns_from_the_mask_and_the_image():
    model = small_bpr().train()
    images, masks = patches(4)
    truth = np.zeros_like(masks)
    data = dict(
        inputs=list(map(torch.from_numpy, images)),
        data_samples=[sample(m, t) for m, t in zip(masks, truth, strict=True)],
    )
    losses = model.loss(**model.data_preprocessor(data, training=True))
    losses['decode.loss_ce'].backward()
    gradient = model.backbone.conv1.weight.grad.abs().sum((0, 2, 3))
    assert gradient.shape == (4,)
    assert (gradient > 0).all()


def test_weights_for_images_are_widened_without_changing_the_function(tmp_path):
    source, target = small_bpr(with_mask=False), MODELS.build(bpr_config()).eval()
    torch.save(dict(state_dict=source.state_dict()), tmp_path / 'rgb.pth')
    load_checkpoint(target, str(tmp_path / 'rgb.pth'), strict=True)
    inputs = torch.randn(2, 4, 32, 32)
    with torch.no_grad():
        of_image = source.predict_probabilities(inputs[:, :3].contiguous())
        torch.testing.assert_close(target.predict_probabilities(inputs), of_image)


def test_pretrained_backbones_are_widened(tmp_path):
    source = small_bpr(with_mask=False)
    torch.save(dict(state_dict=source.backbone.state_dict()), tmp_path / 'backbone.pth')
    backbone = bpr_config()['backbone'] | dict(
        init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'backbone.pth'))
    )
    model = MODELS.build(bpr_config(backbone=backbone))
    model.init_weights()
    weight = model.backbone.conv1.weight
    torch.testing.assert_close(weight[:, :3], source.backbone.conv1.weight)
    assert not weight[:, 3].any()


def test_weights_of_the_released_code_with_their_second_stem(tmp_path):
    source = small_bpr(with_mask=False)
    state = source.state_dict()
    of_mask = torch.randn(64, 1, 3, 3)
    torch.save(
        dict(state_dict={**state, 'backbone.conv_mask.weight': of_mask}), tmp_path / 'old.pth'
    )
    model = MODELS.build(bpr_config()).eval()
    load_checkpoint(model, str(tmp_path / 'old.pth'), strict=True)
    inputs = torch.randn(2, 4, 32, 32)
    of_image = source.backbone.conv1(inputs[:, :3])
    mask_part = torch.nn.functional.conv2d(inputs[:, 3:], of_mask, stride=2, padding=1)
    torch.testing.assert_close(model.backbone.conv1(inputs), of_image + mask_part)


def test_its_own_weights_load_as_they_are():
    source, target = small_bpr(), MODELS.build(bpr_config())
    target.load_state_dict(source.state_dict())
    torch.testing.assert_close(target.state_dict(), source.state_dict())


@pytest.mark.parametrize(
    'backbone',
    [
        dict(type='mmseg.ResNetV1c', depth=18, in_channels=4, norm_cfg=dict(type='BN')),
        dict(type='mmseg.ResNet', depth=18, in_channels=4, norm_cfg=dict(type='BN')),
    ],
)
def test_stems_of_other_backbones_are_widened(backbone):
    head = bpr_config()['decode_head'] | dict(
        in_channels=512, in_index=3, channels=8, input_transform=None
    )
    head['loss_decode'] = dict(type='mmseg.CrossEntropyLoss')
    changes = dict(backbone=backbone, decode_head=head)
    rgb = MODELS.build(bpr_config(**changes | dict(backbone=backbone | dict(in_channels=3))))
    model = MODELS.build(bpr_config(**changes))
    model.load_state_dict(rgb.state_dict())
    inputs = torch.randn(1, 4, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            model.eval().predict_probabilities(inputs),
            rgb.eval().predict_probabilities(inputs[:, :3]),
        )
