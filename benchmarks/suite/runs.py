"""Parts of mmengine runs: the hook behind a model, data loading beside the training step."""

import os
import tempfile
import weakref
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.apis import build_refiner
from mmrefine.hooks import RefinementHook
from mmrefine.registry import MODELS

from ..cases import Call, case
from ..drawn import draw_image, draw_labels

ROOT = Path(__file__).parents[2]
SEGFIX_CONFIG = ROOT / 'configs/segfix/segfix_hrnet2x-small_1xb8-2k_camvid-192x192.py'
SIZE_HW = (360, 480)


def kept_folder(owner: object) -> Path:
    """A folder that goes with ``owner``."""
    folder = tempfile.TemporaryDirectory()
    weakref.finalize(owner, folder.cleanup)
    return Path(folder.name)


@case('hook behind a model, 360x480', 'its refiner alone', target=1 / 1.05, short=True)
def hook(device: str) -> tuple[Call, Call]:
    """What the hook does to a data sample of mmseg, and the same refiner on the arrays in it."""
    refiner = build_refiner('segfix', device=device)
    listener = RefinementHook(refiner)

    def ours() -> None:
        prediction = PixelData(data=torch.from_numpy(labels.astype(np.int64))[None].to(device))
        sample = SegDataSample(pred_sem_seg=prediction, metainfo=dict(img_path=str(path)))
        listener.refine_sample(sample)

    path = kept_folder(ours) / 'image.png'
    cv2.imwrite(os.fspath(path), draw_image(SIZE_HW))
    labels = draw_labels(SIZE_HW, 11)
    return (ours, lambda: refiner.refine(str(path), labels.astype(np.int64)))


@case('segfix data loading, 8 crops of 192x192, 1 process', 'the training step', target=1)
def loading(device: str) -> tuple[Call, Call]:
    """Reading, augmenting and targets of a batch against the step of the small network."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(SEGFIX_CONFIG)
    number = cfg.train_dataloader.batch_size

    def ours() -> dict:
        return pseudo_collate([dataset[index] for index in range(number)])

    folder = kept_folder(ours)
    for kind in ('img_dir', 'ann_dir'):
        (folder / kind / 'train').mkdir(parents=True)
    for index in range(number):
        name = f'train/{index}.png'
        cv2.imwrite(os.fspath(folder / 'img_dir' / name), draw_image(SIZE_HW, index))
        cv2.imwrite(os.fspath(folder / 'ann_dir' / name), draw_labels(SIZE_HW, 11, index))
    dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, data_root=str(folder)))
    model = MODELS.build(cfg.model).to(device).train()
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = ours()
    return (ours, lambda: model.train_step(batch, optimizer))
