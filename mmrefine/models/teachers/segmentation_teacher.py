"""A frozen segmentation network whose labels, grouped, teach another (X-Distill)."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from mmseg.models.segmentors import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from ...registry import MODELS
from ..checkpoint import build_model
from .class_groups import read_groups


@MODELS.register_module()
class SegmentationTeacher:
    """Any trained mmseg segmentor, and which of its classes belong together.

    It is no module of the model that it teaches: no optimizer, checkpoint, ``init_cfg`` or mode
    of that model reaches it. It follows the frames to their device.

    Args:
        checkpoint: Its weights; read without running any code from the file.
        config: Config file or model config; ``None`` for the one in a published checkpoint.
        groups: ``'cityscapes'``, or a JSON file, see
            ``mmrefine.models.teachers.read_groups``.

    Raises:
        ValueError: if weights and config do not fit, the network is no segmentor, or the groups
            are for another number of classes.
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike,
        config: str | os.PathLike | Mapping | None = None,
        groups: str | os.PathLike = 'cityscapes',
    ) -> None:
        with MODELS.switch_scope_and_registry('mmseg'):
            network = build_model(config, checkpoint)
        if not isinstance(network, BaseSegmentor):
            raise ValueError(f'teacher: expected a segmentor, got a {type(network).__name__}')
        self.groups = read_groups(groups)
        classes = len(self.groups.group_of_class)
        if network.num_classes != classes:
            raise ValueError(
                f'groups: {groups} is for {classes} classes, the teacher has {network.num_classes}'
            )
        self.network = network.requires_grad_(False)
        self.table = torch.tensor(self.groups.group_of_class)

    def __deepcopy__(self, memo: dict) -> 'SegmentationTeacher':
        return self  # nothing in it changes: a moving average of the model needs no second one

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Groups of frames.

        Args:
            frames: (N, 3, H, W) uint8, BGR, as loaded.

        Returns:
            (N, H, W) int64, 255 for a class in no group.
        """
        count, _, height, width = frames.shape
        network = self.network.to(frames.device)
        size = (height, width)
        meta: dict[str, Any] = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), size)
        samples = [SegDataSample(metainfo=dict(meta)) for _ in range(count)]
        with torch.autocast(frames.device.type, enabled=False):
            data = network.data_preprocessor(dict(inputs=list(frames), data_samples=samples))
            logits = network.inference(data['inputs'], [dict(meta) for _ in range(count)])
        # What a preprocessor pads is to the right and below.
        logits = logits[:, :, :height, :width]
        labels = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
        return self.table.to(labels.device)[labels]
