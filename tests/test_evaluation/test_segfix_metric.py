"""SegFixMetric against counting pixel by pixel."""

import math

import numpy as np
import pytest
import torch

from mmrefine.evaluation import SegFixMetric


def sample(seed: int, size: tuple[int, int] = (7, 11)) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    fields = dict(
        gt_boundary_map=rng.integers(0, 2, size),
        gt_direction_map=rng.integers(0, 8, size),
        pred_boundary=rng.random(size, np.float32),
        pred_direction=rng.integers(0, 8, size),
    )
    fields['gt_boundary_map'][:2] = fields['gt_direction_map'][:2] = 255
    agree = rng.random(size) < 0.5
    fields['pred_direction'][agree] = fields['gt_direction_map'][agree] % 8
    return fields


def as_dict(fields: dict[str, np.ndarray]) -> dict[str, dict]:
    """As mmengine's evaluator hands samples to metrics."""
    tensors = {name: torch.from_numpy(field)[None] for name, field in fields.items()}
    tensors['pred_direction'] = tensors['pred_direction'].to(torch.uint8)
    return {name: dict(data=tensor) for name, tensor in tensors.items()}


def plain_figures(samples: list[dict], threshold: float = 0.5) -> dict[str, float]:
    hit = predicted = actual = right = judged = 0
    for fields in samples:
        for at in np.ndindex(fields['gt_boundary_map'].shape):
            truth = fields['gt_boundary_map'][at]
            if truth == 255:
                continue
            says = fields['pred_boundary'][at] > threshold
            hit += int(says and truth == 1)
            predicted += int(says)
            actual += int(truth == 1)
            if says and fields['gt_direction_map'][at] != 255:
                judged += 1
                right += int(fields['pred_direction'][at] == fields['gt_direction_map'][at])
    precision, recall = hit / predicted, hit / actual
    return dict(
        boundary_fscore=200 * precision * recall / (precision + recall),
        boundary_precision=100 * precision,
        boundary_recall=100 * recall,
        direction_accuracy=100 * right / judged,
    )


@pytest.mark.quick
@pytest.mark.parametrize('threshold', [0.5, 0.8])
def test_equals_counting(threshold):
    samples = [sample(seed) for seed in range(5)] + [sample(9, (4, 13))]
    samples[0]['gt_direction_map'][4:] = 255  # a direction may be unknown on a known boundary
    metric = SegFixMetric(threshold=threshold)
    for start in (0, 4):
        metric.process({}, [as_dict(s) for s in samples[start : start + 4]])
    found = metric.evaluate(len(samples))
    expected = {f'segfix/{k}': v for k, v in plain_figures(samples, threshold).items()}
    assert found == pytest.approx(expected)
    assert 5 < min(expected.values()) < max(expected.values()) < 95


def test_figures_are_of_the_dataset_not_means_of_images():
    """Results of processes are joined image by image, so this is what makes them add up."""
    samples = [sample(0), sample(1, (40, 50))]
    metric = SegFixMetric()
    metric.process({}, [as_dict(s) for s in samples])
    one, two = (plain_figures([s])['boundary_fscore'] for s in samples)
    found = metric.compute_metrics(metric.results)['boundary_fscore']
    assert found == pytest.approx(plain_figures(samples)['boundary_fscore'])
    assert found != pytest.approx((one + two) / 2)


def figures_of(**changes: float) -> dict[str, float]:
    fields = sample(0)
    for name, value in changes.items():
        fields[name][...] = value
    metric = SegFixMetric()
    metric.process({}, [as_dict(fields)])
    return metric.compute_metrics(metric.results)


def test_nothing_to_count_is_nan():
    nothing = figures_of(gt_boundary_map=255, gt_direction_map=255)
    assert all(math.isnan(v) for v in nothing.values())
    assert len(nothing) == 4
    empty = figures_of(pred_boundary=0)
    assert empty['boundary_recall'] == empty['boundary_fscore'] == 0
    assert math.isnan(empty['boundary_precision'])
    assert math.isnan(empty['direction_accuracy'])
    no_truth = figures_of(gt_boundary_map=0)
    assert math.isnan(no_truth['boundary_recall'])
    assert no_truth['boundary_precision'] == no_truth['boundary_fscore'] == 0


def test_no_images_is_nan():
    assert all(math.isnan(v) for v in SegFixMetric().compute_metrics([]).values())


def test_ignored_index_and_prefix():
    fields = sample(3)
    for name in ('gt_boundary_map', 'gt_direction_map'):
        fields[name][fields[name] == 255] = 77
    metric = SegFixMetric(ignore_index=77, prefix='val')
    metric.process({}, [as_dict(fields)])
    expected = {f'val/{k}': v for k, v in plain_figures([sample(3)]).items()}
    assert metric.evaluate(1) == pytest.approx(expected)
