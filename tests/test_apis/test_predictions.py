"""Predictions of any kind come back as that kind, refined, and the given ones stay as they are."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmseg.structures import SegDataSample

from mmrefine.apis import RefinementInferencer, refine, refine_dataset
from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.refiners import Refiner, check_masks, load_image

SIZE = (20, 30)
IMAGE = np.zeros((*SIZE, 3), np.uint8)


class RollingRefiner(Refiner):
    def refine(self, image, masks):
        check_masks(masks, load_image(image).shape[:2])
        return np.roll(masks, 2, -1)


def stack():
    masks = np.zeros((3, *SIZE), bool)
    masks[0, 2:9, 3:8] = True
    masks[1, 5:, 12:] = True
    masks[2] = True
    return masks


REFINED = np.roll(stack(), 2, -1)


@pytest.fixture(params=['refine', 'inferencer'])
def refine_one(request):
    refiner = RollingRefiner()
    if request.param == 'refine':
        return lambda predictions: refine(refiner, IMAGE, predictions)
    inferencer = RefinementInferencer(refiner, show_progress=False)
    return lambda predictions: inferencer(IMAGE, predictions, return_vis=True)['predictions']


@pytest.mark.parametrize('dtype', [torch.bool, torch.uint8, torch.int64, torch.float32])
def test_tensors(refine_one, dtype):
    given = torch.from_numpy(stack()).to(dtype)
    if dtype not in (torch.bool, torch.uint8):  # floats: mmseg with a single output channel
        given = given[0]
    before = given.clone()
    refined = refine_one(given)
    assert refined.dtype == dtype
    assert torch.equal(refined, before.roll(2, -1))
    assert torch.equal(given, before)


def detections(number=3, masks=True):
    sv = pytest.importorskip('supervision')
    return sv.Detections(
        xyxy=np.arange(4.0 * number).reshape(number, 4),
        mask=stack()[:number] if masks else None,
        confidence=np.linspace(0.9, 0.5, number),
        class_id=np.arange(number),
        tracker_id=np.arange(number) + 10,
        data={'class_name': np.array(['a', 'b', 'c'][:number])},
    )


def test_supervision(refine_one):
    given = detections()
    refined = refine_one(given)
    assert type(refined) is type(given)
    assert refined is not given
    assert refined.mask.dtype == bool
    assert np.array_equal(refined.mask, REFINED)
    assert given == detections()
    given.mask = refined.mask
    assert refined == given, 'boxes, scores, classes, tracks and data are those that were given'


def test_supervision_compact_masks(refine_one):
    sv = pytest.importorskip('supervision')
    if not hasattr(sv, 'CompactMask'):
        pytest.skip('this supervision has no compact masks')
    given = detections()
    given.xyxy = np.array([[3, 2, 8, 9], [12, 5, 30, 20], [0, 0, 30, 20]], float)
    given.mask = sv.CompactMask.from_dense(stack(), given.xyxy, SIZE)
    refined = refine_one(given)
    assert np.array_equal(np.asarray(refined.mask), REFINED)


def test_supervision_without_detections(refine_one):
    sv = pytest.importorskip('supervision')
    assert len(refine_one(sv.Detections.empty())) == 0


def test_supervision_without_masks(refine_one):
    with pytest.raises(ValueError, match='3 detections without masks'):
        refine_one(detections(masks=False))


def test_mmseg_sample(refine_one):
    labels = torch.from_numpy(stack()[0]).long()[None]
    given = SegDataSample(metainfo=dict(img_path='x.png'))
    given.pred_sem_seg = PixelData(data=labels)
    given.seg_logits = PixelData(data=torch.rand(2, *SIZE))
    refined = refine_one(given)
    assert isinstance(refined, SegDataSample)
    assert torch.equal(refined.pred_sem_seg.data, labels.roll(2, -1))
    assert torch.equal(refined.coarse_sem_seg.data, labels)
    assert torch.equal(refined.seg_logits.data, given.seg_logits.data)
    assert refined.metainfo == given.metainfo
    assert torch.equal(given.pred_sem_seg.data, labels)
    assert 'coarse_sem_seg' not in given


@pytest.mark.parametrize('number', [3, 0])
def test_mmdet_sample(refine_one, number):
    structures = pytest.importorskip('mmdet.structures')
    given = structures.DetDataSample(metainfo=dict(img_path='x.png'))
    masks = torch.from_numpy(stack()[:number])
    boxes = torch.arange(4.0 * number).reshape(number, 4)
    scores = torch.linspace(1, 0, number)
    given.pred_instances = InstanceData(masks=masks, bboxes=boxes, scores=scores)
    refined = refine_one(given)
    assert isinstance(refined, structures.DetDataSample)
    assert refined.pred_instances.masks.dtype == torch.bool
    assert torch.equal(refined.pred_instances.masks, masks.roll(2, -1))
    assert torch.equal(refined.pred_instances.bboxes, boxes)
    assert torch.equal(refined.pred_instances.scores, scores)
    assert torch.equal(refined.coarse_instances.masks, masks)
    assert torch.equal(given.pred_instances.masks, masks)
    assert 'coarse_instances' not in given


def panoptic_sample():
    """What mmdet's own head for panoptic models makes of three queries, one of them no thing."""
    heads = pytest.importorskip('mmdet.models.seg_heads')
    structures = pytest.importorskip('mmdet.structures')
    cfg = dict(iou_thr=0, filter_low_score=True)
    head = heads.MaskFormerFusionHead(num_things_classes=2, num_stuff_classes=1, test_cfg=cfg)
    classes = 20 * torch.eye(4)[[0, 1, 2]]
    logits = 20 * torch.from_numpy(stack()).float() - 10
    logits[2, :, :9] = -10  # where nothing is
    sample = structures.DetDataSample(metainfo=dict(img_path='x.png'))
    sample.pred_panoptic_seg = head.panoptic_postprocess(classes, logits)
    return sample


def test_panoptic_sample(refine_one):
    given = panoptic_sample()
    segments = given.pred_panoptic_seg.sem_seg.clone()
    assert segments.unique().tolist() == [2, 3, 1000, 2001]  # 3: no segment
    refined = refine_one(given)
    assert refined.pred_panoptic_seg.sem_seg.dtype == segments.dtype
    assert torch.equal(refined.pred_panoptic_seg.sem_seg, segments.roll(2, -1))
    assert torch.equal(refined.coarse_panoptic_seg.sem_seg, segments)
    assert torch.equal(given.pred_panoptic_seg.sem_seg, segments)
    assert 'coarse_panoptic_seg' not in given


def test_panoptic_sample_with_instances():
    """As Mask2Former gives them: both are refined."""
    given = panoptic_sample()
    segments, masks = given.pred_panoptic_seg.sem_seg, torch.from_numpy(stack())
    given.pred_instances = InstanceData(masks=masks, scores=torch.ones(3))
    refined = refine(RollingRefiner(), IMAGE, given)
    assert torch.equal(refined.pred_panoptic_seg.sem_seg, segments.roll(2, -1))
    assert torch.equal(refined.pred_instances.masks, masks.roll(2, -1))
    assert torch.equal(refined.coarse_instances.masks, masks)
    with pytest.raises(ValueError, match='got pred_panoptic_seg and pred_instances'):
        RefinementInferencer(RollingRefiner(), show_progress=False)(IMAGE, given)


def test_sample_without_masks(refine_one):
    given = SegDataSample(metainfo=dict(img_path='street.png'))
    with pytest.raises(ValueError, match=r'no pred_sem_seg, .*masks .*street\.png'):
        refine_one(given)


@pytest.mark.parametrize('given', [None, {}, [1, 2], 3.5])
def test_other_kinds_are_refused(given):
    with pytest.raises(TypeError, match=f'expected an array.* got {type(given).__name__}'):
        refine(RollingRefiner(), IMAGE, given)


def test_arrays_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match='expected integers or bool, got float32'):
        refine(RollingRefiner(), IMAGE, np.full(SIZE, 0.5, np.float32))


def test_supervision_is_not_imported(run_fresh):
    code = "import sys, mmrefine.apis; print('supervision' in sys.modules)"
    assert run_fresh('-c', code).stdout.strip() == 'False'


def test_masks_of_segment_anything():
    masks = [np.zeros(SIZE, bool) for _ in range(2)]
    masks[0][2:9, 3:8] = masks[1][12:, 20:] = True
    for as_runs in (False, True):
        given = [
            dict(segmentation=encode_mask(m) if as_runs else m, area=1, bbox=[0, 0, 1, 1], id=k)
            for k, m in enumerate(masks)
        ]
        found = refine(RollingRefiner(), IMAGE, given)
        expected = RollingRefiner().refine(IMAGE, np.stack(masks))
        for entry, mask, k in zip(found, expected, range(2), strict=True):
            form = entry['segmentation']
            np.testing.assert_array_equal(decode_mask(form, SIZE) if as_runs else form, mask)
            assert (entry['area'], entry['id']) == (mask.sum(), k)
        assert given[0]['area'] == 1, 'the given ones stay'


@pytest.mark.parametrize('kind', ['bool', 'soft', 'tensor', 'labels'])
def test_masks_are_resized_on_request(kind):
    half = np.zeros((SIZE[0] // 2, SIZE[1] // 2), bool)
    half[3:9, 5:12] = True
    given = dict(
        bool=half[None],
        soft=half[None] * np.float32(0.9),
        tensor=torch.from_numpy(half[None] * 0.9).to(torch.bfloat16),
        labels=half * np.int32(7),
    )[kind]
    found = refine(RollingRefiner(), IMAGE, given, resize_masks=True)
    assert tuple(found.shape[-2:]) == SIZE
    assert found.dtype == given.dtype
    full = half.repeat(2, 0).repeat(2, 1)
    expected = RollingRefiner().refine(IMAGE, full[None])[0]
    plane = np.asarray(found.float() if kind == 'tensor' else found).reshape(SIZE)
    np.testing.assert_array_equal(plane != 0, expected)
    with pytest.raises((ValueError, TypeError), match='masks: '):
        refine(RollingRefiner(), IMAGE, given)


def test_a_data_set_of_supervision(tmp_path):
    sv = pytest.importorskip('supervision')
    paths = [str(tmp_path / f'{name}.png') for name in 'ab']
    for path in paths:
        cv2.imwrite(path, IMAGE)
    given = {paths[0]: detections(), paths[1]: detections(0, masks=False)}
    dataset = sv.DetectionDataset(['x', 'y', 'z'], paths, given)
    found = refine_dataset(RollingRefiner(), dataset)
    np.testing.assert_array_equal(found.annotations[paths[0]].mask, REFINED)
    assert found.classes == dataset.classes
    assert found.image_paths == paths
    np.testing.assert_array_equal(given[paths[0]].mask, stack())
    found.as_coco(annotations_path=str(tmp_path / 'r.json'))
    assert (tmp_path / 'r.json').is_file()
