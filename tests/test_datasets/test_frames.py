import cv2
import numpy as np
import pytest
import torch
from small_data import write_frames

from mmrefine.registry import DATASETS, TRANSFORMS

PIPELINE = [
    dict(type='mmrefine.LoadFrames'),
    dict(type='mmrefine.LoadFrameLabels'),
    dict(type='mmrefine.ResizeFrames', scale=(64, 40)),
    dict(type='mmrefine.RandomFlipFrames', prob=0),
    dict(type='mmrefine.JitterFrames', prob=1),
    dict(type='mmrefine.PackFrames'),
]


def test_packed_sample_has_seen_and_clean_frames(tmp_path):
    write_frames(tmp_path, ('frames/train', 'labels/train'))
    dataset = DATASETS.build(
        dict(
            type='mmrefine.FrameFolderDataset',
            data_root=str(tmp_path),
            data_prefix=dict(img_path='frames/train', seg_map_path='labels/train'),
            pipeline=PIPELINE,
        )
    )
    np.random.seed(0)
    packed = dataset[0]
    sample = packed['data_samples']
    assert packed['inputs'].shape == sample.gt_frames.data.shape == (9, 40, 64)
    assert packed['inputs'].dtype == sample.gt_frames.data.dtype == torch.uint8
    assert not torch.equal(packed['inputs'], sample.gt_frames.data)
    first = cv2.imread(str(tmp_path / 'frames/train/a/0.png'))
    small = cv2.resize(first, (64, 40), interpolation=cv2.INTER_AREA)
    assert np.array_equal(sample.gt_frames.data[3:6].permute(1, 2, 0).numpy(), small)
    assert sample.gt_sem_seg.data.shape == (1, 40, 64)
    assert sample.metainfo['frame_offsets'] == (0, -1, 1)
    assert sample.metainfo['ori_shape'] == (80, 96)
    assert sample.metainfo['intrinsics'].dtype == np.float32


def test_all_frames_of_a_sample_change_alike():
    frame = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    jitter = TRANSFORMS.build(dict(type='mmrefine.JitterFrames', prob=1))
    np.random.seed(3)
    first, second = jitter.transform(dict(frames=[frame, frame.copy()]))['seen_frames']
    assert np.array_equal(first, second)
    assert not np.array_equal(first, frame)
    never = TRANSFORMS.build(dict(type='mmrefine.JitterFrames', prob=0))
    assert never.transform(dict(frames=[frame]))['seen_frames'][0] is frame
    none = dict(brightness=0, contrast=0, saturation=0, hue=0)
    still = TRANSFORMS.build(dict(type='mmrefine.JitterFrames', prob=1, **none))
    found = still.transform(dict(frames=[frame]))['seen_frames'][0]
    assert np.abs(found.astype(int) - frame).max() <= 6  # hue and back is rounded


def test_brightness_keeps_the_mean_of_contrast():
    grey = np.full((6, 9, 3), 100, np.uint8)
    bright = TRANSFORMS.build(
        dict(type='mmrefine.JitterFrames', prob=1, contrast=0.5, saturation=0, hue=0, brightness=0)
    )
    assert (
        np.abs(bright.transform(dict(frames=[grey]))['seen_frames'][0].astype(int) - 100).max() < 2
    )


def test_depth_files(tmp_path):
    depth = np.array([[0, 1.5, 80]], np.float32).repeat(2, 0)
    cv2.imwrite(str(tmp_path / 'a.png'), (depth * 256).astype(np.uint16))
    np.save(tmp_path / 'a.npy', depth)
    load = TRANSFORMS.build(dict(type='mmrefine.LoadDepth'))
    for name in ('a.png', 'a.npy'):
        found = load.transform(dict(depth_path=str(tmp_path / name)))['gt_depth_map']
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, depth)


def test_files_that_are_wrong_are_named(tmp_path):
    byte = tmp_path / 'byte.png'
    cv2.imwrite(str(byte), np.zeros((3, 4), np.uint8))
    colour = tmp_path / 'colour.png'
    cv2.imwrite(str(colour), np.zeros((3, 4, 3), np.uint8))
    text = tmp_path / 'text.png'
    text.write_text('no image')
    pickled = tmp_path / 'x.npy'
    np.save(pickled, np.array([{}], object), allow_pickle=True)
    missing = tmp_path / 'missing.png'
    cases = [
        ('LoadDepth', 'depth_path', byte, 'a depth map is a 16-bit PNG'),
        ('LoadDepth', 'depth_path', text, 'a depth map is a 16-bit PNG'),
        ('LoadDepth', 'depth_path', missing, 'the depth map cannot be read'),
        ('LoadDepth', 'depth_path', pickled, 'the depth map cannot be read'),
        ('LoadFrameLabels', 'seg_map_path', colour, 'a label map has one channel'),
        ('LoadFrameLabels', 'seg_map_path', text, 'the label map cannot be read'),
        ('LoadScanDepth', 'scan_path', missing, 'the laser scan cannot be read'),
        ('LoadScanDepth', 'scan_path', text, 'four numbers a point'),
    ]
    for name, key, path, message in cases:
        transform = TRANSFORMS.build(dict(type=f'mmrefine.{name}'))
        with pytest.raises(ValueError, match=message) as caught:
            transform.transform({key: str(path), 'ori_shape': (3, 4)})
        assert str(path) in str(caught.value)
    load = TRANSFORMS.build(dict(type='mmrefine.LoadFrames'))
    for path, message in ((missing, 'the frame cannot be read'), (text, 'not an image')):
        with pytest.raises(ValueError, match=message):
            load.transform(dict(frame_paths=[str(path)], img_path=str(path)))
    cv2.imwrite(str(missing), np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(ValueError, match='must have one size'):
        load.transform(dict(frame_paths=[str(colour), str(missing)], img_path='x'))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(type='mmrefine.ResizeFrames', scale=(0, 5)), r'scale must be \(width, height\)'),
        (dict(type='mmrefine.RandomFlipFrames', prob=2), 'prob must be from 0 to 1'),
        (dict(type='mmrefine.JitterFrames', prob=-1), 'prob must be from 0 to 1'),
        (dict(type='mmrefine.LoadDepth', scale=0), 'scale must be positive'),
    ],
)
def test_bad_options_are_refused(options, text):
    with pytest.raises(ValueError, match=text):
        TRANSFORMS.build(options)
