"""The balanced loss of boundaries, against the definition and mmseg's PIDNet."""

import numpy as np
import pytest
import torch
from mmseg.models.losses import BoundaryLoss

from mmrefine.models.losses import BoundaryCrossEntropyLoss
from mmrefine.models.losses.boundary_cross_entropy import boundary_target
from mmrefine.ops import draw_label_map
from mmrefine.registry import MODELS


def draw(size_hw=(13, 17), ignored: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(3)
    label = torch.from_numpy(np.stack([draw_label_map(size_hw, 4, rng) for _ in range(2)]))
    if ignored:
        label[0, :4] = 255
        label[1, 5, 6] = 255
    logits = torch.randn(2, 1, *size_hw, generator=torch.Generator().manual_seed(0))
    return logits, label


def test_without_ignored_pixels_it_is_pidnets_loss():
    logits, label = draw()
    target, _ = boundary_target(label, 2)
    expected = BoundaryLoss(loss_weight=3.0)(logits, target)
    loss = MODELS.build(dict(type='mmrefine.BoundaryCrossEntropyLoss', loss_weight=3.0))
    torch.testing.assert_close(loss(logits, label), expected)


def test_definition_with_ignored_pixels():
    logits, label = draw(ignored=True)
    target, ignored = boundary_target(label, 2)
    assert ignored.sum() == 4 * 17 + 1
    probability = logits[:, 0].double().sigmoid()[~ignored]
    true = target[~ignored].double()
    share = true.mean()
    losses = -(1 - share) * true * probability.log() - share * (1 - true) * (1 - probability).log()
    found = BoundaryCrossEntropyLoss()(logits, label)
    torch.testing.assert_close(found.double(), losses.mean(), rtol=1e-5, atol=1e-7)


def test_target_by_hand():
    label = torch.tensor([[[0, 0, 0, 0, 1, 1, 255], [0, 0, 0, 0, 1, 1, 2]]])
    target, ignored = boundary_target(label, 1)
    assert target.tolist() == [[[0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1, 1]]]
    assert ignored.tolist() == [[[False] * 6 + [True], [False] * 7]]
    assert boundary_target(label, 2)[0][0, 0].tolist() == [0, 0, 1, 1, 1, 1, 0]


def test_nothing_labelled():
    logits, label = draw()
    logits.requires_grad_()
    value = BoundaryCrossEntropyLoss()(logits, torch.full_like(label, 255))
    value.backward()
    assert value == 0
    assert (logits.grad == 0).all()


def test_single_precision_under_mixed_precision():
    logits, label = draw(ignored=True)
    loss = BoundaryCrossEntropyLoss()
    with torch.autocast('cpu', torch.bfloat16):
        found = loss(logits.bfloat16(), label)
    assert found == loss(logits.bfloat16().float(), label)


def test_ignore_index_of_the_head_or_of_the_loss():
    logits, label = draw(ignored=True)
    other = label.masked_fill(label == 255, -1)
    expected = BoundaryCrossEntropyLoss()(logits, label)
    assert BoundaryCrossEntropyLoss()(logits, other, ignore_index=-1) == expected
    assert BoundaryCrossEntropyLoss(ignore_index=-1)(logits, other) == expected


def test_wrong_input():
    logits, label = draw()
    loss = BoundaryCrossEntropyLoss()
    with pytest.raises(ValueError, match=r'for a head of one channel.*got 2 channels'):
        loss(logits.repeat(1, 2, 1, 1), label)
    with pytest.raises(ValueError, match=r'label: expected shape \(2, 13, 17\)'):
        loss(logits, label[:, 1:])
    with pytest.raises(TypeError, match=r'label: expected .* integer dtype, got torch\.float32'):
        loss(logits, label.float())
    with pytest.raises(ValueError, match='pixel sampler does not go with BoundaryCrossEntropyLoss'):
        loss(logits, label, weight=torch.ones(label.shape))
    for options, text in (
        (dict(boundary_width=0), 'boundary_width must be at least 1, got 0'),
        (dict(loss_weight=-1), 'loss_weight must be >= 0, got -1'),
    ):
        with pytest.raises(ValueError, match=text):
            BoundaryCrossEntropyLoss(**options)
