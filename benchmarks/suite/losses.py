"""What a loss adds to a training step of FCN-HRNet-W18: the step with it against the step without.

A further loss adds a case of its own: ``training_step(dict(type='mmrefine.X', ...))``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.registry import MODELS

from ..cases import Call, case
from ..drawn import draw_labels

CONFIG = Path(__file__).parents[2] / 'configs/_base_/models/fcn_hrnet-w18.py'
SIZE_HW = (256, 512)
REFERENCE = 'the step with cross-entropy alone'


def training_step(loss: Mapping[str, Any], device: str) -> tuple[Call, Call]:
    """Forward, loss and backward of one image, with and without a loss beside cross-entropy."""
    torch.manual_seed(0)
    image = torch.randn(1, 3, *SIZE_HW, device=device)
    labels = torch.from_numpy(draw_labels(SIZE_HW, 19))[None].long().to(device)
    samples = [SegDataSample(gt_sem_seg=PixelData(data=labels))]

    def step(model: torch.nn.Module) -> None:
        losses = model.loss(image, samples)
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        model.zero_grad()

    with_loss, without = build(loss).to(device), build(None).to(device)
    return (lambda: step(with_loss), lambda: step(without))


def build(loss: Mapping[str, Any] | None) -> torch.nn.Module:
    """FCN-HRNet-W18 from scratch."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(CONFIG).model
    cfg.backbone.init_cfg = None
    if loss is not None:
        cfg.decode_head.loss_decode = [cfg.decode_head.loss_decode, dict(loss)]
    return MODELS.build(cfg).train()


@case('training step with SEMEDA, 256x512', REFERENCE)
def semeda(device: str) -> tuple[Call, Call]:
    """The shipped edge network of 19 classes."""
    return training_step(dict(type='mmrefine.SEMEDALoss', edge_net=19), device)
