import numpy as np
import pytest
from small_data import write_kitti

from mmrefine.datasets.kitti import camera_projection, scan_projection
from mmrefine.registry import DATASETS, TRANSFORMS


@pytest.fixture(autouse=True)
def no_old_calibration():
    camera_projection.cache_clear()
    scan_projection.cache_clear()


def build(root, **options):
    cfg = dict(type='mmrefine.KittiRawDataset', data_root=str(root), ann_file='files.txt')
    return DATASETS.build({**cfg, **options})


def test_a_line_is_a_frame_and_its_neighbours(tmp_path):
    write_kitti(tmp_path, 'files.txt')
    dataset = build(tmp_path)
    assert len(dataset) == 2
    entry = dataset[1]
    drive = tmp_path / '2011_09_26/2011_09_26_drive_0001_sync'
    assert entry['frame_paths'] == [str(drive / f'image_03/data/{k:010}.png') for k in (1, 0, 2)]
    assert entry['intrinsics'].tolist() == [[60, 0, 48], [0, 60, 40], [0, 0, 1]]
    assert 'scan_path' not in entry


def test_scan_falls_where_the_camera_sees_it(tmp_path):
    write_kitti(tmp_path, 'files.txt')
    entry = build(tmp_path, test_mode=True)[0]
    assert entry['frame_paths'] == [entry['img_path']]
    # The scanner's axes: ahead, left, up. 10 m ahead, 1 m left, 0.5 m down.
    point = np.array([10, 1, -0.5, 0.7], np.float32)
    behind = np.array([-10, 1, -0.5, 0.7], np.float32)
    np.stack([behind, point]).tofile(entry['scan_path'])
    load = TRANSFORMS.build(dict(type='mmrefine.LoadScanDepth'))
    depth = load.transform(dict(entry, ori_shape=(80, 96)))['gt_depth_map']
    # x = -1 - 0.05 of the camera's baseline, y = 0.5, z = 10 + 0.2
    ((row, column),) = np.argwhere(depth)
    assert depth[row, column] == pytest.approx(10.2)
    assert (row, column) == (round(40 + 60 * 0.5 / 10.2), round(48 + 60 * -1.05 / 10.2))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'has no lines'),
        ('2011_09_26/x 12', r'line 1: expected DATE/DRIVE FRAME SIDE \(l or r\)'),
        ('\n2011_09_26/x one l', 'line 2: expected'),
        ('2011_09_26/x 1 up', 'line 1: expected'),
        ('1999/x 1 l', r'1999/calib_cam_to_cam\.txt does not exist'),
    ],
)
def test_bad_lists_are_refused(tmp_path, text, message):
    write_kitti(tmp_path, 'files.txt')
    (tmp_path / 'files.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        build(tmp_path)


def test_missing_list_and_broken_calibration_are_named(tmp_path):
    write_kitti(tmp_path, 'files.txt')
    with pytest.raises(ValueError, match=r'no\.txt does not exist'):
        build(tmp_path, ann_file='no.txt')
    path = tmp_path / '2011_09_26/calib_cam_to_cam.txt'
    path.write_text(path.read_text().replace('P_rect_02', 'P_other'))
    with pytest.raises(ValueError, match='expected a line P_rect_02: with 12 numbers'):
        build(tmp_path)
