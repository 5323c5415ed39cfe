"""Training for consistency: the loss, pairs of frames, and a segmentor that takes them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from moving_scene import write_videos

from mmrefine.datasets import VideoPairDataset
from mmrefine.measures import perceptual_consistency
from mmrefine.models.losses import PerceptualConsistencyLoss
from mmrefine.registry import MODELS

GRID = (5, 8)


def drawn(seed, classes=3, channels=10):
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.rand(2, channels, *GRID, generator=generator), dim=1)
    return torch.randn(2, classes, *GRID, generator=generator), features


def test_of_sure_predictions_it_is_one_minus_the_measure():
    """The mean of both directions, where the measure takes the smaller."""
    (a, fa), (b, fb) = drawn(0), drawn(1)
    loss = PerceptualConsistencyLoss()((1000 * a, 1000 * b), (fa, fb))
    expected = []
    for n in range(2):
        counts = perceptual_consistency((fa[n], fb[n]), (a[n].argmax(0), b[n].argmax(0)))
        expected += [1 - counts.forward[0], 1 - counts.backward[0]]
    assert float(loss) == pytest.approx(np.mean(expected), abs=1e-4)


def test_same_frames_lose_nothing_and_weights_scale():
    logits, features = drawn(0)
    sure = 1000 * logits
    assert float(PerceptualConsistencyLoss()((sure, sure), (features, features))) < 1e-4
    other = drawn(1)[0]
    single, double = (
        PerceptualConsistencyLoss(weight)((logits, other), (features, features))
        for weight in (1, 2)
    )
    assert float(double) == pytest.approx(2 * float(single))
    chunked = PerceptualConsistencyLoss(chunk=3)((logits, other), (features, features))
    assert float(chunked) == pytest.approx(float(single), abs=1e-6)


def test_mixed_precision_loses_no_digits():
    """In bfloat16, best and mean matches are too close to be told apart."""
    (a, fa), (b, fb) = drawn(0), drawn(1)
    expected = PerceptualConsistencyLoss()((a, b), (fa, fb))
    with torch.autocast('cpu', torch.bfloat16):
        found = PerceptualConsistencyLoss()((a, b), (fa, fb))
    assert found.dtype == torch.float32
    assert float(found) == float(expected)


def test_gradient_reaches_both_logits_and_not_the_features():
    (a, fa), (b, fb) = drawn(0), drawn(1)
    parts = [part.clone().requires_grad_() for part in (a, b, fa, fb)]
    loss = PerceptualConsistencyLoss()((parts[0], parts[1]), (parts[2], parts[3]))
    loss.backward()
    assert parts[0].grad.abs().sum() > 0
    assert parts[1].grad.abs().sum() > 0
    assert parts[2].grad is None
    assert parts[3].grad is None


def test_descent_makes_predictions_consistent():
    (a, f), (b, _) = drawn(0), drawn(1)
    a, b = a.requires_grad_(), b.requires_grad_()
    optimizer = torch.optim.Adam([a, b], 0.1)
    losses = []
    for _ in range(40):
        losses.append(PerceptualConsistencyLoss()((a, b), (f, f)))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.3 * losses[0]


@pytest.fixture
def dataset(tmp_path):
    write_videos(tmp_path, {'a': 3, 'b': 5, 'c': 1}, 'train')
    return dict(
        type='mmseg.BaseSegDataset',
        metainfo=dict(classes=('w', 'x', 'y', 'z')),
        data_root=str(tmp_path),
        img_suffix='.png',
        seg_map_suffix='.png',
        data_prefix=dict(img_path='img_dir/train', seg_map_path='ann_dir/train'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='mmseg.LoadAnnotations'),
            dict(type='mmseg.RandomCrop', crop_size=(32, 40)),
            dict(type='mmseg.RandomFlip', prob=0.5),
            dict(type='mmseg.PackSegInputs'),
        ],
    )


def names(item):
    return [sample.metainfo['img_path'].split('/')[-1] for sample in item['data_samples']]


@pytest.mark.parametrize(('gap', 'number'), [(1, 8), (2, 7)])
def test_pairs_stay_within_a_video_and_are_cut_alike(dataset, gap, number):
    init_default_scope('mmseg')
    pairs = VideoPairDataset(ConfigDict(dataset), gap)
    assert len(pairs) == number
    assert pairs.metainfo['classes'] == ('w', 'x', 'y', 'z')
    flips = set()
    for index in range(number):
        item = pairs[index]
        (video, first), (other, second) = (name[:-4].split('_') for name in names(item))
        assert video == other
        assert abs(int(second) - int(first)) == gap
        known = [sample.metainfo.get('flip', False) for sample in item['data_samples']]
        assert known[0] == known[1]
        flips.add(known[0])
        # The scene moves left by 2 pixels a frame; the same crop shows it.
        a, b = (sample.gt_sem_seg.data[0] for sample in item['data_samples'])
        by = 2 * (int(second) - int(first)) * (-1 if known[0] else 1)
        a, b = (a, b) if by > 0 else (b, a)
        by = abs(by)
        seen = (a[:, by:] != 255) & (b[:, :-by] != 255)
        assert (a[:, by:] == b[:, :-by])[seen].all()
    assert flips == {True, False}


def test_no_pairs_at_all(dataset):
    init_default_scope('mmseg')
    with pytest.raises(ValueError, match='more than 9 frames'):
        VideoPairDataset(ConfigDict(dataset), 9)
    with pytest.raises(ValueError, match='gap'):
        VideoPairDataset(ConfigDict(dataset), 0)


def test_a_step_of_training(dataset):
    init_default_scope('mmseg')
    model = MODELS.build(
        ConfigDict(
            type='mmrefine.VideoPairSegmentor',
            data_preprocessor=dict(
                type='mmrefine.PairDataPreProcessor',
                mean=[123.675, 116.28, 103.53],
                std=[58.395, 57.12, 57.375],
                bgr_to_rgb=True,
                size=(32, 40),
            ),
            backbone=dict(
                type='mmseg.ResNetV1c', depth=18, base_channels=4, norm_cfg=dict(type='BN')
            ),
            decode_head=dict(
                type='mmseg.FCNHead', in_channels=4, in_index=0, channels=4, num_convs=1,
                num_classes=4, norm_cfg=dict(type='BN'), dropout_ratio=0,
            ),
            auxiliary_head=dict(
                type='mmseg.FCNHead', in_channels=4, in_index=0, channels=4, num_convs=0,
                concat_input=False, num_classes=4, dropout_ratio=0,
            ),
        )
    )  # fmt: skip
    loader = Runner.build_dataloader(
        dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True),
            dataset=dict(type='mmrefine.VideoPairDataset', dataset=dataset),
        ),
        seed=0,
    )
    model.train()
    data = model.data_preprocessor(next(iter(loader)), True)
    videos = [sample.metainfo['img_path'][-10] for sample in data['data_samples']]
    assert data['inputs'].shape == (4, 3, 32, 40)
    assert videos[:2] == videos[2:]
    losses = model(**data, mode='loss')
    assert losses['loss_consistency'] > 0
    seen = [v for k, v in model.backbone.state_dict().items() if 'batches_tracked' in k]
    assert set(map(int, seen)) == {1}
    usual = super(type(model), model).loss(**data)
    assert {'decode.loss_ce', 'aux.loss_ce'} < set(usual)
    assert all(torch.equal(value, losses[name]) for name, value in usual.items())
    losses['loss_consistency'].backward()
    assert model.decode_head.conv_seg.weight.grad.abs().sum() > 0
    assert not any('features' in name for name in model.state_dict())
