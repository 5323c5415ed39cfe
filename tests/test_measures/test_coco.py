"""Instance figures against pycocotools and against drawn cases."""

import json
import math

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmrefine.measures import boundary_fscore, boundary_iou
from mmrefine.measures.coco import (
    instance_figures,
    instance_upper_bound,
    matched_instances,
)
from mmrefine.ops.run_lengths import encode_mask

SIZE_HW = (80, 110)

# pycocotools 2.0 on numpy 2.
pytestmark = pytest.mark.filterwarnings('ignore:__array__ implementation')


def box(top, left, height, width, size_hw=SIZE_HW):
    mask = np.zeros(size_hw, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def annotation(number, mask, category=1, image=1, **more):
    return dict(
        id=number,
        image_id=image,
        category_id=category,
        segmentation=encode_mask(mask),
        area=int(mask.sum()),
        bbox=[float(v) for v in rle.toBbox(encode_mask(mask))],
        iscrowd=0,
        **more,
    )


def result(mask, score, category=1, image=1):
    return dict(image_id=image, category_id=category, score=score, segmentation=encode_mask(mask))


def dataset(annotations, images=1, categories=1):
    height, width = SIZE_HW
    return dict(
        images=[
            dict(id=i + 1, height=height, width=width, file_name=f'{i}') for i in range(images)
        ],
        annotations=annotations,
        categories=[dict(id=c + 1, name='abc'[c]) for c in range(categories)],
    )


def random_case(seed):
    """Boxes in three images and two categories; predictions shifted, doubled, missed; a crowd."""
    rng = np.random.default_rng(seed)
    annotations, results = [], []
    for image in (1, 2, 3):
        for _ in range(6):
            top, left = rng.integers(0, 60), rng.integers(0, 85)
            height, width = rng.integers(8, 45, 2)
            category = int(rng.integers(1, 3))
            truth = box(top, left, height, width)
            entry = annotation(len(annotations) + 1, truth, category, image)
            entry['iscrowd'] = int(rng.random() < 0.15)
            annotations.append(entry)
            for _ in range(rng.integers(0, 3)):
                shifted = np.roll(truth, tuple(rng.integers(-4, 5, 2)), (0, 1))
                results.append(result(shifted, float(rng.random()), category, image))
    return dataset(annotations, 3, 2), results


class BoundaryCOCOeval(COCOeval):
    """pycocotools with boundary IoU as its authors define it: min(mask IoU, boundary IoU)."""

    def computeIoU(self, image, category):
        overlaps = super().computeIoU(image, category)
        if not len(overlaps):
            return overlaps
        found = sorted(self._dts[image, category], key=lambda d: -d['score'])
        for d, dt in enumerate(found):
            for g, gt in enumerate(self._gts[image, category]):
                if not gt['iscrowd']:
                    masks = (rle.decode(a['segmentation']).astype(bool) for a in (dt, gt))
                    own = boundary_iou(*masks, 0.02).figures()['boundary_iou']
                    overlaps[d, g] = min(overlaps[d, g], own)
        return overlaps


def run_pycocotools(annotations, results, kind=COCOeval):
    truth = COCO()
    truth.dataset = json.loads(json.dumps(annotations))
    truth.createIndex()
    evaluator = kind(truth, truth.loadRes(json.loads(json.dumps(results))), 'segm')
    evaluator.evaluate()
    evaluator.accumulate()
    evaluator.summarize()
    return evaluator


@pytest.mark.parametrize('seed', range(3))
def test_mask_ap_and_boundary_ap_as_pycocotools(seed):
    annotations, results = random_case(seed)
    figures = instance_figures(annotations, results, ('ap', 'boundary_ap'))
    for prefix, kind in (('', COCOeval), ('boundary_', BoundaryCOCOeval)):
        stats = run_pycocotools(annotations, results, kind).stats
        names = ('ap', 'ap50', 'ap75', 'ap_small', 'ap_medium', 'ap_large')
        for name, expected in zip(names, stats, strict=False):
            expected = math.nan if expected == -1 else expected
            np.testing.assert_allclose(figures[prefix + name], expected, err_msg=prefix + name)
    assert figures['ap'] > figures['boundary_ap'] > 0
    assert set(figures['ap_per_category']) == {'a', 'b'}
    assert np.mean(list(figures['ap_per_category'].values())) == pytest.approx(figures['ap'])


@pytest.mark.parametrize('seed', range(3))
def test_af_with_the_matches_of_pycocotools(seed):
    annotations, results = random_case(seed)
    evaluator = run_pycocotools(annotations, results)
    scores = [[] for _ in range(10)]
    whole = [e for e in evaluator.evalImgs if e and e['aRng'] == [0, 1e10]]
    for entry in whole:
        for t in range(10):
            for d, found in enumerate(entry['dtIds']):
                true = int(entry['dtMatches'][t, d])
                if true and not evaluator.cocoGt.anns[true]['iscrowd']:
                    masks = [
                        rle.decode(a['segmentation']).astype(bool)
                        for a in (evaluator.cocoDt.anns[found], evaluator.cocoGt.anns[true])
                    ]
                    scores[t].append(boundary_fscore(*masks, 1).per_image().item())
    figures = instance_figures(annotations, results, ['af'])
    expected = [np.mean(s) if s else np.nan for s in scores]
    np.testing.assert_allclose(figures['af_per_threshold'], expected)
    assert figures['af'] == pytest.approx(np.nanmean(expected))
    assert 0 < figures['af'] < 1
    assert len(scores[0]) > len(scores[9])


@pytest.mark.parametrize('seed', range(2))
def test_matched_instances_are_those_of_pycocotools(seed):
    annotations, results = random_case(seed)
    evaluator = run_pycocotools(annotations, results)
    expected = []
    for entry in evaluator.evalImgs:
        if entry and entry['aRng'] == [0, 1e10]:
            for found, true in zip(entry['dtIds'], entry['dtMatches'][5], strict=True):
                if true and not evaluator.cocoGt.anns[true]['iscrowd']:
                    expected.append((found - 1, int(true) - 1))
    assert matched_instances(annotations, results, 0.75) == sorted(expected)
    assert len(expected) > 5


def test_figures_do_not_depend_on_the_order_or_the_ids():
    annotations, results = random_case(5)
    expected = instance_figures(annotations, results)
    shuffled = [{**a, 'id': i} for i, a in enumerate(annotations['annotations'][::-1])]  # has id 0
    again = instance_figures({**annotations, 'annotations': shuffled}, results[::-1])
    for name, figure in expected.items():
        np.testing.assert_equal(again[name], figure, err_msg=name)


def test_files_and_content_give_the_same(tmp_path):
    annotations, results = random_case(1)
    (tmp_path / 'a.json').write_text(json.dumps(annotations))
    (tmp_path / 'r.json').write_text(json.dumps(results))
    before = json.dumps([annotations, results])
    from_content = instance_figures(annotations, results)
    assert json.dumps([annotations, results]) == before
    from_files = instance_figures(tmp_path / 'a.json', str(tmp_path / 'r.json'))
    np.testing.assert_equal(from_files, from_content)


def test_only_some_images():
    annotations, results = random_case(2)
    one = {**annotations, 'images': annotations['images'][:1]}
    one['annotations'] = [a for a in annotations['annotations'] if a['image_id'] == 1]
    of_one = [r for r in results if r['image_id'] == 1]
    expected = instance_figures(one, of_one)
    np.testing.assert_equal(instance_figures(annotations, of_one, image_ids={1}), expected)
    assert instance_figures(annotations, of_one)['ap'] < expected['ap']


def test_max_detections():
    masks = [box(5, 5 + 30 * k, 20, 20) for k in range(3)]
    annotations = dataset([annotation(k + 1, m) for k, m in enumerate(masks)])
    results = [result(m, 0.9 - 0.1 * k) for k, m in enumerate(masks)]
    assert instance_figures(annotations, results, ['ap'])['ap'] == 1
    assert 0.3 < instance_figures(annotations, results, ['ap'], max_detections=1)['ap'] < 0.4


def test_nothing_predicted_and_nothing_there():
    annotations = dataset([annotation(1, box(5, 5, 20, 20))], categories=2)
    figures = instance_figures(annotations, [])
    assert figures['ap'] == figures['boundary_ap'] == 0
    assert math.isnan(figures['af'])
    assert figures['ap_per_category']['a'] == 0
    assert math.isnan(figures['ap_per_category']['b'])
    empty = instance_figures(dataset([]), [result(box(5, 5, 20, 20), 0.5)])
    assert math.isnan(empty['ap'])
    assert math.isnan(empty['af'])


def test_dilation_ratio_is_used():
    truth = box(10, 10, 60, 90)
    annotations, results = dataset([annotation(1, truth)]), [result(np.roll(truth, 2, 1), 0.9)]
    wide, narrow = (
        instance_figures(annotations, results, ['boundary_ap'], dilation_ratio=r)['boundary_ap']
        for r in (0.1, 0.005)
    )
    assert wide > narrow


def test_upper_bound_drawn():
    truth = box(20, 20, 40, 60)
    grown, far = box(18, 18, 44, 64), box(0, 90, 10, 10)
    missed = annotation(2, box(70, 0, 8, 8))
    annotations = dataset([annotation(1, truth), missed])
    results = [result(grown, 0.9), result(far, 0.8)]
    figures = instance_upper_bound(annotations, results, (1, 2, math.inf))
    np.testing.assert_array_equal(figures['distances'], [0, 1, 2, math.inf])
    # IoU 0.852: right at 8 of 10 thresholds; at 1 px 42 x 62, IoU 0.922: at 9; at 2 px at all.
    # The missed instance halves the recall: 51 of 101 points.
    np.testing.assert_allclose(figures['ap'], np.array([0.8, 0.9, 1, 1]) * 51 / 101)


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'image_id': 77}, r'results: image_id 77 not in the annotations, which have 1'),
        ({'category_id': 5}, r'results: category_id 5 not in the annotations, which have 1'),
        (
            {'segmentation': encode_mask(box(0, 0, 5, 5, (110, 80)))},
            r'mask of \(110, 80\).*of \(80, 110\)',
        ),
    ],
)
def test_results_that_do_not_fit(change, text):
    annotations = dataset([annotation(1, box(5, 5, 20, 20))])
    good = result(box(5, 5, 20, 20), 0.9)
    with pytest.raises(ValueError, match=text):
        instance_figures(annotations, [good, {**good, **change}])


def test_other_bad_input(tmp_path):
    annotations = dataset([annotation(1, box(5, 5, 20, 20))])
    good = result(box(5, 5, 20, 20), 0.9)
    for key in ('score', 'segmentation'):
        with pytest.raises(ValueError, match=f"results: entries 1 have no '{key}'"):
            instance_figures(annotations, [good, {k: v for k, v in good.items() if k != key}])
    many = [{**good, 'image_id': 100 + i} for i in range(13)]
    with pytest.raises(ValueError, match=r'image_id 100, .*, 109 and 3 more not in'):
        instance_figures(annotations, many)
    with pytest.raises(ValueError, match=r"measures: must be of .*, got \['AP'\]"):
        instance_figures(annotations, [good], ['AP'])
    with pytest.raises(ValueError, match=r"annotations: \['annotations', 'categories'\] missing"):
        instance_figures({'images': []}, [good])
    (tmp_path / 'broken.json').write_text('{"images": [')
    for pair in ((tmp_path / 'broken.json', [good]), (dataset([]), str(tmp_path / 'broken.json'))):
        with pytest.raises(ValueError, match=r'broken\.json: expected JSON'):
            instance_figures(*pair)


def test_categories_of_one_name_are_kept_apart():
    """Only the first is found: neither figure may take the place of the other."""
    there, missed = box(5, 5, 20, 20), box(40, 40, 20, 30)
    annotations = dataset([annotation(1, there), annotation(2, missed, 2)], categories=3)
    for category, name in zip(annotations['categories'], ('x', 'x', 'y'), strict=True):
        category['name'] = name
    figures = instance_figures(annotations, [result(there, 1.0)])
    for kind in ('ap', 'boundary_ap'):
        found = figures[f'{kind}_per_category']
        assert list(found) == ['x (id 1)', 'x (id 2)', 'y']
        assert found['x (id 1)'] == pytest.approx(1)
        assert found['x (id 2)'] == 0
        assert math.isnan(found['y'])
    assert figures['af_per_category'] == {'x (id 1)': pytest.approx(1)}


@pytest.mark.parametrize(
    'ids', [('17_12', '1712'), ('007', '7'), ('aachen', 'bonn'), ('1_2', '12'), (0, 1), ('', 'a b')]
)
def test_ids_of_images_are_texts_or_numbers(ids):
    first, second = box(10, 10, 30, 30), box(40, 50, 20, 30)
    truth = dataset([annotation(1, first, image=ids[0]), annotation(2, second, image=ids[1])])
    height, width = SIZE_HW
    truth['images'] = [dict(id=i, height=height, width=width) for i in ids]
    right = [result(first, 0.9, image=ids[0]), result(second, 0.8, image=ids[1])]
    assert instance_figures(truth, right)['ap'] == pytest.approx(1)
    assert matched_instances(truth, right) == [(0, 0), (1, 1)]
    bound = instance_upper_bound(truth, right, [1])['ap']
    np.testing.assert_allclose(bound, 1)
    # the two are never one image
    swapped = [result(first, 0.9, image=ids[1]), result(second, 0.8, image=ids[0])]
    assert instance_figures(truth, swapped)['ap'] == 0
    with pytest.raises(ValueError, match=r'image_id .*lost.* not in the annotations'):
        instance_figures(truth, [result(first, 0.9, image='lost')])


@pytest.mark.parametrize('area', [None, 0])
@pytest.mark.parametrize(('side', 'size'), [(20, 'small'), (60, 'medium'), (100, 'large')])
def test_areas_that_are_missing_are_those_of_the_masks(side, size, area):
    size_hw = (120, 140)
    mask = box(8, 12, side, side, size_hw)
    entry = dict(image_id=1, category_id=1, segmentation=encode_mask(mask))
    if area is not None:
        entry['area'] = area
    truth = dict(
        images=[dict(id=1, height=120, width=140)],
        categories=[dict(id=1, name='a')],
        annotations=[entry],
    )
    figures = instance_figures(truth, [result(mask, 0.9)])
    for name in ('small', 'medium', 'large'):
        for kind in ('ap', 'boundary_ap'):
            value = figures[f'{kind}_{name}']
            assert value == 1 if name == size else math.isnan(value)


def test_results_in_every_form_of_masks():
    mask = box(20, 30, 24, 16)
    compressed = encode_mask(mask)
    changes = np.flatnonzero(np.diff(mask.ravel(order='F').astype(int))) + 1
    counts = np.diff([0, *changes, mask.size]).tolist()
    corners = [30, 20, 46, 20, 46, 44, 30, 44]
    forms = dict(
        compressed=compressed,
        bytes=dict(compressed, counts=compressed['counts'].encode()),
        counts=dict(size=list(SIZE_HW), counts=counts),
        polygon=[corners],
        flat=corners,
        two=[[30, 20, 46, 20, 46, 30, 30, 30], [30, 30, 46, 30, 46, 44, 30, 44], [1, 1, 2, 2]],
    )
    for name, segmentation in forms.items():
        found = dict(image_id=1, category_id=1, score=0.9, segmentation=segmentation)
        figures = instance_figures(dataset([annotation(1, mask)]), [found])
        assert (figures['ap'], figures['af']) == (1, 1), name
        true = [{**annotation(1, mask), 'segmentation': segmentation}]
        assert instance_figures(dataset(true), [result(mask, 0.9)])['ap'] == 1, name


def test_annotations_without_a_mask_are_passed_over():
    mask = box(20, 30, 24, 16)
    without = [
        dict(id=n, image_id=1, category_id=1, bbox=[1, 1, 9, 9], **more)
        for n, more in enumerate([{}, dict(segmentation=[]), dict(segmentation=None)], 5)
    ]
    truth = dataset([*without, annotation(1, mask)])
    assert instance_figures(truth, [result(mask, 0.9)])['ap'] == 1
    assert matched_instances(truth, [result(mask, 0.9)]) == [(0, 3)]
