"""KITTI's raw recordings, by lists of frames such as Eigen's split."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from ..registry import DATASETS
from .frame_folders import check_offsets

CAMERAS = {'l': 2, 'r': 3, '2': 2, '3': 3}


@DATASETS.register_module()
class KittiRawDataset(BaseDataset):
    """Frames of KITTI's raw recordings, rectified and synchronized, named by a list.

    A line of the list is ``DATE/DRIVE FRAME SIDE``, for example
    ``2011_09_26/2011_09_26_drive_0022_sync 473 r``, as in the files of Eigen's split that
    Monodepth2 uses (39,810 frames to train, 697 to test). Below ``data_root`` everything lies as
    KITTI packs it: frames in ``DRIVE/image_02/data``, scans in ``DRIVE/velodyne_points/data``,
    calibration in ``DATE/calib_cam_to_cam.txt`` and ``DATE/calib_velo_to_cam.txt``.

    Args:
        data_root: Folder with the dates.
        ann_file: The list, relative to ``data_root`` or absolute.
        img_suffix: ``'.png'`` as published, or ``'.jpg'`` where converted.
        offsets: Source frames relative to the target; left out where ``test_mode`` is set, which
            takes the scans instead.
        **kwargs: Further arguments of mmengine's ``BaseDataset``.

    Raises:
        ValueError: if the list is missing, empty or of another form, or calibration is missing.
    """

    METAINFO = dict(classes=())

    def __init__(
        self,
        data_root: str,
        ann_file: str,
        img_suffix: str = '.png',
        offsets: Sequence[int] = (-1, 1),
        **kwargs: Any,
    ) -> None:
        self.img_suffix = img_suffix
        self.offsets = check_offsets(offsets)
        super().__init__(data_root=data_root, ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry a line. Frames are looked for when they are loaded."""
        if not Path(self.ann_file).is_file():
            raise ValueError(f'ann_file: {self.ann_file} does not exist; expected a list of frames')
        lines = Path(self.ann_file).read_text('utf-8').splitlines()
        entries = [self._entry(line, k) for k, line in enumerate(lines, 1) if line.strip()]
        if not entries:
            raise ValueError(f'ann_file: {self.ann_file} has no lines')
        return entries

    def _entry(self, line: str, number: int) -> dict:
        words = line.split()
        if len(words) != 3 or not words[1].isdigit() or words[2] not in CAMERAS:
            raise ValueError(
                f'{self.ann_file}, line {number}: expected DATE/DRIVE FRAME SIDE (l or r), got '
                f'{line!r}'
            )
        drive, frame, camera = Path(self.data_root, words[0]), int(words[1]), CAMERAS[words[2]]
        images = drive / f'image_{camera:02}' / 'data'
        offsets = (0,) if self.test_mode else (0, *self.offsets)
        paths = [str(images / f'{frame + k:010}{self.img_suffix}') for k in offsets]
        entry: dict = dict(
            img_path=paths[0],
            frame_paths=paths,
            frame_offsets=offsets,
            intrinsics=camera_projection(drive.parent, camera)[:, :3],
        )
        if self.test_mode:
            entry.update(
                scan_path=str(drive / 'velodyne_points' / 'data' / f'{frame:010}.bin'),
                scan_projection=scan_projection(drive.parent, camera),
            )
        return entry


def read_calibration(path: Path) -> dict[str, np.ndarray]:
    """Lines ``NAME: numbers`` of a file of KITTI's → vectors; other lines are left out.

    Raises:
        ValueError: if the file is missing.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; it comes with KITTI's raw calibration files")
    found = {}
    for line in path.read_text('utf-8').splitlines():
        name, _, values = line.partition(':')
        try:
            found[name] = np.array([float(word) for word in values.split()])
        except ValueError:  # a date
            continue
    return found


@lru_cache(maxsize=64)
def camera_projection(date: Path, camera: int) -> np.ndarray:
    """(3, 4) projection of the rectified camera."""
    path = date / 'calib_cam_to_cam.txt'
    return _matrix(read_calibration(path), f'P_rect_{camera:02}', (3, 4), path)


@lru_cache(maxsize=64)
def scan_projection(date: Path, camera: int) -> np.ndarray:
    """(3, 4), from the laser scanner to the image of the rectified camera."""
    paths = date / 'calib_cam_to_cam.txt', date / 'calib_velo_to_cam.txt'
    cameras, scanner = map(read_calibration, paths)
    rectify, rigid = np.eye(4), np.eye(4)
    rectify[:3, :3] = _matrix(cameras, 'R_rect_00', (3, 3), paths[0])
    rigid[:3, :3] = _matrix(scanner, 'R', (3, 3), paths[1])
    rigid[:3, 3] = _matrix(scanner, 'T', (3,), paths[1])
    return camera_projection(date, camera) @ rectify @ rigid


def _matrix(
    values: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path
) -> np.ndarray:
    if name not in values or values[name].size != np.prod(shape):
        raise ValueError(f'{path}: expected a line {name}: with {np.prod(shape)} numbers')
    return values[name].reshape(shape)
