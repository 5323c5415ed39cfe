import math

import pytest
import torch

from mmrefine.evaluation import EdgeFScoreMetric


def evaluate(*samples: tuple[list, list]) -> dict[str, float]:
    metric = EdgeFScoreMetric()
    for found, true in samples:
        maps = dict(pred_edge_map=torch.tensor(found), gt_edge_map=torch.tensor(true))
        metric.process({}, [maps])
    return metric.evaluate(len(samples))


def test_counts_of_all_maps_together_without_the_ignored():
    first = [[1, 1, 0], [1, 0, 0]], [[1, 0, 1], [255, 255, 0]]  # 1 right, 1 false, 1 missed
    second = [[1, 1, 1, 0]], [[1, 1, 1, 0]]  # 3 right
    figures = evaluate(first, second)
    assert figures == pytest.approx(
        {'edge/fscore': 80.0, 'edge/precision': 80.0, 'edge/recall': 80.0}
    )
    figures = evaluate(first, second, ([[1, 1]], [[0, 0]]))  # 2 false more
    assert figures['edge/precision'] == pytest.approx(100 * 4 / 7)
    assert figures['edge/recall'] == pytest.approx(80)
    assert figures['edge/fscore'] == pytest.approx(200 * 4 / 7 * 0.8 / (4 / 7 + 0.8))


def test_nothing_to_find():
    empty = [[0, 0, 0]]
    assert all(math.isnan(value) for value in evaluate((empty, empty)).values())
