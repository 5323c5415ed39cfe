import math

import pytest
import torch

from mmrefine.ops import transform_matrix
from mmrefine.registry import METRICS


def sample(estimate, truth, size=(20, 40)) -> dict:
    found = transform_matrix(torch.tensor([estimate, truth], dtype=torch.float32))
    return dict(pred_matrix=found[0], gt_matrix=found[1], tile_size=size)


def test_distance_in_pixels():
    metric = METRICS.build(dict(type='mmrefine.TransformErrorMetric'))
    metric.process({}, [sample([0.4, 0, 0, 0], [1, 0, 0, 0]), sample([0, 0, 0, 0], [0, 1, 0, 0])])
    metric.process({}, [sample([0, 0.5, 0, 0], [0, 0.5, 0, 0])])
    found = metric.evaluate(3)
    assert found['transform/error_px'] == pytest.approx((3 + 10 + 0) / 3, abs=1e-4)
    assert found['transform/identity_px'] == pytest.approx((5 + 10 + 5) / 3, abs=1e-4)
    assert found['transform/relative_error'] == pytest.approx(100 * 13 / 20, abs=1e-3)


def test_scale_counts_where_it_moves_points():
    metric = METRICS.build(dict(type='mmrefine.TransformErrorMetric'))
    metric.process({}, [sample([0, 0, 1, 0], [0, 0, 0, 0])])
    found = metric.evaluate(1)
    expected = (math.exp(0.2) - 1) * 10 * sum(abs(k / 4 - 1) for k in range(9)) / 9
    assert found['transform/error_px'] == pytest.approx(expected, abs=1e-4)
    assert math.isnan(found['transform/relative_error'])  # there was nothing to find
