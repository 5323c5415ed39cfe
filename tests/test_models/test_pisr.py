"""What the relations promise, and the toys that show what they are for."""

import pytest
import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from mmrefine.models.necks import PISR, PISRNeck

GN = dict(type='GN', num_groups=4)


def relations(channels: int = 8, **options: object) -> PISR:
    """A module that does something already."""
    torch.manual_seed(0)
    module = PISR(channels, norm_cfg=GN, **options)
    nn.init.ones_(module.fuse_norm.weight)
    return module.eval()


def seen(instances: int = 5, size: tuple = (6, 9), count: int = 2, channels: int = 8) -> tuple:
    generator = torch.Generator().manual_seed(1)
    shapes = ((count, channels, *size), (count, 3, *size), (count, instances, *size))
    features, logits, heat = (torch.randn(*s, generator=generator) for s in shapes)
    return features, logits, heat.sigmoid()


def test_at_first_nothing_changes():
    features, logits, heat = seen()
    assert torch.equal(PISR(8, norm_cfg=GN)(features, logits, heat), features)


def test_order_of_instances_does_not_matter():
    features, logits, heat = seen()
    module = relations()
    found = module(features, logits, heat)
    assert (found - features).abs().max() > 0.1
    other = module(features, logits, heat[:, torch.tensor([3, 0, 4, 1, 2])])
    torch.testing.assert_close(found, other, atol=1e-5, rtol=0)


def test_empty_heatmaps_are_no_instances():
    features, logits, heat = seen()
    module = relations()
    heat[:, 2:] = 0
    fewer = module(features, logits, heat[:, :2])
    torch.testing.assert_close(module(features, logits, heat), fewer, atol=1e-6, rtol=1e-5)
    none = module(features, logits, heat[:, :0])
    assert none.isfinite().all()
    torch.testing.assert_close(module(features, logits, heat * 0), none, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(fewer, none, atol=1e-3)


@pytest.mark.parametrize('instances', [0, 1, 5])
def test_gradients_are_finite_and_reach_every_part(instances):
    features, logits, heat = (x.requires_grad_() for x in seen(instances))
    if instances > 1:
        with torch.no_grad():
            heat[0, 1:] = 0  # images of a batch have different numbers
    module = relations().train()
    module(features, logits, heat).square().sum().backward()
    for tensor in (features, logits, *([heat] if instances else [])):
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0
    for name, parameter in module.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert instances < 5 or parameter.grad.abs().sum() > 0, name


def test_levels_are_related_alike():
    features, logits, heat = seen()
    module = relations()
    small = features[..., ::2, ::3]
    found = module(features, logits, heat, [small, features])
    assert found[0].shape == small.shape
    torch.testing.assert_close(found[1], module(features, logits, heat))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_mixed_precision_is_close(dtype):
    features, logits, heat = seen()
    heat[1, 3:] = 0
    module = relations()
    exact = module(features, logits, heat)
    with torch.autocast('cpu', dtype):
        half = module(features, logits, heat)
    assert half.isfinite().all()
    torch.testing.assert_close(half.float(), exact, atol=0.1, rtol=0.1)


class LargestTensor(TorchDispatchMode):
    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        tensors = [t for t in tree_flatten(out)[0] if isinstance(t, torch.Tensor)]
        self.elements = max(self.elements, *(t.untyped_storage().nbytes() // t.element_size()
                                             for t in tensors), 0)  # fmt: skip
        return out


def test_memory_grows_with_pixels_times_keys():
    module = relations()
    pixels, keys = 48 * 80, 3 + 20
    arguments = seen(20, (48, 80), 1)
    with LargestTensor() as largest, torch.no_grad():
        module(*arguments)
    assert pixels <= largest.elements <= pixels * max(keys, 16)


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        (lambda f, s, h: (f[:, :4], s, h), 'features must have 8 channels, got 4'),
        (lambda f, s, h: (f, s[..., 1:], h), r'logits must be \(2, any, 6, 9\)'),
        (lambda f, s, h: (f, s, h[0]), r'heatmaps must be \(2, any, 6, 9\)'),
        (lambda f, s, h: (f, s[:, :0], h), 'logits must have a class or more'),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        relations()(*change(*seen()))


# A toy: in a corner far away lies an object; what it is decides the class of every other pixel.
SIZE = (12, 20)


def draw_toy(count: int, generator: torch.Generator, weak: int = 0) -> tuple:
    """Features, class logits, heatmaps and the class of all pixels, 0 or 1."""
    kind = torch.randint(2, (count,), generator=generator)
    features = 0.3 * torch.randn(count, 8, *SIZE, generator=generator)
    heat = torch.zeros(count, 1 + weak, *SIZE)
    heat[:, 0, :3, :3] = 1
    features[:, :2, :3, :3] += 2 * F.one_hot(kind, 2).float()[..., None, None]
    logits = torch.zeros(count, 2, *SIZE)
    logits[:, 1, :3, :3], logits[:, 0, :3, :3] = 5, -5
    wrong = torch.randint(2, (count, weak), generator=generator)
    for k in range(1, weak + 1):  # faint heat on places that show one of the two by chance
        y, x = 4 + k % 7, 4 + (3 * k) % 15
        heat[:, k, y, x] = 0.1
        features[:, :2, y, x] += 2 * F.one_hot(wrong[:, k - 1], 2).float()
    return features, logits, heat, kind[:, None, None].expand(-1, *SIZE)


class Related(nn.Module):
    def __init__(self, **options: object) -> None:
        super().__init__()
        self.relations = PISR(8, norm_cfg=GN, **options)
        self.head = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, features, logits, heat):
        return self.head(self.relations(features, logits, heat))


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        convs = (ConvModule(8, 8, 3, padding=1, norm_cfg=dict(type='BN')) for _ in range(2))
        self.layers = nn.Sequential(*convs, nn.Conv2d(8, 2, 3, padding=1))

    def forward(self, features, logits, heat):
        return self.layers(torch.cat([features], 1))


def train_toy(model: nn.Module, steps: int = 100, weak: int = 0) -> nn.Module:
    generator = torch.Generator().manual_seed(2)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(steps):
        *arguments, target = draw_toy(8, generator, weak)
        loss = F.cross_entropy(model(*arguments), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def far_accuracy(model: nn.Module) -> float:
    *arguments, target = draw_toy(64, torch.Generator().manual_seed(9))
    right = model(*arguments).argmax(1) == target
    return right[..., 10:].float().mean().item()


def test_a_distant_instance_decides():
    torch.manual_seed(0)
    assert far_accuracy(train_toy(Related())) > 0.9
    assert far_accuracy(train_toy(Convolutions())) < 0.65


def test_reweighting_mutes_weak_instances():
    """After training with some, 50 more of them change the answer less."""
    effect = {}
    for reweight in (True, False):
        torch.manual_seed(0)
        model = train_toy(Related(reweight=reweight), weak=6)
        features, logits, heat, _ = draw_toy(32, torch.Generator().manual_seed(9), 50)
        with torch.no_grad():
            few, many = (model(features, logits, h).softmax(1) for h in (heat[:, :1], heat))
        effect[reweight] = (few - many).abs().mean().item()
    assert effect[True] < 0.7 * effect[False]


def neck(**options: object) -> PISRNeck:
    torch.manual_seed(0)
    settings = dict(num_things_classes=2, num_stuff_classes=3, num_instances=6, spread=2.0)
    return PISRNeck(8, norm_cfg=GN, **{**settings, **options})


def levels(count: int = 2) -> list:
    return [torch.randn(count, 8, 33 >> k, 50 >> k) for k in range(5)]


def test_neck_relates_some_levels_and_passes_others():
    module = neck(level=1, related_levels=(0, 2))
    nn.init.ones_(module.relations.fuse_norm.weight)
    before = levels()
    after, first = module.relate(before)
    assert [a.shape for a in after] == [b.shape for b in before]
    assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [
        False, True, False, True, True,
    ]  # fmt: skip
    assert first.logits.shape == (2, 5, *before[1].shape[2:])
    assert module.heatmaps(first).shape == (2, 6, *before[1].shape[2:])
    assert all(torch.equal(a, b) for a, b in zip(after, module(before), strict=True))


def test_first_pass_learns_what_is_there():
    """Classes and instances of eight images by heart; one image is empty, one has no labels."""
    generator = torch.Generator().manual_seed(0)
    module = neck(level=0, related_levels=None, loss_weight=1.0)
    features = [torch.randn(8, 8, 16, 24, generator=generator)]
    labels = torch.full((8, 32, 48), 2)
    masks = []
    for k in range(8):
        boxes = [(4 + 2 * k, 6, 10, 12), (8, 28 - k, 12, 14)][: 0 if k == 3 else 2]
        own = torch.zeros(len(boxes), 32, 48, dtype=torch.bool)
        for mask, (y, x, height, width) in zip(own, boxes, strict=True):
            mask[y : min(y + height, 32), x : x + width] = True
            labels[k][mask] = len(masks) % 2
        masks.append(own)
    labels[5] = 255
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(200):
        first = module.relate(features)[1]
        losses = module.loss(first, labels, masks)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    assert all(p.grad is not None for p in module.trunk.parameters())
    first = module.relate(features)[1]
    found = F.interpolate(first.logits, (32, 48)).argmax(1)
    known = labels != 255
    assert (found == labels)[known].float().mean() > 0.9
    heat = module.heatmaps(first)[0].amax(0)
    small = F.interpolate(masks[0][None].float(), (16, 24))[0].amax(0) > 0
    assert heat[small].mean() > 5 * heat[~small].mean()


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(num_instances=-1), 'num_instances must be 0 or more'),
        (dict(spread=0), 'spread must be positive'),
        (dict(num_things_classes=0, num_stuff_classes=0), 'must be 1 or more, got 0'),
        (dict(loss_weight=-1), 'loss_weight must be 0 or more'),
    ],
)
def test_bad_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        neck(**options)


@pytest.mark.parametrize('options', [dict(num_instances=0), dict(num_things_classes=0)])
def test_no_instances_at_all(options):
    module = neck(**options)
    features = levels()
    first = module.relate(features)[1]
    masks = [torch.zeros(0, 33, 50, dtype=torch.bool)] * 2
    losses = module.loss(first, torch.full((2, 33, 50), 255), masks)
    sum(losses.values()).backward()
    assert all(v.isfinite() for v in losses.values())
    assert losses['loss_first_classes'] == losses['loss_first_offsets'] == 0
