"""BPR on masks and label maps: networks that know the answer, and a plain restatement."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from small_bpr import bpr_config, echo, knowing_bpr, red, small_bpr

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.ops import crop_patches, propose_boxes, reassemble_patches
from mmrefine.refiners import BPRRefiner
from mmrefine.registry import REFINERS

SIZE = (70, 110)


def blobs(seed, size=SIZE, smooth=7):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).random(size), (0, 0), smooth)
    return noise > np.median(noise)


def stack(seed=0, size=SIZE):
    thin = np.zeros(size, bool)
    thin[:, 5] = thin[-1] = True
    dot = np.zeros(size, bool)
    dot[size[0] // 3, -1] = True
    empty, full = np.zeros(size, bool), np.ones(size, bool)
    return np.stack([blobs(seed, size), empty, thin, full, blobs(seed + 1, size), dot])


def picture(truth):
    """BGR image whose red channel shows a mask."""
    image = np.random.default_rng(9).integers(0, 256, (*truth.shape, 3), dtype=np.uint8)
    image[..., 2] = truth * 255
    return image


def covered_by(boxes, shape):
    covered = np.zeros(shape, bool)
    for x1, y1, x2, y2 in boxes:
        covered[y1:y2, x1:x2] = True
    return covered


@pytest.mark.parametrize('size', [SIZE, (10, 90), (12, 9), (1, 30)])
@pytest.mark.parametrize('dtype', [bool, np.uint8])
def test_a_network_that_agrees_changes_nothing(size, dtype):
    refiner = BPRRefiner(knowing_bpr(echo), device='cpu')
    masks = stack(size=size).astype(dtype) * (255 if dtype is np.uint8 else True)
    masks = masks.astype(dtype)
    before = masks.copy()
    refined = refiner.refine(picture(blobs(5, size)), masks)
    assert refined.dtype == dtype
    np.testing.assert_array_equal(refined, before)
    np.testing.assert_array_equal(masks, before)


@pytest.mark.parametrize('batch_size', [1, 7, 1000])
def test_a_network_that_knows_the_truth_corrects_all_boxes(batch_size):
    refiner = BPRRefiner(knowing_bpr(red), device='cpu', batch_size=batch_size)
    truth, masks = blobs(5), stack()
    refined = refiner.refine(picture(truth), masks)
    for mask, found in zip(masks, refined, strict=True):
        covered = covered_by(propose_boxes(mask, 16, 0.25), SIZE)
        expected = np.where(covered, truth, mask)
        np.testing.assert_array_equal(found, expected if expected.any() else mask)
    assert refined[0].sum() != masks[0].sum()
    numbers = [len(propose_boxes(mask, 16, 0.25)) for mask in masks]
    batches = refiner.model.batches
    assert sum(batches) == sum(numbers)
    assert max(batches) <= batch_size
    assert batches[:-1] == [batch_size] * (len(batches) - 1)


@pytest.mark.parametrize(('padding', 'threshold', 'size'), [(0, 0.25, 32), (3, 0.55, 44)])
def test_against_a_plain_restatement(padding, threshold, size):
    model = small_bpr()
    refiner = BPRRefiner(
        model, device='cpu', iou_threshold=threshold, padding=padding, input_size=size
    )
    image, masks = picture(blobs(5)), stack(3)
    refined = refiner.refine(image, masks)
    mean, std = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    for mask, found in zip(masks, refined, strict=True):
        boxes = propose_boxes(mask, 16, threshold)
        if len(boxes) == 0:
            np.testing.assert_array_equal(found, mask)
            continue
        patches = crop_patches(image, boxes, size, padding)[..., ::-1]
        inputs = np.concatenate(
            [(patches - mean) / std, 2 * crop_patches(mask, boxes, size, padding)[..., None] - 1.0],
            axis=-1,
        )
        with torch.no_grad():
            tensor = torch.from_numpy(inputs.transpose(0, 3, 1, 2).astype(np.float32))
            logits = model.encode_decode(tensor, [dict(img_shape=(size, size))] * len(boxes))
        probabilities = logits.softmax(1)[:, 1].numpy()
        expected = reassemble_patches(mask, boxes, probabilities, padding=padding)
        np.testing.assert_array_equal(found, expected if expected.any() else mask)


def test_unsure_networks_leave_masks_alone():
    def unsure(inputs):
        return 0.5 + 0.3 * (red(inputs) - 0.5)  # 0.35 and 0.65: a gain of 0.3

    truth, masks = blobs(5), stack()[:1]
    eager, careful = (
        BPRRefiner(knowing_bpr(unsure), device='cpu', min_score_gain=gain, input_size=16).refine(
            picture(truth), masks
        )
        for gain in (0.29, 0.31)
    )
    covered = covered_by(propose_boxes(masks[0], 16, 0.25), SIZE)
    np.testing.assert_array_equal(eager[0], np.where(covered, truth, masks[0]))
    np.testing.assert_array_equal(careful, masks)


def test_a_mask_never_vanishes():
    masks = np.zeros((2, *SIZE), np.uint8)
    masks[0, 20:24, 30:35] = masks[1, 5:60, 5:100] = 7
    refiner = BPRRefiner(knowing_bpr(lambda x: 0 * red(x)), device='cpu')
    refined = refiner.refine(picture(blobs(1)), masks)
    np.testing.assert_array_equal(refined[0], masks[0])
    assert 0 < (refined[1] > 0).sum() < (masks[1] > 0).sum()


@pytest.mark.parametrize('dtype', [np.uint8, np.int64, np.uint16])
def test_label_maps(dtype):
    """Each label has its own opinion of a pixel: its colour and what is around."""

    def opinion(inputs):
        return 0.6 * red(inputs) + 0.4 * (inputs[:, 3].mean((1, 2), keepdim=True) + 1) / 2

    truth = blobs(5)
    labels = np.where(blobs(2), 4, 2).astype(dtype)
    labels[:, 80:] = 11
    labels[:9] = 255
    refiner = BPRRefiner(knowing_bpr(opinion), device='cpu', ignore_index=255)
    before = labels.copy()
    refined = refiner.refine(picture(truth), labels)
    assert refined.dtype == dtype
    np.testing.assert_array_equal(labels, before)
    np.testing.assert_array_equal(refined[:9], 255)
    assert set(np.unique(refined)) <= {2, 4, 11, 255}
    plain = plain_label_map(picture(truth), labels, opinion)
    np.testing.assert_array_equal(refined, plain)
    assert (refined != labels).mean() > 0.05


def plain_label_map(image, labels, answer):
    """Probability maps of all labels side by side, then the best one, the own one in a tie."""
    names = [n for n in np.unique(labels) if n != 255]
    maps = []
    for name in names:
        mask = labels == name
        boxes = propose_boxes(mask, 16, 0.25)
        patches = torch.from_numpy(crop_patches(image, boxes, 32)[..., ::-1].copy())
        normal = (patches - torch.tensor([123.675, 116.28, 103.53])) / torch.tensor(
            [58.395, 57.12, 57.375]
        )
        coarse = torch.from_numpy(crop_patches(mask, boxes, 32))[..., None] * 2.0 - 1
        values = answer(torch.cat([normal, coarse], -1).permute(0, 3, 1, 2)).numpy()
        total, count = np.zeros(labels.shape), np.zeros(labels.shape)
        for value, (x1, y1, x2, y2) in zip(values, boxes, strict=True):
            total[y1:y2, x1:x2] += value.reshape(16, 2, 16, 2).mean((1, 3))
            count[y1:y2, x1:x2] += 1
        maps.append(np.where(count > 0, total / np.maximum(count, 1), mask))
    maps = np.stack(maps)
    own = sum(m * (labels == n) for m, n in zip(maps, names, strict=True))
    best = np.array(names)[maps.argmax(0)]
    return np.where((maps.max(0) > own + 1e-6) & (labels != 255), best, labels)


def test_label_maps_without_an_ignored_label():
    labels = np.where(blobs(2), 255, 3).astype(np.uint8)
    model = knowing_bpr(red)
    kept = BPRRefiner(model, device='cpu').refine(picture(blobs(5)), labels)
    free = BPRRefiner(model, device='cpu', ignore_index=None).refine(picture(blobs(5)), labels)
    np.testing.assert_array_equal(kept[labels == 255], 255)
    assert (free[labels == 255] == 3).any()


def test_a_bool_map_is_one_mask():
    refiner = BPRRefiner(knowing_bpr(red), device='cpu')
    mask, image = blobs(2), picture(blobs(5))
    np.testing.assert_array_equal(refiner.refine(image, mask), refiner.refine(image, mask[None])[0])


def test_many_images_share_batches_and_come_back_in_order():
    refiner = BPRRefiner(knowing_bpr(red), device='cpu', batch_size=16)
    pairs = [
        (picture(blobs(5)), stack()),
        (picture(blobs(6, (40, 30))), stack(4, (40, 30))[:0]),
        (picture(blobs(7)), np.where(blobs(8), 1, 2)),
        (picture(blobs(8, (40, 30))), stack(6, (40, 30))),
    ]
    together = list(refiner.refine_each(pairs))
    batches = refiner.model.batches.copy()
    apart = [refiner.refine(*pair) for pair in pairs]
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(batches[:-1]) == {16}
    assert list(refiner.refine_each([])) == []


def test_few_patches_wait_at_any_time():
    """100 masks: what was read from the masks is never far ahead of what was predicted."""
    refiner = BPRRefiner(knowing_bpr(echo), device='cpu', batch_size=8)
    asked = []
    crop = refiner.patches._crop

    def watched(image, mask, boxes):
        for part in crop(image, mask, boxes):
            asked.append(len(part))
            done = sum(getattr(refiner.model, 'batches', []))
            assert sum(asked) - done <= 2 * refiner.batch_size
            yield part

    refiner.patches._crop = watched
    refiner.refine(picture(blobs(5)), np.concatenate([stack(seed) for seed in range(17)]))
    assert sum(asked) > 500


def test_settings_come_with_the_model():
    model = small_bpr(
        test_cfg=dict(mode='whole', patch_size=20, padding=2, input_size=48, iou_threshold=0.4)
    )
    refiner = BPRRefiner(model, device='cpu')
    found = refiner.patch_size, refiner.padding, refiner.input_size, refiner.iou_threshold
    assert found == (20, 2, 48, 0.4)
    given = BPRRefiner(
        model, device='cpu', patch_size=8, padding=0, input_size=16, iou_threshold=0.0
    )
    found = given.patch_size, given.padding, given.input_size, given.iou_threshold
    assert found == (8, 0, 16, 0.0)


def test_built_from_a_published_checkpoint(tmp_path):
    config = bpr_config()
    model = small_bpr()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'trained.pth')
    publish_checkpoint(config, tmp_path / 'trained.pth', tmp_path / 'published.pth')
    refiner = REFINERS.build(
        dict(type='mmrefine.BPRRefiner', checkpoint=str(tmp_path / 'published.pth'), device='cpu')
    )
    assert refiner.patch_size == 16
    image, masks = picture(blobs(5)), stack()
    difference = refiner.refine(image, masks) != BPRRefiner(model, device='cpu').refine(
        image, masks
    )
    assert difference.mean() < 0.01  # stored in half precision


def test_half_precision_changes_little():
    image, masks = picture(blobs(5)), stack()
    full, half = (
        BPRRefiner(small_bpr(), device='cpu', half=half).refine(image, masks)
        for half in (False, True)
    )
    assert (full != half).mean() < 0.01


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(iou_threshold=1.2), 'iou_threshold: expected a number from 0 to 1, got 1.2'),
        (dict(min_score_gain=-1), 'min_score_gain: expected a number from 0 to 1'),
        (dict(patch_size=0), 'patch_size: expected an integer of 1 or more, got 0'),
        (dict(padding=-1), 'padding: expected an integer of 0 or more'),
        (dict(batch_size=2.5), 'batch_size: expected an integer of 1 or more'),
    ],
)
def test_options_out_of_range(options, text):
    with pytest.raises(ValueError, match=text):
        BPRRefiner(small_bpr(), device='cpu', **options)


def test_another_kind_of_model():
    with pytest.raises(TypeError, match=r'expected a mmrefine\.PatchRefiner, got Conv2d'):
        BPRRefiner(torch.nn.Conv2d(1, 1, 1))


@pytest.mark.parametrize(
    ('masks', 'error'),
    [
        (np.zeros(SIZE), TypeError),
        (np.zeros((2, *SIZE), np.int64), TypeError),
        (np.zeros((2, 5, 6), bool), ValueError),
        (np.zeros((1, 1, *SIZE), bool), ValueError),
    ],
)
def test_masks_that_do_not_fit(masks, error):
    with pytest.raises(error, match='masks: '):
        BPRRefiner(small_bpr(), device='cpu').refine(picture(blobs(5)), masks)


def test_in_the_hook_and_chained(tmp_path):
    from mmengine.structures import BaseDataElement

    from mmrefine.hooks import RefinementHook

    path = tmp_path / 'image.png'
    truth = blobs(5)
    cv2.imwrite(str(path), picture(truth))
    refiner = BPRRefiner(knowing_bpr(red), device='cpu')
    hook = RefinementHook(refiner=[BPRRefiner(knowing_bpr(echo), device='cpu'), refiner])
    masks = torch.from_numpy(stack())
    sample = BaseDataElement(metainfo=dict(img_path=str(path)))
    sample.pred_instances = InstanceData(masks=masks.clone(), scores=torch.arange(6.0))
    hook.refine_sample(sample)
    expected = refiner.refine(str(path), masks.numpy())
    np.testing.assert_array_equal(sample.pred_instances.masks.numpy(), expected)
    assert sample.pred_instances.scores.tolist() == list(range(6))
    labels = torch.from_numpy(np.where(blobs(2), 4, 2))[None]
    sample = BaseDataElement(metainfo=dict(img_path=str(path)))
    sample.pred_sem_seg = PixelData(data=labels)
    hook.refine_sample(sample)
    assert sample.pred_sem_seg.data.shape == labels.shape
    assert not torch.equal(sample.pred_sem_seg.data, labels)
