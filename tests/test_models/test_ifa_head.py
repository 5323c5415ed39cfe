"""IFAHead against nearest upsampling, and what a continuous function of position can do."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from mmrefine.registry import MODELS

WIDTHS = (3, 5, 6)
K = 4
SIZES = ((8, 12), (4, 6), (2, 3))
ODD = ((9, 13), (5, 7), (3, 4))


def build(**options):
    torch.manual_seed(0)
    cfg = dict(
        type='mmrefine.IFAHead',
        in_channels=WIDTHS,
        in_index=(0, 1, 2),
        channels=10,
        level_channels=7,
        mlp_channels=(12, 9),
        num_classes=K,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=dict(type='mmseg.CrossEntropyLoss'),
    )
    head = MODELS.build(cfg | options)
    for norm in head.modules():  # statistics that are not trivial
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.5, 2)
    return head.eval()


def draw(sizes=SIZES, count: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(count, c, *s, generator=generator) for c, s in zip(WIDTHS, sizes)]  # noqa: B905


def samples(size_hw, count: int = 2) -> list[SegDataSample]:
    label = torch.randint(0, K, (1, *size_hw), generator=torch.Generator().manual_seed(2))
    return [SegDataSample(gt_sem_seg=PixelData(data=label)) for _ in range(count)]


def plain(head, features: list[Tensor], size_hw: tuple[int, int]) -> Tensor:
    """The definition: every query's vector of all levels, then 1×1 convolutions."""
    vectors = []
    for level, x in enumerate(features):
        z = head.levels[level](x)
        up = F.interpolate(z, size_hw, mode='nearest-exact')
        delta = torch.empty(2, *size_hw)
        for i, j in itertools.product(*map(range, size_hw)):
            y, x_ = ((i + 0.5) * z.shape[2] / size_hw[0], (j + 0.5) * z.shape[3] / size_hw[1])
            delta[:, i, j] = torch.tensor([2 * (y % 1) - 1, 2 * (x_ % 1) - 1])
        phase = (head.encodings[level] @ delta.flatten(1)).view(-1, *size_hw)
        position = torch.cat([delta, phase.sin(), phase.cos()])
        vectors += [position.expand(len(z), -1, -1, -1), up]
    return head.conv_seg(head.mlp(torch.cat(vectors, 1)))


@torch.no_grad()
@pytest.mark.parametrize('learnable', [True, False])
@pytest.mark.parametrize('size_hw', [(8, 12), (16, 24), (32, 48)])
def test_equals_nearest_upsampling_and_1x1_convolutions(size_hw, learnable):
    head = build(learnable_encoding=learnable)
    for encoding in head.encodings:  # no longer y and x apart
        encoding += torch.randn(encoding.shape) * 0.3
    features = draw()
    torch.testing.assert_close(head(features, size_hw), plain(head, features, size_hw),
                               atol=1e-5, rtol=1e-5)  # fmt: skip
    assert head(features, size_hw).std() > 0.001


@torch.no_grad()
def test_first_queries_are_the_finest_level_and_any_size_can_be_asked_for():
    head = build()
    for sizes in (SIZES, ODD):
        features = draw(sizes)
        assert head(features).shape == (2, K, *sizes[0])
        torch.testing.assert_close(head(features), head(features, sizes[0]))
        for size in ((1, 1), (17, 5), (40, 33)):
            assert head(features, size).isfinite().all()
    assert build(query_size=(5, 11))(draw()).shape == (2, K, 5, 11)


@torch.no_grad()
def test_blocks_of_rows_change_nothing(monkeypatch):
    from mmrefine.models.decode_heads import ifa_head

    for ensemble in (False, True):
        head, features = build(ensemble=ensemble), draw(ODD)
        whole = head(features, (35, 51))
        for block in (1, 2 * 51 * 4, 2 * 51 * 35):
            monkeypatch.setattr(ifa_head, 'BLOCK', block)
            torch.testing.assert_close(head(features, (35, 51)), whole, atol=1e-6, rtol=1e-5)
        monkeypatch.undo()


@torch.no_grad()
def test_blocks_bound_what_is_held(monkeypatch):
    from mmrefine.models.decode_heads import ifa_head

    head, seen = build(), []
    monkeypatch.setattr(ifa_head, 'BLOCK', 500)
    head.mlp[1].register_forward_hook(lambda _, args, out: seen.append(args[0].shape))
    head(draw(), (64, 96))
    assert len(seen) > 10
    assert max(n * h * w for n, _, h, w in seen) <= 500


@torch.no_grad()
def test_ensemble_is_steady_across_the_borders_of_cells():
    """Queries 8 times as dense: the greatest step is an eighth; a jump would stay a jump."""
    features, shares = draw(ODD), {}
    for ensemble in (False, True):
        head = build(ensemble=ensemble)
        for encoding in head.encodings:
            encoding /= 40  # slow, so that steps are small even where queries are not dense
        steps = [
            head(features, (9, 13 * n))[:, :, 4].diff(dim=-1).abs().max().item()
            for n in (51, 8 * 51)
        ]
        shares[ensemble] = steps[1] / steps[0]
    assert shares[True] < 0.2
    assert shares[False] > 0.8


def halves(count: int = 12) -> tuple[list[Tensor], Tensor]:
    """One constant feature per cell; the label tells the left from the right half of each cell."""
    features = [torch.randn(2, c, *s) for c, s in zip(WIDTHS, SIZES)]  # noqa: B905
    label = (torch.arange(SIZES[0][1] * 4) % 4 >= 2).long()
    return features, label.expand(2, SIZES[0][0] * 4, -1)


@pytest.mark.parametrize(('with_position', 'low', 'high'), [(True, 0.95, 1), (False, 0.4, 0.6)])
def test_tells_halves_of_cells_apart_by_position_alone(monkeypatch, with_position, low, high):
    from mmrefine.models.decode_heads import ifa_head

    if not with_position:
        encode = ifa_head.encode_position
        monkeypatch.setattr(ifa_head, 'encode_position', lambda d, e: 0 * encode(d, e))
    head = build().train()
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    torch.manual_seed(0)
    for _ in range(60):
        features, label = halves()
        loss = F.cross_entropy(head(features, label.shape[1:]), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    features, label = halves()
    found = head(features, label.shape[1:]).argmax(1)
    assert low <= (found == label).float().mean() <= high


def test_bilinear_upsampling_cannot():
    head, (features, label) = build(), halves()
    logits = F.interpolate(head(features), label.shape[1:], mode='bilinear')
    assert (logits.argmax(1) == label).float().mean() < 0.7


def test_image_as_query_size_upsamples_nothing(monkeypatch):
    head = build(query_size='image')
    metas = [dict(img_shape=(33, 50), pad_shape=(35, 51))] * 2
    features = draw(ODD)
    found = head.predict(features, metas, {})
    assert torch.equal(found, head(features, (35, 51)))
    window = [dict(img_shape=torch.Size((20, 30)))] * 2
    assert torch.equal(head.predict(features, window, {}), head(features, (20, 30)))
    head.train()
    losses = head.loss(features, samples((35, 51)), {})
    expected = F.cross_entropy(
        head(features, (35, 51)), samples((35, 51))[0].gt_sem_seg.data.expand(2, -1, -1)
    )
    torch.testing.assert_close(losses['loss_ce'], expected)


def test_as_released_answers_are_upsampled():
    head = build()
    features = draw(ODD)
    found = head.predict(features, [dict(img_shape=(35, 51))] * 2, {})
    expected = F.interpolate(head(features), (35, 51), mode='bilinear')
    torch.testing.assert_close(found, expected)
    assert head.loss(features, samples((35, 51)), {})['loss_ce'] > 0


@pytest.mark.parametrize(
    'options',
    [dict(), dict(ensemble=True), dict(aspp_dilations=(2, 3)), dict(query_size='image')],
    ids=str,
)
def test_trains_one_image_and_every_weight(options):
    head = build(norm_cfg=None, **options).train()
    losses = head.loss(draw(ODD, count=1), samples((35, 51), count=1), {})
    losses['loss_ce'].backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name
    assert build(**options)(draw(ODD, count=1)).shape == (1, K, 9, 13)


def test_fixed_frequencies_stay():
    head = build(learnable_encoding=False)
    assert not any(e.requires_grad for e in head.encodings)
    expected = 2 ** torch.linspace(0, 6, 6)
    assert torch.equal(head.encodings[0][:6], torch.stack([expected, torch.zeros(6)], 1))
    assert torch.equal(head.encodings[2][6:], torch.stack([torch.zeros(6), expected], 1))


def test_weights_are_the_released_heads():
    """Names and numbers of the released decoder: convolutions of the MLP, levels, encodings."""
    head = MODELS.build(
        dict(
            type='mmrefine.IFAHead',
            in_channels=(256, 512, 1024, 2048),
            in_index=(0, 1, 2, 3),
            num_classes=19,
            norm_cfg=dict(type='BN'),
        )
    )
    assert head.mlp[0].conv.weight.shape[:2] == (512, 1128)
    # The released convolutions before a norm have a bias, which the norm takes away.
    biases = 4 * 256 + 512 + 256 + 256
    assert sum(p.numel() for p in head.parameters()) + biases == 1_768_307


def test_mixed_precision():
    head = build()
    features = draw(ODD)
    with torch.autocast('cpu', torch.bfloat16):
        found = head(features, (35, 51))
    torch.testing.assert_close(found.float(), head(features, (35, 51)), atol=0.05, rtol=0.1)


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(in_index=(0, 1)), r'in_index: expected as many levels as in_channels has, 3, got 2'),
        (dict(in_index=2, in_channels=6), 'in_channels, in_index: expected one number for each'),
        (dict(query_size=0), "query_size: expected rows and columns, 'image' or None .* got 0"),
        (dict(query_size=(0, 5)), r'query_size: expected .* got \(0, 5\)'),
        (dict(query_size='full'), "query_size: expected .* got 'full'"),
        (dict(mlp_channels=()), r'mlp_channels: expected one positive width or more, got \(\)'),
        (dict(level_channels=0), 'level_channels must be at least 1, got 0'),
        (dict(num_frequencies=0), 'num_frequencies must be at least 1, got 0'),
    ],
)
def test_wrong_options_are_told_when_it_is_built(options, text):
    with pytest.raises(ValueError, match=text):
        build(**options)


def test_too_few_levels():
    with pytest.raises(ValueError, match=r'in_index: \(0, 1, 2\) asks for output 2, the backbone'):
        build()(draw()[:2])


@pytest.mark.parametrize('wrong', [K, -1])
def test_labels_that_are_no_classes_are_told_at_the_first_batch(wrong):
    head, batch = build(), samples((35, 51))
    batch[0].gt_sem_seg.data[0, 3, 4] = 255
    assert head.loss(draw(ODD), batch, {})['loss_ce'] > 0
    batch[1].gt_sem_seg.data[0, 30, 4] = wrong
    text = rf'label: expected 0 to {K - 1} or 255 \(ignored\), got {wrong}; num_classes'
    with pytest.raises(ValueError, match=text):
        head.loss(draw(ODD), batch, {})
