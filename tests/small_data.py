"""Data sets of a few drawn images on disk, in the layout that a dataset config asks for."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import ConfigDict
from mmseg.datasets import BaseSegDataset

from mmrefine.datasets import (
    BoundaryPatchDataset,
    CocoInstanceMapDataset,
    FrameFolderDataset,
    KittiRawDataset,
)
from mmrefine.ops.run_lengths import encode_mask
from mmrefine.registry import DATASETS

SIZE = (80, 96)
IMAGES = 2
CAR = 26  # a label id that Cityscapes evaluates, and a category as good as others


def write_data(cfg: Mapping) -> None:
    """Write what the dataset of ``cfg`` reads; relative folders are taken as they are.

    A dataset class of another kind needs a branch here.
    """
    for part in datasets_in(cfg):
        if re.search('Pascal(VOC|Context)', str(part['type'])):
            _write_voc_list(part)
        dataset = DATASETS.build(ConfigDict(part, lazy_init=True))
        if isinstance(dataset, BoundaryPatchDataset | CocoInstanceMapDataset):
            _write_coco(dataset)
        elif isinstance(dataset, FrameFolderDataset):
            folders = [folder for folder in part['data_prefix'].values() if folder]
            write_frames(Path(part['data_root']), folders, dataset.img_suffix)
        elif isinstance(dataset, KittiRawDataset):
            write_kitti(Path(part['data_root']), part['ann_file'])
        elif isinstance(dataset, BaseSegDataset):
            _write_label_maps(dataset)
        else:
            raise TypeError(f'tests/small_data.py cannot write data for {type(dataset).__name__}')


def datasets_in(cfg: Mapping) -> Iterator[Mapping]:
    """The datasets in a config, those inside wrappers too."""
    if 'datasets' in cfg:
        for part in cfg['datasets']:
            yield from datasets_in(part)
    elif 'dataset' in cfg:
        yield from datasets_in(cfg['dataset'])
    else:
        yield cfg


def draw_image(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An image and the instances in it: BGR, and int32 (H, W) with ids 0 (background) to 2."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    ids = np.zeros(SIZE, np.int32)
    ids[np.hypot(rows - 30, columns - 35 - seed) < 20] = 1
    ids[40:70, 45 + seed : 85] = 2
    image = ids[..., None] * 70 + rng.integers(0, 60, (*SIZE, 3))
    return image.astype(np.uint8), ids


def _write(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def _write_label_maps(dataset: BaseSegDataset) -> None:
    """Image, label map and, where there is a folder for it, coarse mask of the same names."""
    folders = {name: Path(folder) for name, folder in dataset.data_prefix.items() if folder}
    for index in range(IMAGES):
        image, ids = draw_image(index)
        _write(folders['img_path'] / f'{index}{dataset.img_suffix}', image)
        labels = np.where(ids > 0, 26_000 + ids, 7).astype(np.uint16)
        if 'instanceIds' not in dataset.seg_map_suffix:
            labels = (ids + 1).astype(np.uint8)
            labels[:3] = 255
        if 'mask_path' in folders:
            labels = (ids == 1).astype(np.uint8) * 255
            coarse = np.roll(labels, 3, axis=1)
            _write(folders['mask_path'] / f'{index}{dataset.seg_map_suffix}', coarse)
        _write(folders['seg_map_path'] / f'{index}{dataset.seg_map_suffix}', labels)


def _write_voc_list(cfg: Mapping) -> None:
    """What mmseg's VOC data set wants to be there before it is even built."""
    root = Path(cfg['data_root'])
    (root / cfg['data_prefix']['img_path']).mkdir(parents=True, exist_ok=True)
    names = root / cfg['ann_file']
    names.parent.mkdir(parents=True, exist_ok=True)
    names.write_text(''.join(f'{index}\n' for index in range(IMAGES)))


def _write_coco(dataset: BoundaryPatchDataset | CocoInstanceMapDataset) -> None:
    """Images, COCO annotations and, if any, coarse results: COCO file or Cityscapes folder."""
    folder = Path(dataset.data_prefix['img_path'])
    images, annotations, results = [], [], []
    for index in range(IMAGES):
        image, ids = draw_image(index)
        name = f'{index}_leftImg8bit.png'
        _write(folder / name, image)
        images.append(dict(id=index, file_name=name, height=SIZE[0], width=SIZE[1]))
        for instance in (1, 2):
            mask = ids == instance
            known = dict(image_id=index, category_id=CAR)
            annotations.append(
                dict(known, id=len(annotations) + 1, segmentation=encode_mask(mask), iscrowd=0)
            )
            results.append(
                dict(known, score=0.9, segmentation=encode_mask(np.roll(mask, 2, axis=1)))
            )
    categories = [dict(id=CAR, name='car')]
    truth = dict(images=images, annotations=annotations, categories=categories)
    Path(dataset.ann_file).parent.mkdir(parents=True, exist_ok=True)
    Path(dataset.ann_file).write_text(json.dumps(truth))
    if getattr(dataset, 'coarse', None) is None:
        return
    coarse = Path(dataset.data_root) / dataset.coarse
    coarse.parent.mkdir(parents=True, exist_ok=True)
    if coarse.suffix == '.json':
        coarse.write_text(json.dumps(results))
        return
    for index in range(IMAGES):
        lines = []
        for instance in (1, 2):
            mask = np.roll(draw_image(index)[1] == instance, 2, axis=1)
            _write(coarse / f'{index}_{instance}.png', mask.astype(np.uint8) * 255)
            lines.append(f'{index}_{instance}.png {CAR} 0.9\n')
        (coarse / f'{index}_leftImg8bit_pred.txt').write_text(''.join(lines))


def write_frames(root: Path, folders: Iterable[str], img_suffix: str = '.png') -> None:
    """Two videos, ``a`` and ``b``, of three frames; depth and labels where they are asked for."""
    for folder in folders:
        for video in 'ab':
            for frame in range(3):
                image, ids = draw_image(frame + 3 * (video == 'b'))
                kind = folder.split('/')[0]
                arrays = dict(
                    frames=image,
                    depth=(2560 - 512 * ids).astype(np.uint16),
                    labels=ids.astype(np.uint8),
                )
                suffix = img_suffix if kind == 'frames' else '.png'
                _write(root / folder / video / f'{frame}{suffix}', arrays[kind])
        if kind == 'frames':
            camera = root / folder / 'intrinsics.txt'
            camera.write_text('60 0 47.5\n0 50 39.5\n0 0 1\n')


def write_kitti(root: Path, ann_file: str) -> None:
    """One drive of three frames of two cameras with a scan each, and a list of two frames."""
    date, drive = '2011_09_26', '2011_09_26_drive_0001_sync'
    for frame in range(3):
        for camera in (2, 3):
            path = root / date / drive / f'image_{camera:02}' / 'data' / f'{frame:010}.png'
            _write(path, draw_image(frame)[0])
        scan = root / date / drive / 'velodyne_points' / 'data' / f'{frame:010}.bin'
        scan.parent.mkdir(parents=True, exist_ok=True)
        points = np.random.default_rng(frame).uniform((4, -3, -2, 0), (9, 3, 2, 1), (500, 4))
        points.astype(np.float32).tofile(scan)
    projection = '60 0 48 -3 0 60 40 0 0 0 1 0'
    cameras = f'calib_time: 09-Jan-2012\nR_rect_00: 1 0 0 0 1 0 0 0 1\nP_rect_02: {projection}\n'
    (root / date / 'calib_cam_to_cam.txt').write_text(f'{cameras}P_rect_03: {projection}\n')
    scanner = 'R: 0 -1 0 0 0 -1 1 0 0\nT: 0 0 0.2\n'
    (root / date / 'calib_velo_to_cam.txt').write_text(scanner)
    (root / ann_file).parent.mkdir(parents=True, exist_ok=True)
    (root / ann_file).write_text(f'{date}/{drive} 1 l\n{date}/{drive} 0000000001 r\n')
