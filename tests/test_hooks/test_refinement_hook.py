"""RefinementHook: everything behind the model sees refined masks, and nothing else changes."""

import uuid
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, BaseTTAModel
from mmengine.registry import METRICS, MODELS, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmseg.structures import SegDataSample
from small_segfix import small_segfix

from mmrefine.apis import refine
from mmrefine.hooks import RefinementHook
from mmrefine.refiners import Refiner, SegFixRefiner, load_image
from mmrefine.registry import REFINERS

SIZE = (48, 64)  # of the images in camvid_folder


@MODELS.register_module()
class DrawnPredictions(BaseModel):
    """A model without a network: ``draw`` writes the prediction into each data sample."""

    def __init__(self, draw: Callable | None = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.draw = draw or draw_labels

    def forward(self, inputs: list, data_samples: list, mode: str) -> list | dict:
        if mode == 'predict':
            for sample in data_samples:
                self.draw(sample)
            return data_samples
        return dict(loss=self.weight.sum() ** 2)


def draw_labels(sample: object) -> None:
    """The ground truth, shifted by a few pixels, without its ignored rows."""
    truth = sample.gt_sem_seg.data
    coarse = torch.roll(truth.where(truth != 255, 1), (3, 5), (1, 2))
    sample.set_data(dict(pred_sem_seg=PixelData(data=coarse)))


def draw_binary(sample: object) -> None:
    """As mmseg's models with a single output channel: a float label map."""
    draw_labels(sample)
    sample.pred_sem_seg.data = (sample.pred_sem_seg.data > 2).float()


def draw_instances(number: int) -> Callable:
    """As mmdet's models: boxes, scores and bool masks at the size of the image."""

    def draw(sample: object) -> None:
        masks = torch.zeros(number, *SIZE, dtype=torch.bool)
        for index, mask in enumerate(masks):
            mask[5 * index : 5 * index + 20, 10:30] = True
        instances = InstanceData(masks=masks, scores=torch.rand(number))
        sample.set_data(dict(pred_instances=instances))

    return draw


@METRICS.register_module()
class KeepSamples(BaseMetric):
    """Keeps what reaches the metrics."""

    kept: list[dict] = []

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        self.kept.extend(data_samples)
        self.results.extend([0] * len(data_samples))

    def compute_metrics(self, results: list) -> dict:
        return dict(images=len(results))


@METRICS.register_module()
class Interrupted(BaseMetric):
    """A metric that fails."""

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        raise KeyboardInterrupt

    def compute_metrics(self, results: list) -> dict:
        return {}


@REFINERS.register_module()
class RollingRefiner(Refiner):
    """Rolls masks to the right, and notes what it was asked for."""

    built: list[str] = []

    def __init__(self, columns: int = 1, device: str = 'none') -> None:
        self.columns = columns
        self.seen: list[tuple] = []
        self.built.append(device)

    def refine(self, image: str, masks: np.ndarray) -> np.ndarray:
        assert load_image(image).shape[:2] == masks.shape[-2:]
        self.seen.append((image, masks.dtype, masks.shape))
        return np.roll(masks, self.columns, axis=-1)


class FirstColumnRefiner(Refiner):
    """Writes a zero into the first column: does not commute with rolling."""

    def refine(self, image: str, masks: np.ndarray) -> np.ndarray:
        masks = masks.copy()
        masks[..., 0] = 0
        return masks


@pytest.fixture
def make_runner(camvid_folder, tmp_path) -> Callable[..., Runner]:
    """Return a function that builds a runner on the validation images of camvid_folder."""

    def make(*hooks: object, model: object = None, metric: str = 'KeepSamples', **pack) -> Runner:
        KeepSamples.kept = []
        init_default_scope('mmseg')
        dataloader = dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate'),
            dataset=dict(
                type='mmrefine.CamVidDataset',
                data_root=str(camvid_folder),
                data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    dict(type='LoadAnnotations'),
                    dict(type='PackSegInputs', **pack),
                ],
            ),
        )
        metrics = [dict(type=metric), dict(type='IoUMetric', iou_metrics=['mIoU'])]
        return Runner(
            model=model or DrawnPredictions(),
            work_dir=str(tmp_path / 'work'),
            default_scope='mmseg',
            test_dataloader=dataloader,
            test_evaluator=metrics if metric == 'KeepSamples' and model is None else metrics[:1],
            test_cfg=dict(type='TestLoop'),
            val_dataloader=dataloader,
            val_evaluator=metrics[:1],
            val_cfg=dict(type='ValLoop'),
            custom_hooks=list(hooks),
            experiment_name=f'hook-{uuid.uuid4().hex}',  # mmengine keeps one log file a name
        )

    return make


def refined_and_coarse() -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (s['pred_sem_seg']['data'].numpy(), s['coarse_sem_seg']['data'].numpy())
        for s in KeepSamples.kept
    ]


@pytest.mark.quick
def test_metrics_see_refined_masks_and_the_model_is_left_as_it_was(make_runner, camvid_folder):
    refiner = RollingRefiner(-5)
    runner = make_runner(RefinementHook(refiner))
    refined = runner.test()
    files = [camvid_folder / 'img_dir' / 'val' / f'{k}.png' for k in range(3)]
    assert all(
        np.array_equal(image, load_image(file))
        for (image, _, _), file in zip(refiner.seen, files, strict=True)
    )
    pairs = refined_and_coarse()
    assert len(pairs) == 3
    for after, before in pairs:
        assert after.shape == before.shape == (1, *SIZE)
        assert after.dtype == before.dtype == np.int64
        assert np.array_equal(after, np.roll(before, -5, axis=-1))
        assert (after != before).any()
    assert not runner.model._forward_hooks
    coarse = make_runner().test()
    assert 'coarse_sem_seg' not in KeepSamples.kept[0]
    assert refined['mIoU'] > coarse['mIoU']


def test_what_was_done_is_logged(make_runner, tmp_path):
    make_runner(RefinementHook(RollingRefiner(-5))).test()
    pairs = refined_and_coarse()
    share = 100 * np.mean([(after != before).mean() for after, before in pairs])
    (log,) = (tmp_path / 'work').glob('*/*.log')
    assert f'RefinementHook: 3 images on this process, {share:.2f} % of mask' in log.read_text()


def test_configs_are_built_once_on_the_device_of_the_model(make_runner):
    RollingRefiner.built.clear()
    hook = dict(
        type='mmrefine.RefinementHook',
        refiner=[
            dict(type='mmrefine.RollingRefiner', columns=2),
            dict(type='mmrefine.RollingRefiner', columns=3, device='elsewhere'),
        ],
    )
    runner = make_runner(hook)
    assert RollingRefiner.built == []
    for _ in range(2):
        KeepSamples.kept.clear()
        runner.test()
        assert all(np.array_equal(a, np.roll(b, 5, -1)) for a, b in refined_and_coarse())
    assert RollingRefiner.built == ['cpu', 'elsewhere']


def test_chain_is_applied_in_order(make_runner):
    make_runner(RefinementHook([RollingRefiner(1), FirstColumnRefiner()])).test()
    for after, before in refined_and_coarse():
        expected = np.roll(before, 1, -1)
        expected[..., 0] = 0
        assert np.array_equal(after, expected)
        assert not np.array_equal(after[..., 1], np.zeros_like(after[..., 1]))


@pytest.mark.parametrize('val', [True, False])
def test_validation(make_runner, val):
    runner = make_runner(RefinementHook(RollingRefiner(), val=val))
    runner.val()
    assert ('coarse_sem_seg' in KeepSamples.kept[0]) == val
    assert len(KeepSamples.kept) == 3
    assert not runner.model._forward_hooks


def test_other_modes_are_left_alone(make_runner):
    """Training between two validations is not refined."""
    refiner = RollingRefiner()
    hook = RefinementHook(refiner)
    runner = make_runner(hook)
    hook.before_val(runner)
    assert runner.model([], [], mode='loss')['loss'] == 0
    assert runner.model([], [], 'loss')['loss'] == 0
    assert refiner.seen == []
    hook.after_val(runner)


def test_after_an_interrupted_run_images_are_refined_once(make_runner):
    hook = RefinementHook(RollingRefiner(5))
    runner = make_runner(hook, metric='Interrupted')
    with pytest.raises(KeyboardInterrupt):
        runner.test()
    again = make_runner(hook, model=runner.model)
    again.test()
    assert all(np.array_equal(a, np.roll(b, 5, -1)) for a, b in refined_and_coarse())
    assert not runner.model._forward_hooks


def test_float_label_maps_stay_float(make_runner):
    refiner = RollingRefiner(3)
    make_runner(RefinementHook(refiner), model=DrawnPredictions(draw_binary)).test()
    assert {dtype.kind for _, dtype, _ in refiner.seen} == {'i'}
    for after, before in refined_and_coarse():
        assert after.dtype == before.dtype == np.float32
        assert np.array_equal(after, np.roll(before, 3, -1))


@pytest.mark.parametrize('number', [3, 0])
def test_instance_masks(make_runner, number):
    refiner = RollingRefiner(4)
    model = DrawnPredictions(draw_instances(number))
    make_runner(RefinementHook(refiner), model=model).test()
    assert len(KeepSamples.kept) == 3
    for sample in KeepSamples.kept:
        after, before = sample['pred_instances'], sample['coarse_instances']
        assert after['masks'].dtype == before['masks'].dtype == torch.bool
        assert torch.equal(after['masks'], before['masks'].roll(4, -1))
        assert torch.equal(after['scores'], before['scores'])
        assert len(after['masks']) == number
    assert {shape for _, _, shape in refiner.seen} == ({(3, *SIZE)} if number else set())


def test_mmdet_sample(camvid_folder):
    """mmdet's own data sample class, with SegFix behind it."""
    structures = pytest.importorskip('mmdet.structures')
    refiner = SegFixRefiner(small_segfix(), device='cpu')
    path = camvid_folder / 'img_dir' / 'val' / '0.png'
    sample = structures.DetDataSample(metainfo=dict(img_path=str(path)))
    draw_instances(2)(sample)
    masks = sample.pred_instances.masks.clone()
    RefinementHook(refiner).refine_sample(sample)
    assert torch.equal(sample.coarse_instances.masks, masks)
    expected = refiner.refine(path, masks.numpy())
    assert np.array_equal(sample.pred_instances.masks.numpy(), expected)
    assert (expected != masks.numpy()).any()
    assert isinstance(sample.pred_instances, InstanceData)


def test_panoptic_sample(camvid_folder):
    """mmdet's panoptic models: a number for each segment, and often instances besides."""
    structures = pytest.importorskip('mmdet.structures')
    path = camvid_folder / 'img_dir' / 'val' / '0.png'
    sample = structures.DetDataSample(metainfo=dict(img_path=str(path)))
    draw_instances(2)(sample)
    masks = sample.pred_instances.masks.clone()
    segments = (1000 * masks[0] + 3 * masks[1]).int()[None]
    sample.pred_panoptic_seg = PixelData(sem_seg=segments, metainfo=dict(ignore_index=4))
    RefinementHook(RollingRefiner(4)).refine_sample(sample)
    assert torch.equal(sample.pred_panoptic_seg.sem_seg, segments.roll(4, -1))
    assert sample.pred_panoptic_seg.ignore_index == 4
    assert torch.equal(sample.coarse_panoptic_seg.sem_seg, segments)
    assert torch.equal(sample.pred_instances.masks, masks.roll(4, -1))
    assert torch.equal(sample.coarse_instances.masks, masks)


def test_fields_of_one_image_share_what_does_not_depend_on_masks(camvid_folder):
    """SegFix's network runs once for segments and instances, in the hook and in refine()."""
    structures = pytest.importorskip('mmdet.structures')
    refiner = SegFixRefiner(small_segfix(), device='cpu')
    runs, predict = [], refiner.model.predict
    refiner.model.predict = lambda *args: runs.append(1) or predict(*args)
    path = camvid_folder / 'img_dir' / 'val' / '0.png'
    samples = []
    for _ in range(2):
        sample = structures.DetDataSample(metainfo=dict(img_path=str(path)))
        draw_instances(2)(sample)
        segments = (1000 * sample.pred_instances.masks[0]).int()[None]
        sample.pred_panoptic_seg = PixelData(sem_seg=segments)
        samples.append(sample)
    RefinementHook(refiner).refine_sample(samples[0])
    assert len(runs) == 1
    samples[1] = refine(refiner, str(path), samples[1])
    assert len(runs) == 2
    for sample in samples:
        for coarse, refined in (
            (sample.coarse_instances.masks, sample.pred_instances.masks),
            (sample.coarse_panoptic_seg.sem_seg[0], sample.pred_panoptic_seg.sem_seg[0]),
        ):
            expected = refiner.refine(path, coarse.numpy())
            assert np.array_equal(refined.numpy(), expected)
            assert (expected != coarse.numpy()).any()


def test_class_255_of_many_is_refined(camvid_folder):
    """What a model predicts is a class: in mmseg's int64 maps nothing is ignored."""
    structures = pytest.importorskip('mmseg.structures')
    refined = []
    for label in (254, 255, 256):
        sample = structures.SegDataSample(
            metainfo=dict(img_path=str(camvid_folder / 'img_dir' / 'val' / '0.png'))
        )
        labels = torch.zeros(1, *SIZE, dtype=torch.int64)
        labels[..., 30:] = label
        sample.pred_sem_seg = PixelData(data=labels)
        RefinementHook(SegFixRefiner(small_segfix(), device='cpu')).refine_sample(sample)
        refined.append(sample.pred_sem_seg.data == label)
        assert (sample.pred_sem_seg.data != labels).any()
    assert torch.equal(refined[0], refined[1])
    assert torch.equal(refined[0], refined[2])


def test_missing_path_of_the_image(make_runner):
    runner = make_runner(RefinementHook(RollingRefiner()), meta_keys=('ori_shape',))
    with pytest.raises(ValueError, match=r"needs img_path .* keep 'img_path' in the meta_keys"):
        runner.test()


def test_nothing_to_refine(make_runner):
    model = DrawnPredictions(lambda sample: None)
    runner = make_runner(RefinementHook(RollingRefiner()), model=model)
    with pytest.raises(ValueError, match=r'no pred_sem_seg, .*masks .*0\.png'):
        runner.test()


class FirstOfAll(BaseTTAModel):
    """Merges the predictions of an image by taking the first."""

    def merge_preds(self, data_samples_list):
        return [samples[0] for samples in data_samples_list]


def test_what_test_time_augmentation_merges_is_refined(camvid_folder):
    path = str(camvid_folder / 'img_dir' / 'val' / '0.png')
    labels = torch.arange(SIZE[1]).repeat(1, SIZE[0], 1)
    model, hook = FirstOfAll(module=DrawnPredictions()), RefinementHook(RollingRefiner())
    runner = SimpleNamespace(model=model, logger=MMLogger.get_current_instance())

    def merged():
        views = []
        for _ in range(2):
            sample = SegDataSample(metainfo=dict(img_path=path))
            sample.pred_sem_seg = PixelData(data=labels.clone())
            views.append(sample)
        [sample] = model.merge_preds([views])
        return sample, views[1]

    hook.before_test(runner)
    sample, other = merged()
    hook.after_test(runner)
    assert (sample.pred_sem_seg.data != labels).any()
    assert torch.equal(sample.coarse_sem_seg.data, labels)
    assert torch.equal(other.pred_sem_seg.data, labels), 'only what is merged is refined'
    sample, _ = merged()
    assert torch.equal(sample.pred_sem_seg.data, labels), 'it does not listen any more'


@pytest.mark.parametrize(
    ('refiner', 'error', 'text'),
    [
        ('segfax', ValueError, 'expected bpr, segfix or an existing config file .py, got segfax'),
        ([RollingRefiner(), 3], TypeError, 'or a refiner config .* got 3'),
        ([], ValueError, 'at least one refiner'),
    ],
)
def test_what_is_no_refiner(refiner, error, text):
    with pytest.raises(error, match=text):
        RefinementHook(refiner)
