"""Frames refined steadily from files: as in Python, in any order, and after an interruption."""

import cv2
import numpy as np
import pytest
from moving_scene import write_videos

from mmrefine.batch.label_maps import LabelMaps
from mmrefine.batch.steady import SteadySource
from mmrefine.batch.tasks import run_tasks
from mmrefine.files.label_ids import with_ignored
from mmrefine.refiners import Refiner
from mmrefine.refiners.steady import refine_video


class Unsure(Refiner):
    """Finds more or less than it is given, by what the frame looks like."""

    def __init__(self):
        self.seen = 0

    def refine(self, image, masks):
        raise AssertionError

    def soft_masks(self, image, masks):
        self.seen += 1
        noise = np.random.default_rng(int(image.sum())).normal(0, 0.4, masks.shape)
        return (0.3 + 0.4 * masks + noise).clip(0, 1).astype(np.float32)


@pytest.fixture
def work(tmp_path):
    write_videos(tmp_path, {'a': 3, 'b': 5})
    return LabelMaps(tmp_path / 'img_dir/val', tmp_path / 'ann_dir/val', tmp_path / 'out')


def labels_of(task):
    form, ignored = task.read((48, 64))
    return form.labels, ignored


def refined(work):
    return [cv2.imread(str(task.out), -1) for task in work.tasks]


def test_files_are_refined_as_in_python(work):
    refiner = Unsure()
    report = run_tasks(work.tasks, SteadySource(refiner, work.tasks, 2))
    assert (report.refined, report.failed) == (8, [])
    assert refiner.seen == 8  # each frame once
    expected = []
    for name in 'ab':
        tasks = [task for task in work.tasks if task.mask.name[0] == name]
        frames = [(task.image.path, cv2.imread(str(task.mask), -1)) for task in tasks]
        expected += refine_video(Unsure(), frames, 2)
    for found, wanted in zip(refined(work), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_order_and_an_interruption_change_nothing(work):
    run_tasks(work.tasks, SteadySource(Unsure(), work.tasks, 1))
    whole = refined(work)
    for task in work.tasks[1::2]:
        task.out.unlink()
    report = run_tasks(work.tasks[::-1], SteadySource(Unsure(), work.tasks, 1))
    assert (report.refined, report.skipped) == (4, 4)
    for found, wanted in zip(refined(work), whole, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_broken_frame_is_reported_once_and_others_are_refined(work):
    work.tasks[4].image.path.write_bytes(b'no image')
    report = run_tasks(work.tasks, SteadySource(Unsure(), work.tasks, 2))
    assert report.refined == 7
    assert len(report.failed) == 1
    assert work.tasks[4].image.path.name in report.failed[0]


def test_names_and_reach(work):
    with pytest.raises(ValueError, match='reach'):
        SteadySource(Unsure(), work.tasks, -1)
    # The first frame of b has a neighbour before it where all are one video.
    task = work.tasks[3]
    coarse = with_ignored(*labels_of(task))
    found = []
    for one_video in (False, True):
        source = SteadySource(Unsure(), work.tasks, 1, one_video)
        with source.open(task.image) as opened:
            found.append(opened.refine(coarse))
    assert source.refiner.seen == 3
    assert not np.array_equal(*found)
