import numpy as np
import pytest

from mmrefine.measures import boundary_fscore, region_iou, total, trimap_iou
from mmrefine.measures.label_maps import label_pair

from .drawing import draw

MAP = np.zeros((3, 5), np.uint8)


def test_labels_outside_the_classes_are_no_class_in_a_prediction():
    prediction = np.array([[0, 1, 2, 7, 255, -3]], np.int64)
    target = np.array([[0, 1, 2, 2, 2, 255]], np.int64)
    pair = label_pair(prediction, target, num_classes=3)
    assert pair.prediction.tolist() == [[0, 1, 2, 3, 3, 3]]
    assert pair.target.tolist() == [[0, 1, 2, 2, 2, 3]]
    assert pair.ignored.tolist() == [[False] * 5 + [True]]


def test_number_of_classes_by_default():
    target = draw('.14##')
    assert label_pair(draw('.1299'), target).num_classes == 5  # 9 lies on ignored pixels
    assert label_pair(draw('6.###'), target).num_classes == 7
    assert label_pair(draw('#####'), draw('#####')).num_classes == 1
    assert label_pair(MAP > 0, MAP > 0).num_classes == 1


def test_negative_ignore_index():
    target = np.array([[-1, 0, 1]])
    pair = label_pair(np.array([[1, 0, 1]]), target, 2, ignore_index=-1)
    assert pair.target.tolist() == [[2, 0, 1]]
    assert pair.prediction.tolist() == [[2, 0, 1]]


def test_many_classes():
    target = np.array([[0, 300, 255, 65535]], np.uint16)
    pair = label_pair(target, target, num_classes=301, ignore_index=65535)
    assert pair.target.tolist() == [[0, 300, 255, 301]]


@pytest.mark.parametrize('measure', [label_pair, region_iou])
@pytest.mark.parametrize(
    ('prediction', 'target', 'settings', 'error', 'text'),
    [
        (MAP, MAP[:, :4], {}, ValueError, r'of one size, got \(3, 5\) and \(3, 4\)'),
        (MAP[None], MAP[None], {}, ValueError, r'\(H, W\).* got \(1, 3, 5\)'),
        (MAP[:0], MAP[:0], {}, ValueError, r'got \(0, 5\)'),
        (MAP.astype(float), MAP, {}, TypeError, 'prediction: .* got dtype float64'),
        (MAP, MAP > 0, {}, TypeError, 'both label maps, got dtypes uint8 and bool'),
        (MAP > 0, MAP > 0, {'num_classes': 2}, ValueError, 'num_classes: bool masks have 1'),
        (MAP, MAP, {'num_classes': 0}, ValueError, 'num_classes: must be at least 1, got 0'),
        (MAP, MAP + 7, {'num_classes': 4}, ValueError, r'target: .* 0 ... 3 .* got also \[7\]'),
        (MAP, MAP - 1, {'ignore_index': 0, 'num_classes': 4}, ValueError, r'got also \[255\]'),
    ],
)
def test_bad_input(measure, prediction, target, settings, error, text):
    with pytest.raises(error, match=text):
        measure(prediction, target, **settings)


def test_counts_that_do_not_fit_together():
    with pytest.raises(ValueError, match=r'confusion: .*was num_classes given'):
        region_iou(MAP, MAP, 3) + region_iou(MAP, MAP, 4)
    with pytest.raises(ValueError, match=r'predicted: .*was num_classes given'):
        boundary_fscore(MAP, MAP, 1, 3) + boundary_fscore(MAP, MAP, 1, 4)
    with pytest.raises(ValueError, match='tolerance: counts made with different settings'):
        boundary_fscore(MAP, MAP, 1, 3) + boundary_fscore(MAP, MAP, 2, 3)
    with pytest.raises(ValueError, match='widths: counts made with different settings'):
        trimap_iou(MAP, MAP, 1, 3) + trimap_iou(MAP, MAP, (1, 2), 3)
    with pytest.raises(TypeError, match='of one kind'):
        region_iou(MAP, MAP, 3) + boundary_fscore(MAP, MAP, 1, 3)
    with pytest.raises(TypeError, match='unsupported operand'):
        region_iou(MAP, MAP, 3) + 1
    with pytest.raises(ValueError, match='nothing to add up'):
        total([])
