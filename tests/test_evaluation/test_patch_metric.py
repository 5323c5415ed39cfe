"""PatchMetric against counting by hand, and with more patches than items."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator

from mmrefine.evaluation import PatchMetric


def sample(rng: np.random.Generator, size: tuple[int, int] = (5, 9)) -> dict[str, dict]:
    names = ('gt_sem_seg', 'coarse_mask', 'pred_sem_seg')
    return {name: dict(data=torch.from_numpy(rng.integers(0, 2, (1, *size)))) for name in names}


def plain_miou(samples: list[dict], field: str) -> float:
    overlaps = []
    for label in (0, 1):
        both = either = 0
        for entry in samples:
            pairs = zip(
                entry[field]['data'].flatten().tolist(),
                entry['gt_sem_seg']['data'].flatten().tolist(),
                strict=True,
            )
            for a, b in pairs:
                both += a == b == label
                either += label in (a, b)
        overlaps.append(both / either)
    return 100 * sum(overlaps) / 2


def test_figures_are_those_of_all_patches():
    """mmengine keeps as many results as the dataset has items; an item is many patches."""
    rng = np.random.default_rng(0)
    batches = [[sample(rng) for _ in range(n)] for n in (7, 3, 12)]
    evaluator = Evaluator(PatchMetric())
    for batch in batches:
        evaluator.process(data_samples=batch, data_batch={})
    figures = evaluator.evaluate(size=3)
    everything = [entry for batch in batches for entry in batch]
    coarse = plain_miou(everything, 'coarse_mask')
    refined = plain_miou(everything, 'pred_sem_seg')
    assert figures == pytest.approx(
        {'patch/coarse_miou': coarse, 'patch/miou': refined, 'patch/gain': refined - coarse}
    )


def test_a_class_that_is_nowhere_does_not_count():
    empty = {
        name: dict(data=torch.zeros(1, 3, 4, dtype=torch.uint8))
        for name in ('gt_sem_seg', 'coarse_mask', 'pred_sem_seg')
    }
    metric = PatchMetric()
    metric.process({}, [empty])
    assert metric.evaluate(1) == {'patch/coarse_miou': 100, 'patch/miou': 100, 'patch/gain': 0}
