"""A PatchRefiner that is built and run in milliseconds, and networks that know the answer."""

import torch
from mmengine.config import ConfigDict
from small_segfix import make_lively
from torch import Tensor

from mmrefine.models.segmentors import PatchRefiner
from mmrefine.registry import MODELS


def bpr_config(with_mask: bool = True, **changes: object) -> dict:
    """Return a model config with a one-block HRNet; ``changes`` are further arguments."""
    stages = {}
    for stage, branches in ((1, 1), (2, 2), (3, 3), (4, 4)):
        stages[f'stage{stage}'] = dict(
            num_modules=1,
            num_branches=branches,
            block='BOTTLENECK' if stage == 1 else 'BASIC',
            num_blocks=(1,) * branches,
            num_channels=(16,) if stage == 1 else (4, 5, 6, 7)[:branches],
        )
    channels = [4, 5, 6, 7]
    return (
        dict(
            type='mmrefine.PatchRefiner',
            data_preprocessor=dict(type='mmrefine.PatchDataPreProcessor', with_mask=with_mask),
            backbone=dict(
                type='mmseg.HRNet',
                in_channels=4 if with_mask else 3,
                norm_cfg=dict(type='BN'),
                extra=stages,
            ),
            decode_head=dict(
                type='mmseg.FCNHead',
                in_channels=channels,
                in_index=(0, 1, 2, 3),
                channels=sum(channels),
                input_transform='resize_concat',
                kernel_size=1,
                num_convs=1,
                concat_input=False,
                dropout_ratio=-1,
                num_classes=2,
                norm_cfg=dict(type='BN'),
                align_corners=False,
                loss_decode=dict(
                    type='mmseg.CrossEntropyLoss', use_sigmoid=False, avg_non_ignore=True
                ),
            ),
            test_cfg=dict(mode='whole', patch_size=16, padding=0, input_size=32),
        )
        | changes
    )


def small_bpr(with_mask: bool = True, **changes: object) -> PatchRefiner:
    torch.manual_seed(0)
    return MODELS.build(ConfigDict(bpr_config(with_mask, **changes))).eval()


def lively_bpr() -> PatchRefiner:
    """A network with random weights that calls about half of the pixels object."""
    model = make_lively(small_bpr())
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(8, 4, 32, 32, generator=generator)
    with torch.no_grad():
        logits = model.encode_decode(inputs, [dict(img_shape=(32, 32))] * 8)
    model.decode_head.conv_seg.bias.data[1] -= (logits[:, 1] - logits[:, 0]).median()
    return model


class KnowingRefiner(PatchRefiner):
    """A refiner whose answer comes from its input; it counts the patches of every batch."""

    def predict_probabilities(self, inputs: Tensor) -> Tensor:
        self.__dict__.setdefault('batches', []).append(len(inputs))
        return self.answer(inputs)


def knowing_bpr(answer, **changes: object) -> KnowingRefiner:
    """``answer``: inputs (N, 4, S, S), red, green, blue, mask → probabilities (N, S, S)."""
    model = small_bpr(**changes)
    model.__class__ = KnowingRefiner
    model.answer = answer
    return model


def echo(inputs: Tensor) -> Tensor:
    """Answer with the coarse mask."""
    return (inputs[:, 3] + 1) / 2


def red(inputs: Tensor) -> Tensor:
    """Answer with the image's red channel: 0 to 255 → 0 to 1."""
    return (inputs[:, 0] * 58.395 + 123.675) / 255
