"""The metrics of label maps: in an Evaluator, and in the Runner of a stock mmseg config."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger

from mmrefine.measures import boundary_fscore, boundary_iou, total, trimap_iou

from .samples import CLASSES, label_maps, seg_sample

IMAGES = 4


def evaluate(*metrics, make=seg_sample, classes=CLASSES):
    evaluator = Evaluator(list(metrics))
    evaluator.dataset_meta = dict(classes=classes)
    for first in range(0, IMAGES, 2):  # two batches
        evaluator.process([make(first), make(first + 1)])
    return evaluator.evaluate(IMAGES)


def counted(measure, *args, **settings):
    pairs = [label_maps(seed)[1:] for seed in range(IMAGES)]
    return total(measure(p, t, *args, num_classes=3, **settings) for p, t in pairs)


def test_figures_are_those_of_the_measures_in_per_cent():
    figures = evaluate(
        dict(type='mmrefine.BoundaryFScoreMetric', tolerance=(0, 1, 0.03)),
        dict(type='mmrefine.TrimapIoUMetric', width=(1, 2.5)),
        dict(type='mmrefine.BoundaryIoUMetric', dilation_ratio=0.05),
    )
    trimap = counted(trimap_iou, (1, 2.5)).figures()
    expected = {
        'boundary/fscore_0px': counted(boundary_fscore, 0).figures()['fscore'],
        'boundary/fscore_1px': counted(boundary_fscore, 1).figures()['fscore'],
        'boundary/fscore_0.03': counted(boundary_fscore, 0.03).figures()['fscore'],
        'trimap/miou_inside_1px': trimap['miou_inside'][0],
        'trimap/miou_outside_1px': trimap['miou_outside'][0],
        'trimap/miou_inside_2.5px': trimap['miou_inside'][1],
        'trimap/miou_outside_2.5px': trimap['miou_outside'][1],
        'boundary/iou': counted(boundary_iou, 0.05).figures()['boundary_iou'],
    }
    assert figures == {name: 100 * figure for name, figure in expected.items()}
    assert 0 < figures['boundary/fscore_0px'] < figures['boundary/fscore_1px'] < 100


def test_settings_reach_the_measures():
    figures = evaluate(
        dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1, average='dataset', prefix='a'),
        dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1, void_boundary=True, prefix='b'),
        dict(type='mmrefine.TrimapIoUMetric', width=1, void_boundary=True, prefix='c'),
        dict(type='mmrefine.BoundaryIoUMetric', void_boundary=True, prefix='d'),
    )
    void = {'void_boundary': True}
    fscore = counted(boundary_fscore, 1).figures('dataset')['fscore']
    expected = {
        'a/fscore_1px': fscore,
        'b/fscore_1px': counted(boundary_fscore, 1, **void).figures()['fscore'],
        'c/miou_inside_1px': counted(trimap_iou, 1, **void).figures()['miou_inside'][0],
        'd/iou': counted(boundary_iou, **void).figures()['boundary_iou'],
    }
    for name, figure in expected.items():
        assert figures[name] == 100 * figure, name
    without = evaluate(
        dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1),
        dict(type='mmrefine.TrimapIoUMetric', width=1),
        dict(type='mmrefine.BoundaryIoUMetric', prefix='iou'),
    )
    assert not set(without.values()) & set(figures.values())


def test_another_ignore_index():
    def make(seed):
        sample = seg_sample(seed)
        sample.gt_sem_seg.data[sample.gt_sem_seg.data == 255] = 99
        return sample

    metric = dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1)
    assert evaluate({**metric, 'ignore_index': 99}, make=make) == evaluate(metric)
    with pytest.raises(ValueError, match=r'target: labels must be 0 ... 2 .* got also \[99\]'):
        evaluate(metric, make=make)


def test_label_maps_of_models_with_one_output_channel_are_floats():
    metric = dict(type='mmrefine.BoundaryIoUMetric')
    floats = evaluate(metric, make=lambda seed: seg_sample(seed, dtype=torch.float32))
    assert floats == evaluate(metric)


def test_table_by_class_is_logged(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        evaluate(dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1))
    finally:
        logger.removeHandler(caplog.handler)
    per_class = counted(boundary_fscore, 1).figures()['fscore_per_class']
    lines = caplog.text.splitlines()
    for name, score in zip(CLASSES, per_class, strict=True):
        (line,) = [line for line in lines if line.startswith(name)]
        assert line.split() == [name, f'{100 * score:.2f}']


@pytest.mark.parametrize(
    ('config', 'text'),
    [
        (dict(type='BoundaryFScoreMetric', tolerance=(1, -1)), 'tolerance: must be pixels'),
        (dict(type='BoundaryFScoreMetric', average='classes'), 'average: must be one of'),
        (dict(type='TrimapIoUMetric', width=(3, 1)), 'width: must be positive and increasing'),
    ],
)
def test_bad_settings_are_refused_before_testing(config, text):
    with pytest.raises(ValueError, match=text):
        Evaluator([{**config, 'type': 'mmrefine.' + config['type']}])


@pytest.mark.parametrize('reduce_zero_label', [False, True])
def test_a_line_in_a_stock_config(run_stock, camvid_folder, reduce_zero_label, read_labels):
    """The figures of a Runner's test are those of its saved predictions and the files."""
    figures, out = run_stock(
        [
            dict(type='IoUMetric', iou_metrics=['mIoU']),
            dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1),
            dict(type='mmrefine.TrimapIoUMetric', width=2),
            dict(type='mmrefine.BoundaryIoUMetric', prefix='bands'),
        ],
        reduce_zero_label=reduce_zero_label,
    )
    pairs = []
    for name, prediction in read_labels(out).items():
        target = read_labels(camvid_folder / 'ann_dir' / 'val')[name]
        if reduce_zero_label:
            # mmseg: 0 is ignored, the others move down; written predictions are moved back up.
            target = np.where((target == 0) | (target == 255), 255, target - 1).astype(np.uint8)
            prediction = prediction - 1
        pairs.append((prediction, target))
    assert len(pairs) == 3
    fscore = total(boundary_fscore(p, t, 1, 4) for p, t in pairs).figures()['fscore']
    trimap = total(trimap_iou(p, t, 2, 4) for p, t in pairs).figures()['miou_inside'][0]
    band = total(boundary_iou(p, t, 0.02, 4) for p, t in pairs).figures()['boundary_iou']
    assert figures['boundary/fscore_1px'] == 100 * fscore
    assert figures['trimap/miou_inside_2px'] == 100 * trimap
    assert figures['bands/iou'] == 100 * band
    assert 0 < band < 1
    assert 'mIoU' in figures
