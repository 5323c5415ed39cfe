"""Evaluating COCO results: against the measures called by hand on drawn instances."""

import json

import numpy as np
import pytest

from mmrefine.measures import trimap_iou
from mmrefine.measures.coco import instance_figures, matched_instances
from mmrefine.ops.run_lengths import encode_mask
from mmrefine.reports.evaluation import WIDTHS
from mmrefine.reports.instances import (
    InstanceRules,
    InstancesTask,
    evaluate_results,
)
from mmrefine.reports.truth import read_truth


def values(evaluation):
    return {m.key: m.values for m in evaluation.measures}


def disk(row, column, radius, size_hw=(90, 120)):
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    return np.hypot(rows - row, columns - column) < radius


@pytest.fixture
def coco(tmp_path):
    """Return annotations and two result files: 3 true instances, of which one is missed by one."""
    true = [disk(30, 30, 20), disk(40, 90, 15), disk(85, 5, 18)]
    images = [dict(id=i, height=90, width=120, file_name=f'{i}.jpg') for i in (7, 8)]
    annotations = [
        dict(
            id=i, image_id=7 + i // 2, category_id=1 + i % 2, iscrowd=0, bbox=[0, 0, 9, 9],
            area=int(mask.sum()), segmentation=encode_mask(mask),
        )
        for i, mask in enumerate(true)
    ]  # fmt: skip
    crowd = dict(annotations[0], id=9, image_id=8, iscrowd=1, category_id=2)
    names = [dict(id=1, name='cell'), dict(id=2, name='dirt')]
    content = dict(images=images, annotations=[*annotations, crowd], categories=names)
    (tmp_path / 'gt.json').write_text(json.dumps(content))
    shifts = {'before': [(0, 4), (3, 3), (0, 4)], 'after': [(0, 1), (1, 1), (40, 40)]}
    for name, moves in shifts.items():
        results = [
            dict(
                image_id=a['image_id'], category_id=a['category_id'], score=0.9 - 0.1 * i,
                segmentation=encode_mask(np.roll(mask, move, (0, 1))),
            )
            for i, (a, mask, move) in enumerate(zip(annotations, true, moves, strict=True))
        ]  # fmt: skip
        (tmp_path / f'{name}.json').write_text(json.dumps(results))
    return tmp_path


def test_results_get_the_figures_of_the_measures(coco):
    files = {name: coco / f'{name}.json' for name in ('before', 'after')}
    evaluation = evaluate_results(files, coco / 'gt.json', InstanceRules((1, 2), 0.01))
    found = values(evaluation)
    assert evaluation.classes == ['cell', 'dirt']
    assert evaluation.subject == '3 instances in 2 images'
    for p, path in enumerate(files.values()):
        expected = instance_figures(coco / 'gt.json', path, dilation_ratio=0.01, tolerance=1)
        for key in ('ap', 'ap50', 'boundary_ap', 'boundary_ap75'):
            assert found[key][p] == 100 * expected[key]
        assert found['af_1px'][p] == 100 * expected['af']
        wider = instance_figures(coco / 'gt.json', path, ['af'], tolerance=2)
        assert found['af_2px'][p] == 100 * wider['af'] > found['af_1px'][p]
        per_class = [100 * v for v in expected['ap_per_category'].values()]
        assert evaluation.measures[0].by_class[p].tolist() == per_class


def test_only_instances_that_all_find_are_compared_by_pixels(coco):
    files = {name: coco / f'{name}.json' for name in ('before', 'after')}
    evaluation = evaluate_results(files, coco / 'gt.json')
    assert 'of the 2 that every prediction finds' in evaluation.remarks[0]
    assert [score.name for score in evaluation.scores] == ['7.jpg']
    true = [disk(30, 30, 20), disk(40, 90, 15)]
    before = [np.roll(true[0], (0, 4), (0, 1)), np.roll(true[1], (3, 3), (0, 1))]
    wrong = (before[0] ^ true[0]) | (before[1] ^ true[1])
    assert evaluation.scores[0].wrong[0] == wrong.sum()
    assert evaluation.scores[0].pixels == (true[0] | true[1]).sum()


def test_instances_are_cropped_without_a_difference():
    """Figures in all bands are those of whole images, though only the surroundings are read."""
    size = (260, 300)
    true, mask = disk(120, 150, 30, size), disk(125, 140, 33, size)
    task = InstancesTask('a', 'a', size, (encode_mask(true),), ((encode_mask(mask),),))
    found = task.count().counts[0]['trimap']
    whole = trimap_iou(mask, true, WIDTHS)
    assert whole.pixels[-1] > found.pixels[-1] > 0, 'far pixels are left out'
    assert found.pixels[:-1].tolist() == whole.pixels[:-1].tolist()
    for name in ('right', 'predicted', 'target', 'wrong'):
        assert getattr(found, name).tolist() == getattr(whole, name).tolist()


def test_no_instance_in_common(coco):
    content = json.loads((coco / 'after.json').read_text())
    (coco / 'after.json').write_text(json.dumps(content[2:]))
    files = {name: coco / f'{name}.json' for name in ('before', 'after')}
    evaluation = evaluate_results(files, coco / 'gt.json')
    assert list(evaluation.scores) == []
    assert values(evaluation)['ap'][1] == 0
    assert np.isnan(evaluation.bands.inside).all()


def test_no_results_at_all(coco):
    (coco / 'none.json').write_text('[]')
    evaluation = evaluate_results({'none': coco / 'none.json'}, coco / 'gt.json')
    assert values(evaluation)['ap'].tolist() == [0]


def test_matched_instances_by_their_places(coco):
    """Crowds and instances below the threshold are no matches; the order of results is kept."""
    before = json.loads((coco / 'before.json').read_text())
    gt = coco / 'gt.json'
    assert matched_instances(gt, before) == [(0, 0), (1, 1), (2, 2)]
    assert matched_instances(gt, before[::-1]) == [(0, 2), (1, 1), (2, 0)]
    assert matched_instances(gt, coco / 'after.json') == [(0, 0), (1, 1)]
    assert matched_instances(gt, before, iou_threshold=0.99) == []


def change(path, **values):
    content = json.loads(path.read_text())
    (content['annotations'] if isinstance(content, dict) else content)[0].update(values)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ('values', 'words'),
    [
        (dict(segmentation=[]), 'without a mask'),
        (dict(segmentation=None), 'without a mask'),
        (dict(image_id=99), 'of unknown images'),
        (dict(category_id=99), 'of no category'),
    ],
)
def test_annotations_that_judge_nothing_are_counted(coco, values, words):
    change(coco / 'gt.json', **values)
    truth = read_truth(coco / 'gt.json')
    assert truth.remarks == (f'{coco}/gt.json: 1 annotations {words} are passed over.',)
    found = evaluate_results({'after': coco / 'after.json'}, coco / 'gt.json')
    assert truth.remarks[0] in found.remarks
    assert found.subject == '2 instances in 2 images'


@pytest.mark.parametrize(
    ('values', 'text'),
    [
        (dict(score='0.9'), "entry 0: expected a number as score, got '0.9'"),
        (dict(score=None), 'entry 0: expected a number as score, got None'),
        (dict(category_id=[1]), r'entry 0: category_id is no id: \[1\]'),
        (dict(image_id=77), 'image_id 77 not in the annotations'),
    ],
)
def test_results_of_the_wrong_kind_are_named(coco, values, text):
    change(coco / 'after.json', **values)
    with pytest.raises(ValueError, match=f'after.json: .*{text}'):
        evaluate_results({'after': coco / 'after.json'}, coco / 'gt.json')


def test_masks_without_classes_are_judged_as_one_class(coco):
    entries = json.loads((coco / 'gt.json').read_text())['annotations'][:1]
    masks = [dict(segmentation=e['segmentation'], area=1, predicted_iou=0.5) for e in entries]
    (coco / '7.json').write_text(json.dumps(masks))
    found = evaluate_results({'sam': coco / '7.json'}, coco / 'gt.json')
    assert found.classes == ['object']
    assert 'have no classes' in found.remarks[-1]
    assert 0 < values(found)['ap50'][0] < 100
