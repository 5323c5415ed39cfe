"""The loss against the same thing in plain numpy, and at its edges."""

import numpy as np
import pytest
import torch

from mmrefine.models.losses import BalancedCrossEntropyLoss, balanced_cross_entropy


def plain_loss(logits: np.ndarray, target: np.ndarray, ignore_index: int = 255) -> float:
    """Weighted mean over labelled pixels of -log softmax; weight = 1 - share of the class."""
    labelled = [p for p in np.ndindex(target.shape) if target[p] != ignore_index]
    share = {c: sum(target[p] == c for p in labelled) / len(labelled) for c in np.unique(target)}
    total = weights = 0.0
    for n, y, x in labelled:
        label = target[n, y, x]
        score = logits[n, :, y, x].astype(np.float64)
        log_probability = score[label] - np.log(np.exp(score).sum())
        total -= (1 - share[label]) * log_probability
        weights += 1 - share[label]
    return total / weights


@pytest.mark.quick
@pytest.mark.parametrize('classes', [3, 8])
@pytest.mark.parametrize('ignore_index', [255, 1])
def test_equals_plain_numpy(classes, ignore_index):
    rng = np.random.default_rng(classes)
    logits = rng.normal(0, 3, (2, classes, 5, 7)).astype(np.float32)
    target = rng.integers(0, classes, (2, 5, 7))
    target[0, :2] = 0  # one class is much more frequent
    target[1, :, 4:] = ignore_index
    found = balanced_cross_entropy(torch.tensor(logits), torch.tensor(target), ignore_index)
    assert found.item() == pytest.approx(plain_loss(logits, target, ignore_index), rel=1e-5)


def test_frequencies_are_those_of_the_batch_not_of_each_image():
    logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])[:, :, None, None].expand(2, 2, 3, 4)
    target = torch.stack([torch.zeros(3, 4), torch.ones(3, 4)]).long()
    # Each class is half of the batch; alone, each image would have a single class of weight zero.
    expected = -(torch.tensor([2.0, 1.0]).sigmoid().log().mean())
    torch.testing.assert_close(balanced_cross_entropy(logits, target), expected)


@pytest.mark.parametrize('label', [255, 0, 1])
def test_nothing_to_learn_gives_zero_and_a_zero_gradient(label):
    logits = torch.randn(2, 2, 3, 4, requires_grad=True)
    loss = balanced_cross_entropy(logits, torch.full((2, 3, 4), label))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_ignored_pixels_get_no_gradient():
    logits = torch.randn(1, 3, 4, 5, requires_grad=True)
    target = torch.randint(0, 3, (1, 4, 5))
    target[:, 1:3, :2] = 255
    balanced_cross_entropy(logits, target).backward()
    touched = logits.grad.abs().sum(1) > 0
    assert torch.equal(touched, target != 255)


def test_half_precision_is_computed_in_float32():
    logits = torch.randn(2, 8, 64, 48) * 5
    target = torch.randint(0, 8, (2, 64, 48))
    low = logits.bfloat16()
    found = balanced_cross_entropy(low, target)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, balanced_cross_entropy(low.float(), target))


def test_module_weights_the_loss():
    logits, target = torch.randn(1, 2, 3, 4), torch.randint(0, 2, (1, 3, 4))
    module = BalancedCrossEntropyLoss(loss_weight=0.25)
    torch.testing.assert_close(
        module(logits, target), 0.25 * balanced_cross_entropy(logits, target)
    )
    assert module.loss_name.startswith('loss_')


def test_labels_beyond_the_channels_are_named():
    """As when the transform makes 16 directions and the head tells 8 apart."""
    target = torch.full((1, 3, 4), 15)
    with pytest.raises(ValueError, match=r'labels below 8, .* got 15 \(for directions, num_dir'):
        balanced_cross_entropy(torch.zeros(1, 8, 3, 4), target)
