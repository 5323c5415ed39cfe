"""SegFixHead against its definition in plain numpy, and with nothing to learn from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from small_segfix import small_segfix

from mmrefine.models.decode_heads import SegFixHead
from mmrefine.ops import segfix_targets
from mmrefine.registry import MODELS

ROOT = Path(__file__).parents[2]

SIZE = (9, 13)


def make_head(num_directions: int = 8, **options: object) -> SegFixHead:
    torch.manual_seed(0)
    return SegFixHead([4, 6], [0, 1], channels=5, num_directions=num_directions, **options)


def make_sample(boundary: np.ndarray, direction: np.ndarray, **meta: object) -> SegDataSample:
    sample = SegDataSample(metainfo=meta)
    sample.set_data(
        dict(
            gt_boundary_map=PixelData(data=torch.from_numpy(boundary)[None].long()),
            gt_direction_map=PixelData(data=torch.from_numpy(direction)[None].long()),
        )
    )
    return sample


def random_targets(seed: int, size: tuple[int, int] = SIZE, m: int = 8) -> tuple:
    rng = np.random.default_rng(seed)
    boundary, direction = rng.integers(0, 2, size), rng.integers(0, m, size)
    boundary[:2] = direction[:2] = 255
    return boundary, direction


def stretch(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, corners on corners, of (N, C, h, w): one axis after the other."""
    for axis, length in ((2, size[0]), (3, size[1])):
        at = np.linspace(0, logits.shape[axis] - 1, length)
        grid = np.arange(logits.shape[axis])
        logits = np.apply_along_axis(
            lambda line, at=at, grid=grid: np.interp(at, grid, line), axis, logits
        )
    return logits


def plain_balanced(logits: np.ndarray, target: np.ndarray) -> float:
    """Cross-entropy of (N, C, H, W), class weights 1 - share; 0 where nothing is labelled."""
    labels = target[target != 255]
    if len(labels) == 0:
        return 0.0
    weight = 1 - np.bincount(labels, minlength=logits.shape[1]) / len(labels)
    scores = np.moveaxis(logits, 1, -1)[target != 255]
    log_p = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    picked = log_p[np.arange(len(labels)), labels]
    return float(-(weight[labels] * picked).sum() / weight[labels].sum())


def plain_losses(logits: np.ndarray, targets: list[tuple]) -> dict[str, float]:
    boundary = np.stack([t[0] for t in targets])
    direction = np.stack([t[1] for t in targets])
    logits = stretch(logits, boundary.shape[1:])
    says_boundary = logits[:, 1] > logits[:, 0]  # softmax of two classes > 0.5
    judged = np.where(says_boundary, direction, 255)
    labelled = boundary != 255
    best = logits[:, 2:].argmax(1)
    return dict(
        loss_boundary=plain_balanced(logits[:, :2], boundary),
        loss_direction=plain_balanced(logits[:, 2:], judged),
        acc_boundary=100 * (says_boundary == boundary)[labelled].mean(),
        acc_direction=100 * (best == judged)[judged != 255].mean(),
    )


@pytest.mark.quick
@pytest.mark.parametrize(('m', 'size'), [(8, SIZE), (4, SIZE), (16, (5, 7))])
def test_losses_equal_plain_numpy(m, size):
    logits = np.random.default_rng(m).normal(0, 2, (2, 2 + m, 5, 7))
    targets = [random_targets(seed, size, m) for seed in (1, 2)]
    found = make_head(m).loss_by_feat(
        torch.tensor(logits, dtype=torch.float32), [make_sample(*t) for t in targets]
    )
    expected = plain_losses(logits, targets)
    assert {k: v.item() for k, v in found.items()} == pytest.approx(expected, rel=1e-4)
    assert 20 < expected['acc_boundary'] < 80


def test_loss_weights_and_threshold_are_used():
    logits, targets = torch.randn(1, 10, *SIZE), random_targets(0)
    strict = make_head(
        boundary_threshold=0.9,
        loss_boundary=dict(type='mmrefine.BalancedCrossEntropyLoss', loss_weight=3.0),
    ).loss_by_feat(logits, [make_sample(*targets)])
    plain = make_head().loss_by_feat(logits, [make_sample(*targets)])
    torch.testing.assert_close(strict['loss_boundary'], 3 * plain['loss_boundary'])
    probability = logits[0, :2].softmax(0)[1].numpy()
    judged = np.where(probability > 0.9, targets[1], 255)
    expected = plain_balanced(logits[:, 2:].numpy(), judged[None])
    assert strict['loss_direction'].item() == pytest.approx(expected, rel=1e-4)
    assert strict['loss_direction'] != plain['loss_direction']


def test_direction_gradient_stays_inside_the_predicted_boundary():
    logits = torch.randn(2, 10, *SIZE, requires_grad=True)
    samples = [make_sample(*random_targets(s)) for s in (1, 2)]
    make_head().loss_by_feat(logits, samples)['loss_direction'].backward()
    says_boundary = logits.detach()[:, :2].softmax(1)[:, 1] > 0.5
    labelled = torch.stack([s.gt_direction_map.data[0] for s in samples]) != 255
    touched = logits.grad[:, 2:].abs().sum(1) > 0
    assert torch.equal(touched, says_boundary & labelled)
    assert not logits.grad[:, :2].any()


def test_every_weight_learns():
    head = make_head().train()
    features = [torch.randn(2, 4, 8, 12), torch.randn(2, 6, 4, 6)]
    samples = [make_sample(*random_targets(s)) for s in (1, 2)]
    losses = head.loss(features, samples, {})
    sum(v for k, v in losses.items() if k.startswith('loss')).backward()
    assert [n for n, p in head.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_all_ignored_is_zero_not_nan():
    logits = torch.randn(2, 10, 5, 7, requires_grad=True)
    nothing = np.full(SIZE, 255)
    losses = make_head().loss_by_feat(logits, [make_sample(nothing, nothing)] * 2)
    sum(losses.values()).backward()
    assert {k: v.item() for k, v in losses.items()} == dict.fromkeys(losses, 0)
    assert not logits.grad.any()


def test_no_predicted_boundary_gives_no_direction_loss():
    logits = torch.zeros(1, 10, *SIZE)
    logits[:, 0] = 5
    losses = make_head().loss_by_feat(logits, [make_sample(*random_targets(0))])
    assert losses['loss_direction'] == 0
    assert losses['loss_boundary'] > 0


def test_smaller_images_of_a_batch_are_ignored_where_padded():
    """As the data preprocessor leaves them: the label map padded, our targets not."""
    logits = torch.randn(2, 10, *SIZE)
    small = random_targets(1, (6, 10))
    padded = [np.pad(t, ((0, 3), (0, 3)), constant_values=255) for t in small]
    large = random_targets(2)
    head = make_head()
    found = head.loss_by_feat(logits, [make_sample(*small), make_sample(*large)])
    expected = head.loss_by_feat(logits, [make_sample(*padded), make_sample(*large)])
    assert found == expected
    # All images smaller than the padded batch: its size is in the meta information.
    both = [make_sample(*small, pad_shape=SIZE), make_sample(*small, pad_shape=SIZE)]
    whole = [make_sample(*padded), make_sample(*padded)]
    assert head.loss_by_feat(logits, both) == head.loss_by_feat(logits, whole)


def test_real_data_preprocessor_pads_a_batch():
    model = small_segfix()
    rng = np.random.default_rng(0)
    data = dict(inputs=[], data_samples=[])
    for seed, size in enumerate([(40, 64), (48, 50)]):
        sample = make_sample(*random_targets(seed, size), img_shape=size)
        sample.gt_sem_seg = PixelData(data=torch.zeros(1, *size, dtype=torch.long))
        image = rng.integers(0, 256, (3, *size), dtype=np.uint8)
        data['inputs'].append(torch.from_numpy(image))
        data['data_samples'].append(sample)
    batch = model.data_preprocessor(data, training=True)
    assert batch['inputs'].shape == (2, 3, 48, 64)
    losses = model(**batch, mode='loss')
    targets = [
        tuple(
            np.pad(t, ((0, 48 - t.shape[0]), (0, 64 - t.shape[1])), constant_values=255)
            for t in random_targets(seed, size)
        )
        for seed, size in enumerate([(40, 64), (48, 50)])
    ]
    with torch.no_grad():
        logits = model(batch['inputs'], mode='tensor').double().numpy()
    expected = plain_losses(logits, targets)
    found = {k.removeprefix('decode.'): v.item() for k, v in losses.items()}
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize('m', [4, 8, 16, 32])
def test_predictions_are_probabilities_of_each_branch(m):
    head = make_head(m).eval()
    features = [torch.randn(2, 4, 8, 12), torch.randn(2, 6, 4, 6)]
    metas = [dict(img_shape=SIZE, pad_shape=SIZE)] * 2
    found = head.predict(features, metas, {}).double()
    assert found.shape == (2, 2 + m, *SIZE)
    logits = stretch(head(features).detach().double().numpy(), SIZE)
    for part in (slice(0, 2), slice(2, None)):
        expected = np.exp(logits[:, part])
        expected /= expected.sum(1, keepdims=True)
        np.testing.assert_allclose(found[:, part].detach(), expected, rtol=1e-4)


@pytest.mark.parametrize('m', [0, 2, 7, 19])
def test_wrong_number_of_directions(m):
    with pytest.raises(ValueError, match=rf'4, 8, 16, 32 .*not the number of classes\), got {m}'):
        make_head(m)


@pytest.mark.parametrize('field', ['gt_boundary_map', 'gt_direction_map'])
def test_missing_targets_name_the_transform(field):
    sample = make_sample(*random_targets(0))
    delattr(sample, field)
    text = rf'no {field}: .*GenerateBoundaryDirection.*PackSegFixInputs'
    with pytest.raises(ValueError, match=text):
        make_head().loss_by_feat(torch.randn(1, 10, *SIZE), [sample])


def fine_segfix() -> torch.nn.Module:
    init_default_scope('mmseg')
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/segfix_lite0.py').model
    torch.manual_seed(0)
    return MODELS.build(cfg).eval()


def test_fine_head_answers_for_every_pixel():
    images = torch.rand(2, 3, 32, 80)
    with torch.no_grad():
        found = fine_segfix().predict_probabilities(images)
    assert found.shape == (2, 10, 32, 80)
    for part in (found[:, :2], found[:, 2:]):
        assert torch.allclose(part.sum(1), torch.ones(2, 32, 80))


def test_fine_head_learns_single_pixels():
    """A boundary between columns 14 and 15, the second pixel of a cell: width 1, eight steps."""
    model = fine_segfix().train()
    images = torch.zeros(2, 3, 32, 48)
    images[..., 15:] = 1
    labels = np.zeros((32, 48), np.uint8)
    labels[:, 15:] = 1
    _, boundary, direction = segfix_targets(labels, width=1)
    samples = [make_sample(boundary, direction, pad_shape=(32, 48))] * 2
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(40):
        losses = model.loss(images, samples)
        optimizer.zero_grad()
        (losses['decode.loss_boundary'] + losses['decode.loss_direction']).backward()
        optimizer.step()
    with torch.no_grad():
        logits = model.decode_head(model.extract_feat(images))
    assert np.array_equal(logits[0, :2].argmax(0).numpy(), boundary)
    at = boundary == 1
    assert np.array_equal(logits[0, 2:].argmax(0).numpy()[at], direction[at])
