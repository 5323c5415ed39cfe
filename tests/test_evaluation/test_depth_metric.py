import numpy as np
import pytest
import torch

from mmrefine.measures import depth_boundary_fscore, depth_errors, total
from mmrefine.registry import METRICS

RNG = np.random.default_rng(0)


def samples() -> list[dict]:
    found = []
    for _ in range(3):
        true = np.where(RNG.random((12, 17)) < 0.1, 0, 6).astype(np.float32)
        true[4:9, 5:12] = 3
        depth = true + RNG.uniform(0.5, 1, true.shape).astype(np.float32)
        found.append(
            {
                name: dict(data=torch.from_numpy(array)[None])
                for name, array in (('pred_depth_map', depth), ('gt_depth_map', true))
            }
        )
    return found


def arrays(batch):
    names = ('pred_depth_map', 'gt_depth_map')
    return [tuple(s[name]['data'][0].numpy() for name in names) for s in batch]


def evaluate(batch, **cfg):
    metric = METRICS.build(cfg)
    metric.dataset_meta = dict(classes=())
    metric.process({}, batch[:1])
    metric.process({}, batch[1:])
    return metric.evaluate(len(batch))


def test_figures_are_those_of_the_measures():
    batch = samples()
    figures = evaluate(batch, type='mmrefine.MonocularDepthMetric', max_depth=5, crop='garg')
    expected = total(depth_errors(*p, max_depth=5, crop='garg') for p in arrays(batch)).figures()
    assert figures == {f'depth/{name}': value for name, value in expected.items()}
    figures = evaluate(batch, type='mmrefine.DepthBoundaryMetric', tolerance=(1, 2), ratio=1.3)
    for t in (1, 2):
        counts = total(depth_boundary_fscore(*p, t, 1.3) for p in arrays(batch))
        expected = 100 * counts.figures()['fscore']
        assert figures[f'depth_boundary/fscore_{t}px'] == pytest.approx(expected)


@pytest.mark.parametrize(
    ('cfg', 'text'),
    [
        (dict(type='mmrefine.MonocularDepthMetric', crop='no'), 'crop: must be one of'),
        (dict(type='mmrefine.MonocularDepthMetric', min_depth=-1), 'min_depth: 0 < min_depth'),
        (dict(type='mmrefine.DepthBoundaryMetric', ratio=0.5), 'ratio: must be > 1'),
        (dict(type='mmrefine.DepthBoundaryMetric', tolerance=-1), 'tolerance: must be pixels'),
    ],
)
def test_bad_options_are_refused(cfg, text):
    with pytest.raises(ValueError, match=text):
        METRICS.build(cfg)
