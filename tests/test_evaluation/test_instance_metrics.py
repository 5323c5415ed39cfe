"""Metrics of instances: against the measures, against mmdet's metrics, in a Runner."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData

from mmrefine.measures.coco import instance_figures
from mmrefine.ops.run_lengths import encode_mask
from mmrefine.registry import METRICS, MODELS

from .conftest import CATEGORY_IDS, IMAGES, coco_annotations
from .samples import CLASSES, det_sample

mmdet = pytest.importorskip('mmdet', reason='needs mmdet')


def evaluate(metric, change=lambda sample: sample, classes=CLASSES, images=IMAGES):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(classes=classes)
    evaluator.process([change(det_sample(seed)[0]) for seed in range(images)])
    return evaluator.evaluate(images)


def metric_of(annotation_file, **settings):
    return dict(type='mmrefine.InstanceBoundaryMetric', ann_file=str(annotation_file), **settings)


def test_figures_are_those_of_the_measure_in_per_cent(annotation_file):
    results = []
    for image in range(IMAGES):
        found = det_sample(image)[0].pred_instances
        for mask, label, score in zip(found.masks, found.labels, found.scores, strict=True):
            results.append(
                dict(
                    image_id=image,
                    category_id=CATEGORY_IDS[CLASSES[label]],
                    score=float(score),
                    segmentation=encode_mask(mask.numpy()),
                )
            )
    settings = dict(dilation_ratio=0.05, tolerance=2, max_detections=3)
    expected = instance_figures(coco_annotations(), results, **settings)
    figures = evaluate(metric_of(annotation_file, **settings))
    assert len(figures) == 13
    for name, figure in figures.items():
        np.testing.assert_equal(figure, 100 * expected[name.removeprefix('instance/')])
    assert 0 < figures['instance/boundary_ap'] < figures['instance/ap'] < 100


@pytest.mark.parametrize('classes', [CLASSES, CLASSES[::-1]])
def test_mask_ap_is_that_of_mmdet(annotation_file, classes):
    """In whatever order the classes come: labels follow the order of the file."""
    coco = dict(type='mmdet.CocoMetric', ann_file=str(annotation_file), metric='segm')
    theirs = evaluate(coco, classes=classes)
    ours = evaluate(metric_of(annotation_file, measures=['ap']), classes=classes)
    # mmdet rounds to three digits.
    assert ours['instance/ap'] / 100 == pytest.approx(theirs['coco/segm_mAP'], abs=5e-4)
    assert ours['instance/ap75'] / 100 == pytest.approx(theirs['coco/segm_mAP_75'], abs=5e-4)
    assert set(ours) >= {'instance/ap', 'instance/ap_small'}
    assert 'instance/af' not in ours


def test_gain_of_the_metrics_of_both_projects(annotation_file, tmp_path):
    coco = dict(
        type='mmdet.CocoMetric',
        ann_file=str(annotation_file),
        metric='segm',
        outfile_prefix=str(tmp_path / 'results'),
    )
    figures = evaluate(
        dict(type='mmrefine.RefinementGain', metric=[coco, metric_of(annotation_file)])
    )
    for name in ('coco/segm_mAP', 'instance/ap', 'instance/af'):
        assert figures[f'{name}_after'] > figures[f'{name}_before'] > 0
        gain = figures[f'{name}_after'] - figures[f'{name}_before']
        assert figures[f'{name}_gain'] == pytest.approx(gain)
    written = sorted(p.name for p in (tmp_path / 'results').iterdir())
    assert written == [f'{s}.{k}.json' for s in ('after', 'before') for k in ('bbox', 'segm')]


def test_masks_as_run_length_codes_and_mask_scores(annotation_file):
    def change(sample):
        found = sample.pred_instances
        coded = InstanceData(labels=found.labels, mask_scores=found.scores)
        coded.masks = [encode_mask(mask.numpy()) for mask in found.masks]
        sample.pred_instances = coded
        return sample

    metric = metric_of(annotation_file)
    assert evaluate(metric, change) == pytest.approx(evaluate(metric), nan_ok=True)


def test_only_the_predicted_images_are_judged(annotation_file):
    metric = metric_of(annotation_file, measures=['ap'])
    assert evaluate(metric, images=2)['instance/ap'] > 40


def test_what_does_not_fit(annotation_file):
    with pytest.raises(ValueError, match=r"ann_file: .* no category named \['bus'\]; it has"):
        evaluate(metric_of(annotation_file), classes=('road', 'car', 'bus'))

    def without_masks(sample):
        del sample.pred_instances.masks
        return sample

    with pytest.raises(ValueError, match='pred_instances has no masks: a model with a mask head'):
        evaluate(metric_of(annotation_file), without_masks)


# Cityscapes --------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def cityscapes(tmp_path_factory):
    """Return a folder with Cityscapes-like ground truth of ``det_sample``, and a change of it."""
    root = tmp_path_factory.mktemp('cityscapes')
    (root / 'gtFine' / 'x').mkdir(parents=True)
    for seed in range(IMAGES):
        _, masks, labels = det_sample(seed)
        instance_ids = np.full(masks.shape[1:], 7, np.uint16)  # road
        instance_ids[-4:] = 1  # ego vehicle, which is void
        for k, (mask, label) in enumerate(zip(masks, labels, strict=True)):
            instance_ids[mask] = (24 + label) * 1000 + k  # person, rider, car
        cv2.imwrite(str(root / 'gtFine' / 'x' / f'{seed}_gtFine_instanceIds.png'), instance_ids)

    def change(sample):
        sample.set_metainfo(dict(img_path=str(root / sample.img_path)))
        return sample

    return root, change


CITY_CLASSES = ('person', 'rider', 'car')


def test_cityscapes_ap_is_that_of_mmdet(cityscapes, tmp_path, monkeypatch):
    if not hasattr(np, 'in1d'):  # mmdet 3.3 needs it; numpy 2.4 has it no longer
        monkeypatch.setattr(np, 'in1d', np.isin, raising=False)
    root, change = cityscapes
    theirs = dict(
        type='mmdet.CityScapesMetric',
        outfile_prefix=str(tmp_path / 'out'),
        seg_prefix=str(root / 'gtFine'),
    )
    expected = evaluate(theirs, change, CITY_CLASSES)
    figures = evaluate(dict(type='mmrefine.CityscapesInstanceMetric'), change, CITY_CLASSES)
    assert figures['cityscapes/ap'] == pytest.approx(100 * expected['cityscapes/mAP'])
    assert figures['cityscapes/ap50'] == pytest.approx(100 * expected['cityscapes/AP@50'])
    assert 0 < figures['cityscapes/ap'] < figures['cityscapes/ap50']


def test_cityscapes_gain_leaves_nothing_behind(cityscapes, tmp_path, monkeypatch):
    root, change = cityscapes
    monkeypatch.chdir(tmp_path)
    had = hasattr(np, 'in1d')
    metric = dict(type='mmrefine.CityscapesInstanceMetric', gt_dir=str(root / 'gtFine'))
    gain = dict(type='mmrefine.RefinementGain', metric=metric)
    figures = evaluate(gain, change, CITY_CLASSES)
    assert figures['cityscapes/ap_gain'] > 1
    assert not list(tmp_path.iterdir())
    assert hasattr(np, 'in1d') == had


def test_cityscapes_bad_input(cityscapes, tmp_path):
    _, change = cityscapes
    metric = dict(type='mmrefine.CityscapesInstanceMetric')
    with pytest.raises(ValueError, match="classes: 'boat' is not a Cityscapes label"):
        evaluate(metric, change, ('person', 'rider', 'boat'))
    with pytest.raises(FileNotFoundError, match=r'no such ground truth: .*0_gtFine.*4_gtFine'):
        evaluate({**metric, 'gt_dir': str(tmp_path)}, change, CITY_CLASSES)


# In a Runner -------------------------------------------------------------------------------


@MODELS.register_module()
class ShiftedTruth(BaseModel):
    """Predicts the true instances of mmdet's data samples, some pixels too far right."""

    def __init__(self, shift, data_preprocessor=None):
        super().__init__(data_preprocessor=data_preprocessor)
        self.shift = torch.nn.Parameter(torch.tensor(float(shift)))

    def forward(self, inputs, data_samples, mode='tensor'):
        for sample in data_samples:
            truth = sample.gt_instances
            masks = np.roll(truth.masks.masks.astype(bool), int(self.shift), 2)
            sample.pred_instances = InstanceData(
                masks=torch.from_numpy(masks),
                labels=truth.labels,
                scores=torch.linspace(0.9, 0.5, len(masks)),
                bboxes=torch.zeros(len(masks), 4),
            )
        return data_samples


def test_a_line_in_a_stock_mmdet_config(annotation_file, tmp_path):
    """mmdet's dataset and metric and the RefinementHook in one Runner; the gain is found."""
    for image in range(IMAGES):
        cv2.imwrite(str(tmp_path / f'{image}.png'), np.zeros((31, 46, 3), np.uint8))
    metric = dict(type='CocoMetric', ann_file=str(annotation_file), metric='segm')
    cfg = dict(
        default_scope='mmdet',
        model=dict(
            type='mmrefine.ShiftedTruth',
            shift=2,
            data_preprocessor=dict(type='DetDataPreprocessor'),
        ),
        work_dir=str(tmp_path / 'work'),
        test_dataloader=dict(
            batch_size=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='CocoDataset',
                ann_file=str(annotation_file),
                data_prefix=dict(img=str(tmp_path)),
                metainfo=dict(classes=CLASSES),
                test_mode=True,
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
                    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape')),
                ],
            ),
        ),
        test_cfg=dict(type='TestLoop'),
        test_evaluator=[
            dict(
                type='mmrefine.RefinementGain',
                metric=[metric, metric_of(annotation_file, measures=['ap', 'af'])],
            ),
        ],
        custom_hooks=[
            dict(type='mmrefine.RefinementHook', refiner=dict(type='mmrefine.ShiftBack'))
        ],
    )
    figures = Runner.from_cfg(cfg).test()
    # Shifted back by as much as it was off; what was pushed over the border is gone.
    assert figures['instance/ap_before'] < 60
    assert figures['instance/ap_after'] > 90
    assert figures['instance/af_gain'] > 10
    ratio = figures['coco/segm_mAP_after'] / figures['instance/ap_after']
    assert ratio == pytest.approx(0.01, abs=2e-5)


def test_metrics_are_found_by_their_names():
    for name in ('InstanceBoundaryMetric', 'CityscapesInstanceMetric', 'RefinementGain'):
        assert METRICS.get(f'mmrefine.{name}').__name__ == name
