"""InverseFormLoss: what the released code fails, the definition, and what it must leave alone."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from mmrefine.models.inverse_nets import load_inverse_net
from mmrefine.models.losses import BoundaryCrossEntropyLoss, InverseFormLoss
from mmrefine.models.losses.boundary_cross_entropy import boundary_target
from mmrefine.ops import draw_label_map
from mmrefine.registry import MODELS

C = 4
SIZE = (40, 75)  # 2 × 3 tiles of 32 that overlap
BOTH = pytest.mark.parametrize('boundary', ['head', 'classes'])


def draw(boundary: str = 'classes', size_hw=SIZE, count: int = 2) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(1)
    label = torch.from_numpy(np.stack([draw_label_map(size_hw, C, rng) for _ in range(count)]))
    label[0, :10, :15] = 255
    channels = 1 if boundary == 'head' else C
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, channels, *size_hw, generator=generator), label


def disc(centre_yx, size_hw=(64, 64), radius: int = 16) -> Tensor:
    """Label map (1, H, W) of a disc."""
    rows, columns = torch.meshgrid(*map(torch.arange, size_hw), indexing='ij')
    inside = (rows - centre_yx[0]) ** 2 + (columns - centre_yx[1]) ** 2 < radius**2
    return inside.long()[None]


def boundary_logits(label: Tensor, certainty: float = 6) -> Tensor:
    """What a boundary head says that is sure of the boundaries of ``label``, (1, 1, H, W)."""
    target, _ = boundary_target(label, 2)
    return (certainty * (2 * target - 1))[:, None]


def class_logits(label: Tensor, certainty: float = 8) -> Tensor:
    return certainty * F.one_hot(label, C).permute(0, 3, 1, 2).float()


@BOTH
@pytest.mark.parametrize('distance', ['euclidean', 'geodesic'])
def test_further_off_costs_more(boundary, distance):
    """d(b, b) < d(b, shift 2) < d(b, shift 6), in every direction."""
    loss = InverseFormLoss(boundary=boundary, distance=distance)
    label = disc((32, 32))
    logits = {'head': boundary_logits, 'classes': class_logits}[boundary]
    for y, x in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        at = [loss(logits(disc((32 + y * k, 32 + x * k))), label).item() for k in (0, 2, 6)]
        assert at[0] < at[1] < at[2]


def half(column: int) -> Tensor:
    """Label map (1, 32, 32) whose labels meet before a column."""
    label = torch.zeros(1, 32, 32, dtype=torch.int64)
    label[..., column:] = 1
    return label


def test_cross_entropy_cannot_tell_shifts_apart_that_do_not_overlap():
    label = half(16)
    for side in (-1, 1):
        near, far = (boundary_logits(half(16 + side * k)) for k in (4, 7))
        crossing = [BoundaryCrossEntropyLoss()(logits, label).item() for logits in (near, far)]
        assert crossing[0] == pytest.approx(crossing[1], rel=0.05)
        sizes = [InverseFormLoss()(logits, label).item() for logits in (near, far)]
        assert sizes[1] > 1.2 * sizes[0]


def centre(logits: Tensor) -> Tensor:
    """Centre (y, x) of what is likely to be boundary."""
    weight = (logits[0, 0].detach().sigmoid() - 0.2).clamp(min=0)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing='ij')
    return torch.stack([(rows * weight).sum(), (columns * weight).sum()]) / weight.sum()


def test_gradient_points_the_right_way():
    """Boundary where the truth has it goes up, where the shifted prediction has it down."""
    loss = InverseFormLoss()
    for y, x in ((0, 6), (-6, 0), (4, -4)):
        label, shifted = disc((32, 32)), disc((32 + y, 32 + x))
        logits = boundary_logits(shifted, certainty=2).requires_grad_()
        loss(logits, label).backward()
        assert logits.grad.abs().sum() > 0
        true, predicted = (boundary_target(m, 2)[0] > 0 for m in (label, shifted))
        gradient = logits.grad[:, 0]
        assert gradient[true & ~predicted].mean() < gradient[predicted & ~true].mean()


def test_optimising_logits_alone_moves_a_shifted_contour_back():
    loss = InverseFormLoss()
    for y, x in ((0, 6), (-6, 0)):
        logits = boundary_logits(disc((32 + y, 32 + x)), certainty=2)
        label = disc((32, 32))
        before, start = centre(logits), loss(logits, label).item()
        for _ in range(40):
            logits = logits.detach().requires_grad_()
            loss(logits, label).backward()
            logits = logits - 0.5 * logits.grad / logits.grad.abs().max()
        after = centre(logits)
        truth = centre(boundary_logits(label))
        assert loss(logits, label).item() < 0.6 * start
        assert (after - truth).norm() < 0.8 * (before - truth).norm()


@pytest.mark.parametrize('calibrated', [True, False])
@pytest.mark.parametrize('tile_grid', [None, (1, 2)])
@BOTH
def test_definition(boundary, tile_grid, calibrated):
    """Tile by tile, by the network's own modules."""
    logits, label = draw(boundary)
    network = load_inverse_net('drawn')
    target, ignored = boundary_target(label, 2)
    if boundary == 'head':
        prediction = logits[:, 0].sigmoid()
    else:
        least = -F.max_pool2d(
            -logits.softmax(1).masked_fill(ignored[:, None], 1), 3, stride=1, padding=1
        )
        edges = (1 - least.sum(1)).masked_fill(ignored, 0)
        prediction = F.max_pool2d(edges[:, None], 3, stride=1, padding=1)[:, 0]
    maps = torch.stack([prediction.masked_fill(ignored, 0), target], 1)
    starts = [(0, 8), (0, 22, 43)]
    if tile_grid:
        maps = F.interpolate(maps, (32, 64), mode='bilinear')
        starts = [(0,), (0, 32)]
    sizes = []
    for one in maps:
        for y in starts[0]:
            for x in starts[1]:
                tile = one[:, y : y + 32, x : x + 32]
                if tile[1].any():
                    nothing = network(tile[None, [1, 1]])[0] if calibrated else 0
                    sizes.append((network(tile[None])[0] - nothing).norm())
    loss = InverseFormLoss(
        boundary=boundary, tile_grid=tile_grid, loss_weight=3, calibrated=calibrated
    )
    torch.testing.assert_close(loss(logits, label), 3 * torch.stack(sizes).mean())


@BOTH
def test_ignored_pixels_count_nowhere(boundary):
    loss = InverseFormLoss(boundary=boundary)
    logits, label = draw(boundary)
    logits.requires_grad_()
    value = loss(logits, label)
    value.backward()
    ignored = label == 255
    assert (logits.grad.abs().sum(1)[ignored] == 0).all()
    assert (logits.grad.abs().sum(1)[~ignored] > 0).any()
    changed = torch.where(ignored[:, None], torch.randn(logits.shape), logits.detach())
    torch.testing.assert_close(loss(changed, label), value.detach())
    other = label.masked_fill(ignored, -1)
    assert loss(logits, other, ignore_index=-1) == value
    assert InverseFormLoss(boundary=boundary, ignore_index=-1)(logits, other) == value


@BOTH
def test_empty_tiles_are_left_out(boundary):
    """Beside a tile with a boundary, two without: nothing is predicted there and nothing lost."""
    label = torch.zeros(1, 32, 96, dtype=torch.int64)
    label[:, 5:20, 5:15] = 1
    logits = draw(boundary, (32, 96), count=1)[0]
    loss = InverseFormLoss(boundary=boundary)
    changed = logits.clone()
    changed[..., 36:] = 3.0
    assert loss(logits, label) == loss(changed, label)
    if boundary == 'head':
        alone = loss(logits[..., :32], label[..., :32])
        torch.testing.assert_close(loss(logits, label), alone)


@BOTH
@pytest.mark.parametrize('value', [0, 255])
def test_nothing_to_move(boundary, value):
    logits, label = draw(boundary)
    logits.requires_grad_()
    for distance in ('euclidean', 'geodesic'):
        loss = InverseFormLoss(boundary=boundary, distance=distance)
        found = loss(logits, torch.full_like(label, value))
        (gradient,) = torch.autograd.grad(found, logits)
        assert found == 0
        assert (gradient == 0).all()


@BOTH
def test_single_precision_under_mixed_precision(boundary):
    logits, label = draw(boundary)
    loss = InverseFormLoss(boundary=boundary)
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(logits.bfloat16(), label)
    assert found.dtype == torch.float32
    assert found == loss(logits.bfloat16().float(), label)


def head(**options) -> dict:
    return dict(
        type='mmrefine.DeepLabV2Head',  # draws all convolutions below it anew when initialised
        in_channels=3,
        channels=3,
        dilations=(1,),
        num_classes=C,
        **options,
    )


def test_network_is_no_part_of_the_model():
    cross_entropy = dict(type='mmseg.CrossEntropyLoss')
    inverse = dict(type='mmrefine.InverseFormLoss', boundary='classes')
    model = MODELS.build(head(loss_decode=[cross_entropy, inverse]))
    plain = MODELS.build(head(loss_decode=cross_entropy))
    loss = model.loss_decode[1]
    before = [b.clone() for b in loss.buffers()]
    assert len(before) == 6
    model.init_weights()
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in plain.named_parameters()]
    wrapper = build_optim_wrapper(
        model, dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0, weight_decay=0.5))
    )
    label = torch.zeros(1, 64, 70, dtype=torch.int64)
    label[..., 30:] = 1
    wrapper.update_params(loss(model([torch.randn(1, 3, 64, 70)]), label))
    assert all(map(torch.equal, before, loss.buffers()))
    assert not any(b.requires_grad for b in loss.buffers())
    assert torch.equal(loss.weight0, load_inverse_net('drawn').fc[0].weight)
    model.load_state_dict(plain.state_dict())
    assert {b.device.type for b in copy.deepcopy(loss).to('meta').buffers()} == {'meta'}


def segmentor(**options) -> torch.nn.Module:
    torch.manual_seed(0)
    norm = dict(type='BN')
    stage = dict(num_modules=1, block='BASIC')
    backbone = dict(
        type='mmseg.HRNet',
        norm_cfg=norm,
        extra=dict(
            stage1=dict(
                num_modules=1,
                num_branches=1,
                block='BOTTLENECK',
                num_blocks=(1,),
                num_channels=(4,),
            ),
            stage2=dict(stage, num_branches=2, num_blocks=(1, 1), num_channels=(4, 4)),
            stage3=dict(stage, num_branches=3, num_blocks=(1,) * 3, num_channels=(4,) * 3),
            stage4=dict(stage, num_branches=4, num_blocks=(1,) * 4, num_channels=(4,) * 4),
        ),
    )
    inputs = dict(
        in_channels=(4,) * 4, in_index=(0, 1, 2, 3), input_transform='resize_concat', channels=16
    )
    decode_head = dict(
        inputs, type='mmseg.FCNHead', num_convs=1, kernel_size=1, num_classes=C, norm_cfg=norm
    )
    losses = dict(options)
    if losses.pop('on_classes', False):
        decode_head['loss_decode'] = [
            dict(type='mmseg.CrossEntropyLoss'),
            dict(type='mmrefine.InverseFormLoss', boundary='classes'),
        ]
    if losses.pop('with_head', False):
        losses['auxiliary_head'] = dict(inputs, type='mmrefine.BoundaryHead', norm_cfg=norm)
    return MODELS.build(
        ConfigDict(
            type='mmseg.EncoderDecoder',
            backbone=backbone,
            decode_head=decode_head,
            train_cfg=dict(),
            test_cfg=dict(mode='whole'),
            **losses,
        )
    )


def sample(label: Tensor) -> SegDataSample:
    metas = dict(img_shape=label.shape[1:], ori_shape=label.shape[1:], pad_shape=label.shape[1:])
    return SegDataSample(gt_sem_seg=PixelData(data=label), metainfo=metas)


def test_prediction_is_the_same_bit_for_bit():
    plain = segmentor().eval()
    image = torch.randn(1, 3, *SIZE)
    expected = plain(image, [sample(draw(count=1)[1])], mode='predict')[0].seg_logits.data
    for options in (dict(on_classes=True), dict(with_head=True)):
        model = segmentor(**options).eval()
        left = model.load_state_dict(plain.state_dict(), strict=False)
        assert not left.unexpected_keys
        assert all(name.startswith('auxiliary_head') for name in left.missing_keys)
        found = model(image, [sample(draw(count=1)[1])], mode='predict')[0].seg_logits.data
        assert torch.equal(found, expected)


@pytest.mark.parametrize('value', [None, 255])
def test_boundary_head_trains_beside_the_decode_head(value):
    """Every weight gets a gradient, whatever the batch holds, as data-parallel training wants."""
    model = segmentor(with_head=True, on_classes=True).train()
    label = draw()[1]
    label = label if value is None else torch.full_like(label, value)
    losses = model.loss(torch.randn(2, 3, *SIZE), [sample(one[None]) for one in label])
    assert set(losses) == {
        'decode.loss_ce', 'decode.loss_inverseform', 'decode.acc_seg',
        'aux.loss_boundary', 'aux.loss_inverseform',
    }  # fmt: skip
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
    boundary = model.auxiliary_head.conv_seg.weight.grad
    assert boundary.isfinite().all()
    assert boundary.any() == (value is None)


def test_boundary_head_is_the_released_one():
    with_hidden = MODELS.build(
        dict(
            type='mmrefine.BoundaryHead',
            in_channels=30,
            channels=30,
            in_index=0,
            norm_cfg=dict(type='BN'),
        )
    )
    assert with_hidden.convs[0].conv.weight.shape == (30, 30, 1, 1)
    assert with_hidden.conv_seg.weight.shape == (1, 30, 1, 1)
    weights = [loss.loss_weight for loss in with_hidden.loss_decode]
    assert weights == [0.3, 0.3]
    alone = MODELS.build(
        dict(type='mmrefine.BoundaryHead', in_channels=30, channels=30, in_index=0, num_convs=0)
    )
    assert sum(p.numel() for p in alone.parameters()) == 31


def test_warm_up_follows_the_runner():
    logits, label = draw()
    full = InverseFormLoss(boundary='classes')(logits, label)
    loss = InverseFormLoss(boundary='classes', warmup_iters=4)
    hub = MessageHub.get_instance('inverseform')
    for done, share in ((0, 0.25), (1, 0.5), (3, 1), (1000, 1)):
        hub.update_info('iter', done)
        torch.testing.assert_close(loss(logits, label), share * full)
    MessageHub.get_instance('another')  # no runner
    assert loss(logits, label) == full


def test_binary_head():
    logits, label = torch.randn(1, 1, 64, 70), torch.randint(0, 2, (1, 64, 70))
    loss = InverseFormLoss(boundary='classes')
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(loss(logits, label), loss(two, label))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(boundary='edges'), r"boundary must be one of \('head', 'classes'\), got 'edges'"),
        (dict(distance='l1'), r"distance must be one of .*'geodesic'\), got 'l1'"),
        (dict(tile_grid=(3, 0)), r'tile_grid: expected two positive numbers, got \(3, 0\)'),
        (dict(loss_weight=-1), 'loss_weight must be >= 0, got -1'),
        (dict(loss_weight=float('nan')), 'loss_weight must be >= 0, got nan'),
        (dict(warmup_iters=-5), 'warmup_iters must be >= 0, got -5'),
        (dict(inverse_net='none.pth'), "inverse_net: expected 'drawn' or a published checkpoint"),
    ],
)
def test_wrong_options_are_told_when_it_is_built(options, text):
    with pytest.raises(ValueError, match=text):
        MODELS.build(dict(type='mmrefine.InverseFormLoss', **options))


def test_wrong_input():
    logits, label = draw('head')
    loss = InverseFormLoss()
    with pytest.raises(ValueError, match=r'InverseFormLoss is for a head of one channel, such as'):
        loss(logits.repeat(1, 3, 1, 1), label)
    with pytest.raises(ValueError, match=r'label: expected shape \(2, 40, 75\)'):
        loss(logits, label[:, 1:])
    with pytest.raises(TypeError, match=r'label: expected .* integer dtype, got torch\.float32'):
        loss(logits, label.float())
    with pytest.raises(ValueError, match='pixel sampler does not go with InverseFormLoss'):
        loss(logits, label, weight=torch.ones(label.shape))
    with pytest.raises(ValueError, match='inverse_net: its tiles of 32×32 are larger than the ima'):
        loss(logits[:, :, :30], label[:, :30])
    assert InverseFormLoss(tile_grid=(1, 1))(logits[:, :, :30], label[:, :30]) > 0


@pytest.mark.parametrize('wrong', [C, -1])
def test_labels_beyond_the_classes_are_told_at_the_first_batch(wrong):
    logits, label = draw('classes')
    loss = InverseFormLoss(boundary='classes')
    label[0, 3, 4] = 255
    assert loss(logits, label) > 0
    label[1, 2, 7] = wrong
    text = f'label: expected 0 to {logits.shape[1] - 1} or 255 .ignored., got {wrong}; num_classes'
    with pytest.raises(ValueError, match=text):
        loss(logits, label)
