"""Consistency of drawn videos, on one process and two, and what cannot be measured."""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from moving_scene import write_videos

from mmrefine.datasets import VideoSampler
from mmrefine.measures import perceptual_consistency
from mmrefine.models import PerceptualFeatures

from .evaluate_videos import METRICS, Frames, evaluate, main

SCRIPT = Path(__file__).parent / 'evaluate_videos.py'
METRIC = METRICS[0]
NAMES = ('perceptual_consistency', 'flow_miou', 'flow_accuracy')


@pytest.fixture
def videos(tmp_path):
    return write_videos(tmp_path / 'videos', {'a': 3, 'b': 7, 'c': 4})


def in_order(frames):
    return list(VideoSampler(frames))


def test_figures_are_means_over_pairs_within_videos(videos):
    frames = Frames(videos)
    figures = evaluate([dict(METRIC, flow=False)], frames, in_order(frames))
    assert set(figures) == {f'video/{NAMES[0]}', f'video/{NAMES[0]}_per_video'}
    network, by_video = PerceptualFeatures(), {}
    order = in_order(frames)
    for first, second in itertools.pairwise(order):
        names = [frames.paths[i].name[0] for i in (first, second)]
        if names[0] != names[1]:
            continue
        features = tuple(
            network.of_image(cv2.imread(str(frames.paths[i]))) for i in (first, second)
        )
        maps = []
        for index in (first, second):
            sample = frames.sample(index)
            truth = sample.gt_sem_seg.data[0]
            maps.append(sample.pred_sem_seg.data[0].where(truth != 255, 255))
        counts = perceptual_consistency(features, tuple(maps))
        by_video.setdefault(names[0], []).append(counts.figures()['perceptual_consistency'])
    assert [len(v) for v in by_video.values()] == [2, 6, 3]
    pooled = np.concatenate(list(by_video.values())).mean()
    each = np.mean([np.mean(v) for v in by_video.values()])
    assert figures[f'video/{NAMES[0]}'] == pytest.approx(100 * pooled)
    assert figures[f'video/{NAMES[0]}_per_video'] == pytest.approx(100 * each)


def test_inconsistent_predictions_score_less(videos):
    frames = Frames(videos)
    truth, few, many = (
        evaluate([METRIC], frames, in_order(frames), flip=share) for share in (0, 0.1, 0.4)
    )
    for name in NAMES:
        name = f'video/{name}'
        assert truth[name] > few[name] + 3 > many[name] + 6
    assert truth['video/flow_miou'] > 85  # the scene moves as a whole


@pytest.mark.slow
def test_two_processes_with_whole_videos_give_the_figures_of_one(videos, run_fresh, tmp_path):
    main(videos, tmp_path / 'one.json')
    launch = ('-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2', SCRIPT)
    result = run_fresh(*map(str, (*launch, videos, tmp_path / 'two.json')))
    assert result.returncode == 0, result.stderr
    one, two = (json.loads((tmp_path / name).read_text()) for name in ('one.json', 'two.json'))
    assert one == pytest.approx(two)
    assert one['mIoU'] > 50


def test_a_pair_around_missing_frames_does_not_count(videos):
    frames = Frames(videos)
    whole = {
        name: evaluate(
            [METRIC], frames, [i for i in in_order(frames) if keep(frames.paths[i].name)]
        )
        for name, keep in {
            'b without 3': lambda n: n[0] == 'b' and n != 'b_0003.png',
            'b to 2': lambda n: n[0] == 'b' and n < 'b_0003.png',
            'b from 4': lambda n: n[0] == 'b' and n > 'b_0003.png',
        }.items()
    }
    name = f'video/{NAMES[0]}'
    mean = np.mean([whole['b to 2'][name]] * 2 + [whole['b from 4'][name]] * 2)
    assert whole['b without 3'][name] == pytest.approx(mean)


def test_what_cannot_be_measured_is_said(videos, tmp_path):
    frames = Frames(videos)
    order = in_order(frames)
    with pytest.raises(ValueError, match='frames must come in order'):
        evaluate([METRIC], frames, order[::-1])
    with pytest.raises(ValueError, match='no two frames of one video'):
        evaluate([METRIC], frames, order[:1])
    with pytest.raises(ValueError, match='groups'):
        evaluate([dict(METRIC, pattern='x')], frames, order)
    path = frames.paths[order[1]]
    for kind in ('img_dir', 'ann_dir'):
        name = str(path).replace('img_dir', kind)
        cv2.imwrite(name, cv2.imread(name, cv2.IMREAD_UNCHANGED)[:40, :60])
    with pytest.raises(ValueError, match=r'a_0001\.png is \(40, 60\).*must be of one size'):
        evaluate([METRIC], frames, order)
    path.write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'a_0001\.png is not an image'):
        evaluate([METRIC], frames, order)


def test_frames_spread_over_processes_are_noticed(videos):
    """As mmengine's own sampler does: every second frame on another process."""
    frames = Frames(videos)
    order = [i for i in in_order(frames) if frames.paths[i].name[0] == 'b']
    from mmrefine.evaluation import PerceptualConsistencyMetric

    metric = PerceptualConsistencyMetric(flow=False)
    metric.dataset_meta = dict(classes=('a', 'b', 'c', 'd'))
    for part in (order[::2], order[1::2]):
        metric._previous = None
        for index in part:
            metric.process({}, [frames.sample(index).to_dict()])
    with pytest.raises(ValueError, match='spread over processes'):
        metric.evaluate(len(order))


def test_a_second_run_starts_anew(videos):
    frames = Frames(videos)
    order = in_order(frames)
    from mmengine.evaluator import Evaluator

    evaluator = Evaluator([METRIC])
    evaluator.dataset_meta = dict(classes=('a', 'b', 'c', 'd'))
    runs = []
    for _ in range(2):
        for index in order:
            evaluator.process([frames.sample(index)])
        runs.append(evaluator.evaluate(len(order)))
    assert runs[0] == runs[1]
