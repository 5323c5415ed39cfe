import numpy as np
import pytest
from small_data import write_frames

from mmrefine.registry import DATASETS


@pytest.fixture
def root(tmp_path):
    write_frames(tmp_path, ('frames/train', 'labels/train', 'depth/train'))
    return tmp_path


def build(root, **options):
    cfg = dict(
        type='mmrefine.FrameFolderDataset',
        data_root=str(root),
        data_prefix=dict(img_path='frames/train', seg_map_path='labels/train'),
    )
    return DATASETS.build({**cfg, **options})


def names(paths):
    return ['/'.join(path.rsplit('/', 2)[1:]) for path in paths]


def test_frames_have_their_neighbours_and_ends_are_left_out(root):
    dataset = build(root)
    assert [names(dataset[k]['frame_paths']) for k in range(len(dataset))] == [
        [f'{video}/1.png', f'{video}/0.png', f'{video}/2.png'] for video in 'ab'
    ]
    entry = dataset[1]
    assert entry['frame_offsets'] == (0, -1, 1)
    assert entry['intrinsics'].tolist() == [[60, 0, 47.5], [0, 50, 39.5], [0, 0, 1]]
    assert entry['seg_map_path'] == str(root / 'labels/train/b/1.png')
    assert 'depth_path' not in entry


def test_nearest_intrinsics_count(root):
    (root / 'frames/train/b/intrinsics.txt').write_text('7 0 1\n0 8 2\n0 0 1\n')
    dataset = build(root)
    assert [dataset[k]['intrinsics'][0, 0] for k in (0, 1)] == [60, 7]


def test_every_frame_is_tested_by_itself(root):
    (root / 'frames/train/intrinsics.txt').unlink()  # nobody asks
    prefix = dict(img_path='frames/train', depth_path='depth/train')
    dataset = build(root, test_mode=True, data_prefix=prefix)
    assert len(dataset) == 6
    assert names(dataset[4]['frame_paths']) == ['b/1.png']
    assert dataset[4]['depth_path'] == str(root / 'depth/train/b/1.png')


def test_other_offsets(root):
    assert [names(build(root, offsets=(2,))[k]['frame_paths']) for k in (0, 1)] == [
        ['a/0.png', 'a/2.png'], ['b/0.png', 'b/2.png'],
    ]  # fmt: skip


@pytest.mark.parametrize('offsets', [(), (0, 1), (1, 1)])
def test_bad_offsets_are_refused(root, offsets):
    with pytest.raises(ValueError, match='offsets must be different frames'):
        build(root, offsets=offsets)


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(ValueError, match=r'no file below .*frames/train ends in \.jpg'):
        build(root, img_suffix='.jpg')
    with pytest.raises(ValueError, match=r'has all of its neighbours \(-2, 2\)'):
        build(root, offsets=(-2, 2))
    path = root / 'frames/train/intrinsics.txt'
    for text in ('1 2 3', '0 0 1\n0 0 1\n0 0 1', 'fx 0 cx'):
        path.write_text(text)
        with pytest.raises(ValueError, match='fx 0 cx / 0 fy cy / 0 0 1'):
            build(root)
    path.unlink()
    with pytest.raises(ValueError, match=r'a/intrinsics\.txt: camera intrinsics are needed'):
        build(root)


def test_steps_of_intrinsics_are_those_of_points(root):
    """A point's pixel in the resized, mirrored frame is where the new intrinsics put it."""
    from mmrefine.datasets.transforms import RandomFlipFrames, ResizeFrames

    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (80, 96, 3), dtype=np.uint8)
    intrinsics = np.array([[60, 0, 40.0], [0, 50, 30], [0, 0, 1]])
    results = dict(frames=[frame] * 2, intrinsics=intrinsics, img_shape=(80, 96))
    results['gt_seg_map'] = frame[..., 0]
    resized = ResizeFrames((48, 20)).transform(dict(results))
    point = np.array([0.3, -0.2, 1])
    x, y = (intrinsics @ point)[:2]
    expected = (x + 0.5) / 2 - 0.5, (y + 0.5) / 4 - 0.5  # pixel centres are whole numbers
    np.testing.assert_allclose((resized['intrinsics'] @ point)[:2], expected)
    assert resized['frames'][1].shape == (20, 48, 3)
    assert resized['gt_seg_map'].shape == resized['img_shape'] == (20, 48)

    flipped = RandomFlipFrames(1).transform(dict(resized))
    x, y = (resized['intrinsics'] @ point)[:2]
    mirrored = point * [-1, 1, 1]
    np.testing.assert_allclose((flipped['intrinsics'] @ mirrored)[:2], [47 - x, y])
    assert np.array_equal(flipped['frames'][0], resized['frames'][0][:, ::-1])
    assert np.array_equal(flipped['gt_seg_map'], resized['gt_seg_map'][:, ::-1])
    same = RandomFlipFrames(0).transform(dict(resized))
    assert same['frames'] is resized['frames']
