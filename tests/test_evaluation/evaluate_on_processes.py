"""Evaluate drawn samples on however many processes run this; the first writes the figures.

python evaluate_on_processes.py OUT.json ANNOTATIONS.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from mmengine.dist import get_dist_info
from mmengine.evaluator import Evaluator

from mmrefine.runs.processes import leave_processes, start_processes
from test_evaluation.samples import CLASSES, det_sample, seg_sample

IMAGES = 5  # odd: the second of two processes gets one image again, which must not count


def evaluate(metrics, make):
    rank, processes = get_dist_info()
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=CLASSES)
    for start in range(0, IMAGES, processes):
        evaluator.process([make((start + rank) % IMAGES)])
    return evaluator.evaluate(IMAGES)


def main(out, annotations):
    label_maps = [
        dict(type='mmrefine.BoundaryFScoreMetric', collect_device='cpu'),
        dict(type='mmrefine.TrimapIoUMetric', width=(1, 2), collect_device='cpu'),
        dict(type='mmrefine.BoundaryIoUMetric', collect_device='cpu'),
        dict(type='mmrefine.RefinementGain', metric=dict(type='mmseg.IoUMetric')),
        dict(
            type='mmrefine.RefinementGain',
            metric=dict(type='mmrefine.BoundaryFScoreMetric', tolerance=1, prefix='inside'),
        ),
    ]
    instances = dict(
        type='mmrefine.RefinementGain',
        metric=dict(type='mmrefine.InstanceBoundaryMetric', ann_file=annotations),
    )
    figures = evaluate(label_maps, seg_sample)
    figures |= evaluate(instances, lambda seed: det_sample(seed)[0])
    if get_dist_info()[0] == 0:
        figures = {k: float(v) for k, v in figures.items()}
        Path(out).write_text(json.dumps(figures))


if __name__ == '__main__':
    start_processes('pytorch')
    main(*sys.argv[1:])
    leave_processes()
