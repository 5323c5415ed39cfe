"""AuxAdapt on small networks: what changes, what must not, and that labels flicker less."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from moving_scene import moving_scene

from mmrefine.models.segmentors import AuxAdaptSegmentor
from mmrefine.registry import MODELS

MEAN, STD = [120.0] * 3, [60.0] * 3


def network(classes=4, base=8, std=STD):
    return ConfigDict(
        type='mmseg.EncoderDecoder',
        data_preprocessor=dict(
            type='mmseg.SegDataPreProcessor', mean=MEAN, std=std, test_cfg=dict(size_divisor=8)
        ),
        backbone=dict(
            type='mmseg.ResNetV1c', depth=18, num_stages=1, strides=(1,), dilations=(1,),
            out_indices=(0,), base_channels=base, norm_cfg=dict(type='BN'),
        ),
        decode_head=dict(
            type='mmseg.FCNHead', in_channels=base, in_index=0, channels=base, num_convs=1,
            num_classes=classes, norm_cfg=dict(type='BN'), align_corners=False,
        ),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'),
    )  # fmt: skip


def noisy(image, rng, amount):
    return (image + rng.normal(0, amount, image.shape)).clip(0, 255).astype(np.uint8)


def as_input(image):
    return torch.from_numpy(image.transpose(2, 0, 1).copy())


def train(model, scale, steps=60):
    """A minute's training on noisy scenes, in two seconds."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    scenes = [scene for seed in range(4) for scene in moving_scene(2, seed)]
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    model.train()
    for step in range(steps):
        images, samples = [], []
        for image, labels in (scenes[step % 8], scenes[(3 * step + 1) % 8]):
            small = torch.from_numpy(labels).long()[None]
            image = as_input(noisy(image, rng, 50))[None].float()
            image = F.interpolate(image, scale_factor=scale, mode='bilinear')[0]
            small = F.interpolate(small[None].float(), image.shape[1:], mode='nearest')[0].long()
            images.append(image)
            samples.append(SegDataSample(gt_sem_seg=PixelData(data=small)))
        data = model.data_preprocessor(dict(inputs=images, data_samples=samples), False)
        losses = model(**data, mode='loss')
        optimizer.zero_grad()
        losses['decode.loss_ce'].backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope='module')
def trained():
    """Main and auxiliary network."""
    torch.manual_seed(0)
    main = MODELS.build(network())
    torch.manual_seed(1)
    return train(main, 1), train(MODELS.build(network(base=4)), 0.5)


def adapting(trained, **options):
    main, aux = copy.deepcopy(trained)
    return AuxAdaptSegmentor(main, aux, **{'lr': 0.01, **options})


def static_video(frames, amount=70, seed=9):
    """One scene under noise that is new in each frame; images and the truth."""
    rng = np.random.default_rng(seed)
    image, labels = moving_scene(1, seed)[0]
    return [noisy(image, rng, amount) for _ in range(frames)], labels


def play(model, images, name='video_', start=0):
    """Predict frame after frame as mmengine's test loop does."""
    results = []
    for number, image in enumerate(images, start):
        meta = dict.fromkeys(('ori_shape', 'img_shape'), image.shape[:2])
        sample = SegDataSample(metainfo=dict(meta, img_path=f'{name}{number:03}.png'))
        with torch.no_grad():
            out = model.test_step(dict(inputs=[as_input(image)], data_samples=[sample]))
        results.append(out[0].pred_sem_seg.data[0].numpy())
    return np.stack(results)


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def flips(labels):
    return (labels[1:] != labels[:-1]).mean()


def miou(labels, truth):
    ious = [
        ((labels == c) & (truth == c)).sum() / ((labels == c) | (truth == c)).sum()
        for c in np.unique(truth)
    ]
    return 100 * np.mean(ious)


@pytest.mark.parametrize('norm_eval', [True, False])
def test_main_stays_and_aux_changes(trained, norm_eval):
    model = adapting(trained, norm_eval=norm_eval)
    main, aux = state(model.main), state(model.aux)
    play(model, static_video(50)[0])
    assert same(main, state(model.main))
    assert not same(aux, state(model.aux))
    assert model.updates == 50
    buffers = {name: b.clone() for name, b in model.aux.named_buffers() if 'running' in name}
    assert buffers
    assert all(torch.equal(b, aux[name]) for name, b in buffers.items()) == norm_eval
    assert torch.is_grad_enabled()
    assert all(p.grad is None for p in model.main.parameters())


def test_labels_flicker_less_at_the_same_quality(trained):
    images, truth = static_video(40)
    frozen = play(adapting(trained, lr=0, norm_eval=False), images)
    adapted = play(adapting(trained, lr=0.2, norm_eval=False), images)
    assert flips(frozen) > 0.01  # there is something to gain
    assert flips(adapted) <= 0.8 * flips(frozen)
    truths = np.broadcast_to(truth, frozen.shape)
    assert miou(adapted, truths) >= miou(frozen, truths) - 1


def test_loss_is_on_the_auxiliary_output_or_the_sum(trained):
    """One step of plain SGD, by hand, at the size that the auxiliary network sees."""
    (image,), _ = static_video(1)
    x = (as_input(image)[None].float() - MEAN[0]) / STD[0]
    for loss_on in ('aux', 'sum'):
        main, aux = copy.deepcopy(trained)
        half = F.interpolate(x, scale_factor=0.5, mode='bilinear')
        added = F.interpolate(aux(half, mode='tensor'), half.shape[2:], mode='bilinear')
        kept = F.interpolate(main(x, mode='tensor'), x.shape[2:], mode='bilinear').detach()
        kept = F.interpolate(kept, half.shape[2:], mode='bilinear')
        judged = added if loss_on == 'aux' else added + kept
        F.cross_entropy(judged, (added + kept).argmax(1)).backward()
        model = adapting(trained, loss_on=loss_on, momentum=0, lr=0.5)
        play(model, [image])
        for p, q in zip(aux.parameters(), model.aux.parameters(), strict=True):
            torch.testing.assert_close(q, p - 0.5 * p.grad)


def test_learning_rate_zero_is_the_sum_of_both(trained):
    model = adapting(trained, lr=0)
    aux = state(model.aux)
    images, _ = static_video(3)
    found = play(model, images)
    assert same(aux, state(model.aux))
    main, small = trained
    for image, labels in zip(images, found, strict=True):
        x = (as_input(image)[None].float() - MEAN[0]) / STD[0]
        with torch.no_grad():
            half = F.interpolate(x, scale_factor=0.5, mode='bilinear')
            both = [
                F.interpolate(net(part, mode='tensor'), x.shape[2:], mode='bilinear')
                for net, part in ((main, x), (small, half))
            ]
        np.testing.assert_array_equal(labels, sum(both).argmax(1)[0])


def test_output_is_that_before_the_update(trained):
    images, _ = static_video(2)
    first = [play(adapting(trained, lr=lr), images)[0] for lr in (0, 0.5)]
    np.testing.assert_array_equal(*first)


def test_every_video_starts_anew(trained):
    one, other = static_video(6, seed=1)[0], static_video(6, seed=2)[0]
    fresh = play(adapting(trained), other, 'b_')
    model = adapting(trained)
    aux = state(model.aux)
    play(model, one, 'a_')
    np.testing.assert_array_equal(play(model, other, 'b_'), fresh)
    np.testing.assert_array_equal(play(model, other, 'b_'), fresh)  # the first frame again
    model.reset()
    assert same(aux, state(model.aux))
    np.testing.assert_array_equal(play(model, other, 'c_', start=7), fresh)


def test_a_crash_mid_video_loses_nothing(trained):
    model = adapting(trained)
    before = state(model)
    images, _ = static_video(8)
    fresh = play(adapting(trained), images)
    play(model, images[:4])
    forward = model.aux.decode_head.forward
    model.aux.decode_head.forward = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        play(model, images[4:], start=4)
    model.aux.decode_head.forward = forward
    assert torch.is_grad_enabled()
    model.reset()
    assert same(before, state(model))
    np.testing.assert_array_equal(play(model, images), fresh)


def test_a_batch_is_its_frames_in_turn(trained):
    images, _ = static_video(4)
    single = play(adapting(trained), images)
    model = adapting(trained)
    meta = dict.fromkeys(('ori_shape', 'img_shape'), images[0].shape[:2])
    samples = [SegDataSample(metainfo=dict(meta, img_path=f'v_{n}.png')) for n in range(4)]
    with torch.inference_mode():
        found = model.test_step(dict(inputs=list(map(as_input, images)), data_samples=samples))
    np.testing.assert_array_equal([s.pred_sem_seg.data[0].numpy() for s in found], single)
    assert not torch.is_inference_mode_enabled()


def test_update_every_third_frame(trained):
    model = adapting(trained, update_every=3)
    play(model, static_video(8)[0])
    assert model.updates == 3


def test_without_aux_a_copy_adapts(trained):
    main = copy.deepcopy(trained[0])
    model = AuxAdaptSegmentor(main, lr=0.01)
    before = state(model.main)
    play(model, static_video(3)[0])
    assert same(before, state(model.main))
    assert not same(before, state(model.aux))


def test_takes_the_checkpoint_of_the_main_network_alone(trained, tmp_path):
    main, aux = trained
    torch.save({'state_dict': aux.state_dict(), 'meta': {}}, tmp_path / 'aux.pth')
    model = AuxAdaptSegmentor(network(), network(base=4), tmp_path / 'aux.pth')
    images, _ = static_video(3)
    assert not same(main.state_dict(), state(model.main))
    result = model.load_state_dict(main.state_dict(), strict=True)
    assert not result.missing_keys
    expected = play(adapting(trained, lr=0.0001), images)
    np.testing.assert_array_equal(play(model, images), expected)
    copying = AuxAdaptSegmentor(network())
    copying.load_state_dict(main.state_dict(), strict=True)
    assert same(main.state_dict(), state(copying.aux))
    again = AuxAdaptSegmentor(network(), network(base=4))
    again.load_state_dict(model.state_dict(), strict=True)
    assert same(state(model), state(again))


def test_wrong_options_are_named(trained, tmp_path):
    main = trained[0]
    for options, text in (
        (dict(aux_scale=0), 'aux_scale'),
        (dict(loss_on='main'), 'loss_on'),
        (dict(update_every=0), 'update_every'),
        (dict(lr=-1), 'lr'),
        (dict(pattern='x'), 'pattern'),
        (dict(aux=network(std=[1.0] * 3)), 'aux: must normalise images as main does'),
    ):
        with pytest.raises(ValueError, match=text):
            AuxAdaptSegmentor(main, **options)
    with pytest.raises(TypeError, match='main: must be a segmentor'):
        AuxAdaptSegmentor(torch.nn.Identity())
    torch.save({'state_dict': main.state_dict(), 'meta': {}}, tmp_path / 'main.pth')
    with pytest.raises(ValueError, match='of another model than the config'):
        AuxAdaptSegmentor(main, network(base=4), tmp_path / 'main.pth')


def test_wrong_frames_are_named(trained):
    images, _ = static_video(3)
    model = adapting(trained)
    play(model, images)
    with pytest.raises(ValueError, match=r'video_001\.png: frames must come in order'):
        play(model, images, start=1)
    play(model, images[:2], 'other_')
    with pytest.raises(ValueError, match='one video at a time, from frame 0 on'):
        play(model, images, 'video_', start=5)
    with pytest.raises(ValueError, match='of one size'):
        play(adapting(trained), [images[0], images[1][:32]])
    with pytest.raises(ValueError, match='the 4 classes of main'):
        play(AuxAdaptSegmentor(copy.deepcopy(trained[0]), network(classes=3)), images)
    with pytest.raises(ValueError, match='diverged; lr: must be lower'):
        play(adapting(trained, lr=1e30), images)
    with pytest.raises(RuntimeError, match='train main and aux'):
        model(torch.zeros(1, 3, 8, 8), [], mode='loss')
