"""Metrics before and after refinement, from one test run with the hook."""

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.evaluator import Evaluator

from mmrefine.registry import METRICS

from .samples import CLASSES, seg_sample

HOOKS = [dict(type='mmrefine.RefinementHook', refiner=dict(type='mmrefine.SmoothingRefiner'))]
IOU = dict(type='IoUMetric', iou_metrics=['mIoU', 'mFscore'])
FSCORE = dict(type='mmrefine.BoundaryFScoreMetric', tolerance=(1, 2))


def test_one_run_gives_what_two_runs_give(run_stock, read_labels):
    """Around mmseg's metric and ours, in a Runner of a stock config with the hook."""
    gain, _ = run_stock(
        [
            dict(type='mmrefine.RefinementGain', metric=IOU),
            dict(type='mmrefine.RefinementGain', metric=FSCORE),
        ],
        custom_hooks=HOOKS,
    )
    before, coarse = run_stock([IOU, FSCORE])
    after, refined = run_stock([IOU, FSCORE], custom_hooks=HOOKS)
    assert set(before) == {
        'aAcc',
        'mIoU',
        'mAcc',
        'mFscore',
        'mPrecision',
        'mRecall',
        'boundary/fscore_1px',
        'boundary/fscore_2px',
    }
    assert len(gain) == 3 * len(before)
    for name in before:
        np.testing.assert_array_equal(gain[f'{name}_before'], before[name])
        np.testing.assert_array_equal(gain[f'{name}_after'], after[name])
        np.testing.assert_array_equal(gain[f'{name}_gain'], after[name] - before[name])
    assert gain['boundary/fscore_2px_gain'] != 0
    maps = read_labels(coarse), read_labels(refined)
    assert any((maps[0][name] != maps[1][name]).any() for name in maps[0])


def test_several_metrics_and_a_prefix():
    evaluator = Evaluator(
        dict(
            type='mmrefine.RefinementGain',
            metric=[dict(type='mmseg.IoUMetric'), FSCORE],
            prefix='segfix',
        )
    )
    evaluator.dataset_meta = dict(classes=CLASSES)
    evaluator.process([seg_sample(0), seg_sample(1)])
    figures = evaluator.evaluate(2)
    assert figures['segfix/mIoU_gain'] > 10
    assert figures['segfix/boundary/fscore_1px_gain'] > 10


def test_files_of_before_and_after_do_not_meet(run_stock, read_labels, tmp_path):
    _, refined = run_stock(
        dict(
            type='mmrefine.RefinementGain',
            metric=dict(**IOU, output_dir=str(tmp_path / 'out')),
        ),
        custom_hooks=HOOKS,
    )
    _, coarse = run_stock(IOU)
    for side, expected in (('before', coarse), ('after', refined)):
        written = read_labels(tmp_path / 'out' / side)
        assert list(written) == ['0.png', '1.png', '2.png']
        for name, labels in read_labels(expected).items():
            np.testing.assert_array_equal(written[name], labels)


def test_without_the_hook_the_error_says_what_to_add(run_stock):
    with pytest.raises(ValueError, match=r"custom_hooks = \[\n *dict\(type='mmrefine.Refine"):
        run_stock(dict(type='mmrefine.RefinementGain', metric=IOU))


@pytest.mark.parametrize('metric', ['IoUMetric', ['IoUMetric'], None])
def test_what_is_no_metric_config(metric):
    with pytest.raises(TypeError, match='metric: must be a metric config or a list of them'):
        METRICS.build(dict(type='mmrefine.RefinementGain', metric=metric))


@pytest.mark.parametrize('theirs', [IOU, [IOU]])
def test_around_the_evaluator_of_a_base_config(tmp_path, theirs):
    """As the documentation writes it, over a config that somebody else wrote."""
    (tmp_path / 'theirs.py').write_text(f"default_scope = 'mmseg'\ntest_evaluator = {theirs}")
    unpacked = '*_base_.test_evaluator' if isinstance(theirs, list) else '_base_.test_evaluator'
    (tmp_path / 'ours.py').write_text(
        "_base_ = './theirs.py'\n"
        f"test_evaluator = [{unpacked}, dict(type='mmrefine.BoundaryFScoreMetric')]"
    )
    (tmp_path / 'gain.py').write_text(
        "_base_ = './theirs.py'\n"
        "test_evaluator = dict(type='mmrefine.RefinementGain', metric=_base_.test_evaluator, "
        '_delete_=True)'
    )
    with METRICS.switch_scope_and_registry('mmseg'):
        ours = Evaluator(Config.fromfile(tmp_path / 'ours.py').test_evaluator)
        gain = Evaluator(Config.fromfile(tmp_path / 'gain.py').test_evaluator)
    assert [type(m).__name__ for m in ours.metrics] == ['IoUMetric', 'BoundaryFScoreMetric']
    (around,) = gain.metrics
    assert [type(m).__name__ for m in around.before + around.after] == ['IoUMetric'] * 2
