"""SEMEDALoss against the definition, and what it must leave alone."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from torch import Tensor, nn

from mmrefine.models.edge_nets import load_edge_net
from mmrefine.models.losses import EdgeCrossEntropyLoss, SEMEDALoss
from mmrefine.models.losses.semeda_loss import DRAWN_SIZE
from mmrefine.ops import draw_label_map
from mmrefine.registry import MODELS

C = 11
BOTH = pytest.mark.parametrize('kind', [SEMEDALoss, EdgeCrossEntropyLoss])


def embeddings(probabilities: Tensor, before_relu: bool = True) -> list[Tensor]:
    """Embeddings (N, c, H, W) of the shipped network, by its own modules."""
    network = load_edge_net(C)
    features, found = F.pad(probabilities, (3,) * 4, mode='replicate'), []
    for k, conv in enumerate(network.convs):
        before = conv(features)
        features = before.softmax(1) if k == 2 else before.relu()
        margin = 2 - k
        size = [n - 2 * margin for n in before.shape[2:]]
        value = before if before_relu else features
        found.append(value[..., margin : margin + size[0], margin : margin + size[1]])
    return found


def draw(size_hw=(9, 13), ignored: bool = True, count: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(count, C, *size_hw, generator=generator) * 3
    label = torch.randint(0, C, (count, *size_hw), generator=generator)
    if ignored:
        label[0, 2, 3] = 255
        label[1, :, -1] = 255
    return logits, label


def one_hot(label: Tensor) -> Tensor:
    known = label.masked_fill(label == 255, 0)
    return F.one_hot(known, C).permute(0, 3, 1, 2).float()


def near(label: Tensor, radius: int) -> Tensor:
    """Pixels with an ignored one at most ``radius`` rows and columns away, one by one."""
    found = torch.zeros_like(label, dtype=torch.bool)
    for n, y, x in (label == 255).nonzero().tolist():
        found[n, max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1] = True
    return found


@pytest.mark.parametrize('norm', ['l1', 'l2'])
@pytest.mark.parametrize('before_relu', [True, False])
@pytest.mark.parametrize('weights', [(0, 1, 0), (1, 0.5, 0.25), (2, 0, 0), (0, 0, 1)])
def test_definition(weights, before_relu, norm):
    logits, label = draw()
    loss = SEMEDALoss(C, weights, before_relu, norm, loss_weight=3)
    expected = 0.0
    pairs = zip(
        embeddings(logits.softmax(1), before_relu),
        embeddings(one_hot(label), before_relu),
        strict=True,
    )
    for k, (prediction, truth) in enumerate(pairs):
        if weights[k]:
            difference = prediction - truth
            distance = (difference.abs() if norm == 'l1' else difference**2).sum(1)
            counts = ~near(label, k + 1)
            expected += 3 * weights[k] * distance[counts].mean() / loss.units[k]
    torch.testing.assert_close(loss(logits, label), torch.as_tensor(expected))


@pytest.mark.parametrize('weights', [(0, 1, 0), (1, 0.5, 0.25)])
def test_zero_for_the_truth_and_one_unit_a_layer_for_knowing_nothing(weights):
    rng = np.random.default_rng(7)
    label = torch.from_numpy(np.stack([draw_label_map((48, 72), C, rng) for _ in range(6)]))
    loss = SEMEDALoss(C, weights)
    assert loss(one_hot(label) * 100, label).item() == pytest.approx(0, abs=1e-4)
    nothing = loss(torch.zeros(6, C, 48, 72), label).item()
    assert 0.6 * sum(weights) < nothing < 1.6 * sum(weights)


@pytest.mark.parametrize('classes', [11, 19, 21, 150])
def test_embeddings_are_about_edges(classes):
    """A region of another class costs little inside, where neither map has an edge."""
    loss = SEMEDALoss(classes)
    truth = torch.zeros(1, 24, 40, dtype=torch.int64)
    for other in (1, 5, classes - 1):
        prediction = torch.full_like(truth, other)
        logits = 100 * F.one_hot(prediction, classes).permute(0, 3, 1, 2).float()
        assert loss(logits, truth).item() < 0.9
        edge = truth.clone()
        edge[:, :, 20:] = other
        displaced = truth.clone()
        displaced[:, :, 21:] = other
        logits = 100 * F.one_hot(displaced, classes).permute(0, 3, 1, 2).float()
        assert 40 * loss(logits, edge).item() > 5  # summed over a row


def calm_tile() -> tuple[Tensor, Tensor]:
    """A tile whose outer 3 pixels are one class, so that tiles join without new edges."""
    label = torch.zeros(1, 14, 20, dtype=torch.int64)
    label[0, 4:9, 5:12] = 3
    label[0, 6, 13:16] = 255
    logits = one_hot(label) * 4
    logits[:, :, 5:8, 6:9] += torch.randn(1, C, 3, 3, generator=torch.Generator().manual_seed(0))
    return logits, label


@pytest.mark.parametrize('weights', [(0, 1, 0), (1, 0.5, 0.25)])
def test_weight_means_the_same_at_any_crop_and_batch_size(weights):
    loss = SEMEDALoss(C, weights)
    logits, label = calm_tile()
    value = loss(logits, label)
    assert value > 0.01
    torch.testing.assert_close(loss(logits.tile(1, 1, 2, 3), label.tile(1, 2, 3)), value)
    torch.testing.assert_close(loss(logits.tile(3, 1, 1, 1), label.tile(3, 1, 1)), value)


@BOTH
def test_ignored_pixels_and_all_they_reach_count_nowhere(kind):
    loss = kind(C)
    logits, label = draw(size_hw=(12, 17))
    label[:, 3:11, 5:15] = 3  # so that there is more than edges
    logits.requires_grad_()
    value = loss(logits, label)
    value.backward()
    assert (logits.grad.abs().sum(1)[label == 255] == 0).all()
    assert (logits.grad.abs().sum(1)[~near(label, 6)] > 0).any()
    changed = torch.where((label == 255)[:, None], torch.randn(2, C, 12, 17), logits)
    torch.testing.assert_close(loss(changed, label), value)


def test_ignored_labels_in_reach_do_not_change_the_rest():
    """What an ignored pixel carries in the truth plays no part: here -1 in place of 255."""
    logits, label = draw(size_hw=(12, 17))
    loss = SEMEDALoss(C)
    other = label.masked_fill(label == 255, -1)
    assert loss(logits, other, ignore_index=-1) == loss(logits, label)
    assert SEMEDALoss(C, ignore_index=-1)(logits, other) == loss(logits, label)


@BOTH
def test_nothing_labelled(kind):
    logits = torch.randn(1, C, 5, 8, requires_grad=True)
    value = kind(C)(logits, torch.full((1, 5, 8), 255))
    value.backward()
    assert value == 0
    assert (logits.grad == 0).all()


@BOTH
def test_better_predictions_cost_less(kind):
    label = torch.zeros(1, 20, 30, dtype=torch.int64)
    label[:, 5:15, 8:22] = 4
    shifted = label.roll((2, 3), (1, 2))
    loss = kind(C)
    right, wrong = (loss(one_hot(x) * 10, label).item() for x in (label, shifted))
    assert right < 0.2 * wrong


@BOTH
def test_gradient_leads_to_the_truth(kind):
    """The loss of a prediction that is blurred at the boundary falls along its gradient.

    SEMEDA alone makes it sharper there, on both sides. Edges alone do not tell which side is which.
    """
    label = torch.zeros(1, 12, 16, dtype=torch.int64)
    label[:, :, 8:] = 4
    blurred = F.avg_pool2d(one_hot(label), (1, 5), 1, (0, 2), count_include_pad=False)
    logits = (blurred + 0.02).log()
    loss = kind(C)
    first = loss(logits, label).item()
    start = logits.softmax(1).gather(1, label[:, None])[..., 6:10].mean()
    for _ in range(30):
        logits = logits.detach().requires_grad_()
        loss(logits, label).backward()
        logits = logits - logits.grad / (2 * logits.grad.abs().max())
    assert loss(logits, label).item() < 0.5 * first
    if kind is SEMEDALoss:
        assert logits.softmax(1).gather(1, label[:, None])[..., 6:10].mean() > start + 0.1


def head(loss: dict) -> dict:
    return dict(
        type='mmrefine.DeepLabV2Head',  # draws all convolutions below it anew when initialised
        in_channels=3,
        channels=3,
        dilations=(1,),
        num_classes=C,
        loss_decode=[dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True), loss],
    )


@BOTH
def test_network_is_no_part_of_the_model(kind):
    model = MODELS.build(head(dict(type=f'mmrefine.{kind.__name__}', edge_net=C)))
    plain = MODELS.build(head(dict(type='mmseg.DiceLoss')))
    loss = model.loss_decode[1]
    before = [loss.kernel0.clone(), loss.kernel1.clone(), loss.bias2.clone()]
    model.init_weights()
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in plain.named_parameters()]
    wrapper = build_optim_wrapper(
        model, dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0, weight_decay=0.5))
    )
    logits = model([torch.randn(1, 3, 9, 12)])
    wrapper.update_params(loss(logits, torch.zeros(1, 9, 12, dtype=torch.int64)))
    after = [loss.kernel0, loss.kernel1, loss.bias2]
    assert all(map(torch.equal, before, after))
    assert torch.equal(loss.kernel0, load_edge_net(C).convs[0].weight)
    model.load_state_dict(plain.state_dict())


@BOTH
def test_moves_and_copies(kind):
    loss = kind(C)
    assert {b.device.type for b in copy.deepcopy(loss).to('meta').buffers()} == {'meta'}
    logits, label = draw()
    assert copy.deepcopy(loss)(logits, label) == loss(logits, label)
    loss.train()
    in_training = loss(logits, label)
    assert loss.eval()(logits, label) == in_training


@BOTH
def test_single_precision_under_mixed_precision(kind):
    logits, label = draw()
    loss = kind(C)
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(logits.bfloat16(), label)
    assert found.dtype == torch.float32
    assert found == loss(logits.bfloat16().float(), label)


@BOTH
def test_warm_up_follows_the_runner(kind):
    logits, label = draw()
    full = kind(C)(logits, label)
    loss = kind(C, warmup_iters=4)
    hub = MessageHub.get_instance('semeda')
    for done, share in ((0, 0.25), (1, 0.5), (3, 1), (1000, 1)):
        hub.update_info('iter', done)
        torch.testing.assert_close(loss(logits, label), share * full)
    MessageHub.get_instance('another')  # no runner
    assert loss(logits, label) == full


def test_weights_of_a_pixel_sampler():
    logits, label = draw(ignored=False)
    loss = SEMEDALoss(C)
    weight = torch.ones(label.shape)
    weight[1] = 0
    halves = [loss(logits[k : k + 1], label[k : k + 1]) for k in (0, 1)]
    torch.testing.assert_close(loss(logits, label, weight=weight), halves[0] / 2)
    with pytest.raises(ValueError, match='pixel sampler'):
        EdgeCrossEntropyLoss(C)(logits, label, weight=weight)


def test_binary_head(monkeypatch):
    """One channel with a sigmoid is the same as two with a softmax."""
    from mmrefine.models.edge_nets import SemanticEdgeNet
    from mmrefine.models.losses import edge_net_loss

    torch.manual_seed(0)
    network = SemanticEdgeNet(2)
    monkeypatch.setattr(edge_net_loss, 'load_edge_net', lambda _: network)
    loss = SEMEDALoss(2)
    logits, label = torch.randn(1, 1, 6, 9), torch.randint(0, 2, (1, 6, 9))
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(loss(logits, label), loss(two, label))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(weights=(0, 1)), r'weights: expected 3 numbers .* got 2: \(0, 1\)'),
        (dict(weights=(0, 1, 0, 0)), 'expected 3 numbers'),
        (dict(weights=(0, 0, 0)), 'one of them > 0'),
        (dict(weights=(0, -1, 1)), 'weights must be >= 0'),
        (dict(norm='l3'), "norm must be one of l1, l2, got 'l3'"),
        (dict(loss_weight=-1), 'loss_weight must be >= 0, got -1'),
        (dict(loss_weight=float('nan')), 'loss_weight must be >= 0, got nan'),
        (dict(warmup_iters=-5), 'warmup_iters must be >= 0, got -5'),
        (dict(edge_net=12), 'edge_net: expected a number of classes'),
    ],
)
def test_wrong_arguments_are_told_when_it_is_built(options, text):
    with pytest.raises(ValueError, match=text):
        MODELS.build(dict(type='mmrefine.SEMEDALoss', **dict(edge_net=C) | options))


@BOTH
def test_wrong_input(kind):
    logits, label = draw()
    loss = kind(C)
    with pytest.raises(ValueError, match='for 11 classes, the logits have 7'):
        loss(logits[:, :7], label)
    with pytest.raises(ValueError, match=r'expected 0 to 10 or 255 \(ignored\), got 11'):
        loss(logits, label.masked_fill(label == 3, 11))
    with pytest.raises(ValueError, match=r'label: expected shape \(2, 9, 13\)'):
        loss(logits, label[:, 1:])


@pytest.mark.parametrize('ignored', [False, True])
def test_every_parameter_gets_a_gradient_whatever_the_batch_holds(ignored):
    """Data-parallel training waits for all of them; where nothing is labelled they are zero."""
    torch.manual_seed(0)
    network = nn.Conv2d(3, C, 1)
    label = torch.full((1, 6, 9), 255 if ignored else 0)
    SEMEDALoss(C)(network(10 * torch.randn(1, 3, 6, 9)), label).backward()
    for parameter in network.parameters():
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()
        assert parameter.grad.any() != ignored


@pytest.mark.parametrize('norm', ['l1', 'l2'])
@pytest.mark.parametrize('before_relu', [True, False])
def test_units_are_the_distances_of_knowing_nothing_on_eight_drawn_maps(before_relu, norm):
    rng = np.random.default_rng(0)
    maps = np.stack([draw_label_map(DRAWN_SIZE, C, rng) for _ in range(8)])
    truth = one_hot(torch.from_numpy(maps))
    pairs = zip(
        embeddings(torch.full_like(truth, 1 / C), before_relu),
        embeddings(truth, before_relu),
        strict=True,
    )
    expected = [
        ((a - b).abs() if norm == 'l1' else (a - b) ** 2).sum(1).mean().item() for a, b in pairs
    ]
    loss = SEMEDALoss(C, (1, 1, 1), before_relu, norm)
    assert loss.units == pytest.approx(expected, rel=1e-4)
