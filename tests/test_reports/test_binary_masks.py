"""Masks of 0 and 255 are judged as masks, or refused; never as background alone."""

import numpy as np
import pytest
from PIL import Image

from mmrefine.reports.binary_masks import is_binary
from mmrefine.reports.classes import class_list
from mmrefine.reports.label_map_rules import LabelMapRules
from mmrefine.reports.label_maps import compared_label_maps, evaluate_label_maps
from mmrefine.reports.numbered_classes import count_classes

SIZE = (20, 31)


def square(at, value):
    labels = np.zeros(SIZE, np.uint8)
    labels[at : at + 10, at : at + 10] = value
    return labels


@pytest.fixture
def judge(tmp_path):
    """Judge 2 predictions ``p`` by 2 true maps ``t``, an empty one first."""

    def run(prediction, truth, ignore_index=255, classes=None):
        for name, labels in (('p', prediction), ('t', truth)):
            (tmp_path / name).mkdir()
            Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / name / 'a.png')
            Image.fromarray(labels).save(tmp_path / name / 'b.png')
        paths = [sorted((tmp_path / name).iterdir()) for name in 'tp']
        names = class_list([str(n) for n in range(classes)]) if classes else None
        if names is None:
            found = count_classes(*paths, ignore_index)
            names, ignore_index = found.classes, found.ignore_index
        rules = LabelMapRules(names, ignore_index=ignore_index)
        predictions = {'p': tmp_path / 'p'}
        tasks = compared_label_maps(predictions, tmp_path / 't', rules)
        evaluation = evaluate_label_maps(predictions, tmp_path / 't', rules, tasks)
        return evaluation.measures[0].by_class[0]

    return run


# 5 x 5 of 10 x 10 pixels are in common: IoU is 25 / 175.
OBJECT = pytest.approx(100 / 7)


@pytest.mark.parametrize(
    ('prediction', 'truth', 'options'),
    [
        (255, 255, {}),
        (255, 255, dict(ignore_index=None, classes=2)),
        (255, 1, dict(ignore_index=None)),
        (1, 255, dict(ignore_index=None)),
        (255, 1, dict(ignore_index=None, classes=2)),
        (1, 1, {}),
    ],
)
def test_masks_are_judged_as_masks(judge, prediction, truth, options):
    assert judge(square(0, prediction), square(5, truth), **options)[1] == OBJECT


@pytest.mark.parametrize(
    ('prediction', 'truth', 'options', 'text'),
    [
        (255, 1, {}, r'p: all .* only 0 and 255, while .*t holds 0, 1; expected classes 0 to 1, '
         r'255 is none\. If 255 means 1, use --ignore-index none'),
        (255, 2, {}, r'p: all .*t holds 0, 2; expected classes 0 to 2, 255 is none\. Write'),
        (255, 2, dict(classes=3), r'p: all .*t holds 0, 2; .* 255 stands for in its place'),
        (255, 2, dict(ignore_index=None), r'predictions: hold only 0 and 255, while .* holds 0, 2'),
        (255, 2, dict(ignore_index=None, classes=3), r'p/b\.png: expected labels 0 to 2'),
        (1, 255, {}, r't: all label maps hold only 0 and 255, .*, use --ignore-index none$'),
        (255, 255, dict(classes=2), r't: all label maps hold .*, use --ignore-index none$'),
        (255, 255, dict(classes=3), r'--ignore-index none, and two classes, not 3'),
    ],
)  # fmt: skip
def test_others_are_refused(judge, prediction, truth, options, text):
    with pytest.raises(ValueError, match=text):
        judge(square(0, prediction), square(5, truth), **options)


def test_ignored_pixels_of_the_truth_are_told_in_the_advice(judge):
    """With some, --ignore-index none would judge them."""
    truth = square(5, 1)
    truth[0] = 255
    with pytest.raises(ValueError, match=r'holds 0, 1, 255; .* Write the number of the class'):
        judge(square(0, 255), truth)


def test_classes_with_ignored_pixels_are_no_masks(judge):
    truth = square(5, 255)
    truth[3] = 1
    assert np.isfinite(judge(square(0, 1), truth)).all()
    assert not is_binary(truth)
    assert not is_binary(np.zeros(SIZE, np.uint8))
