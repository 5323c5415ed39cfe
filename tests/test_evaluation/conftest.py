"""What the tests of the metrics share."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from mmrefine.ops.run_lengths import encode_mask
from mmrefine.refiners import Refiner, load_image
from mmrefine.registry import REFINERS

from .samples import CLASSES, SIZE_HW, det_sample

IMAGES = 5
CATEGORY_IDS = {'road': 7, 'car': 3, 'tree': 11}  # in no order


def coco_annotations():
    """The truth of ``det_sample(0)`` ... ``det_sample(4)`` in COCO's format."""
    annotations = []
    for image in range(IMAGES):
        _, masks, labels = det_sample(image)
        for mask, label in zip(masks, labels, strict=True):
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image,
                    category_id=CATEGORY_IDS[CLASSES[label]],
                    segmentation=encode_mask(mask),
                    area=int(mask.sum()),
                    bbox=list(cv2.boundingRect(mask.astype(np.uint8))),
                    iscrowd=0,
                )
            )
    return dict(
        images=[
            dict(id=i, file_name=f'{i}.png', height=SIZE_HW[0], width=SIZE_HW[1])
            for i in range(IMAGES)
        ],
        annotations=annotations,
        categories=[dict(id=i, name=name) for name, i in CATEGORY_IDS.items()],
    )


@pytest.fixture(scope='session')
def annotation_file(tmp_path_factory):
    """Return the annotations as a file."""
    path = tmp_path_factory.mktemp('coco') / 'annotations.json'
    path.write_text(json.dumps(coco_annotations()))
    return path


@REFINERS.register_module()
class SmoothingRefiner(Refiner):
    """A refiner without a network: the most frequent of the labels around each pixel."""

    def __init__(self, size: int = 9, device: str | None = None) -> None:
        self.size = size

    def refine(self, image, masks):
        size = load_image(image).shape[:2]
        assert masks.shape[-2:] == size
        stack = masks if masks.ndim == 3 else masks[None]
        smooth = [cv2.medianBlur(m.astype(np.uint8), self.size) for m in stack]
        return np.stack(smooth).astype(masks.dtype).reshape(masks.shape)


@REFINERS.register_module()
class ShiftBack(Refiner):
    """A refiner without a network: moves masks left."""

    def __init__(self, pixels: int = 2, device: str | None = None) -> None:
        self.pixels = pixels

    def refine(self, image, masks):
        return np.roll(masks, -self.pixels, -1)


# Untrained weights that happen to predict several classes.
SEED = dict(seed=0)
STOCK = """
default_scope = 'mmseg'
norm_cfg = dict(type='BN')
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[120] * 3, std=[2] * 3, size=(48, 64)
    ),
    backbone=dict(type='ResNetV1c', depth=18, base_channels=8, norm_cfg=norm_cfg),
    decode_head=dict(
        type='FCNHead',
        in_channels=8,
        in_index=0,
        channels=8,
        num_convs=1,
        num_classes=4,
        norm_cfg=norm_cfg,
    ),
    test_cfg=dict(mode='whole'),
)
test_dataloader = dict(
    batch_size=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        metainfo=dict(classes=('a', 'b', 'c', 'd')),
        img_suffix='.png',
        data_prefix=dict(img_path='img_dir/val', seg_map_path='ann_dir/val'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_cfg = dict(type='TestLoop')
"""


@pytest.fixture
def run_stock(camvid_folder, tmp_path):
    """Test a stock mmseg config, which has nothing of ours in it but what is passed.

    Returns a function that returns the figures and the folder with the predictions as PNG.
    """

    def run(evaluator, reduce_zero_label=False, **more):
        cfg = Config.fromstring(STOCK, '.py')
        cfg.test_dataloader.dataset.update(
            data_root=str(camvid_folder), reduce_zero_label=reduce_zero_label
        )
        pipeline = cfg.test_dataloader.dataset.pipeline
        pipeline[1].reduce_zero_label = reduce_zero_label
        out = tmp_path / f'run{len(list(tmp_path.iterdir()))}'
        saved = dict(type='IoUMetric', format_only=True, output_dir=str(out / 'png'))
        evaluators = evaluator if isinstance(evaluator, list) else [evaluator]
        cfg.merge_from_dict(
            dict(work_dir=str(out), test_evaluator=[*evaluators, saved], randomness=SEED, **more)
        )

        runner = Runner.from_cfg(cfg)
        return runner.test(), out / 'png'

    return run


@pytest.fixture(scope='session')
def read_labels():
    """Return a function that reads the label maps of a folder by name."""
    return lambda folder: {p.name: cv2.imread(str(p), -1) for p in sorted(folder.glob('*.png'))}
