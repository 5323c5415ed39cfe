"""Depth from one image, learned from videos, with a teacher of shapes (X-Distill).

Monodepth2 (ICCV 2019) is the ground that X-Distill (arXiv 2110.12516) stands on: a depth network
and a pose network, trained to put each frame together from its neighbours.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.models.segmentors import DepthEstimator
from mmseg.structures import SegDataSample
from torch import Tensor

from ...registry import MODELS
from ...structures.depth_fields import FRAME_OFFSETS, GT_FRAMES, INTRINSICS


@MODELS.register_module()
class SelfSupervisedDepth(DepthEstimator):
    """Monocular depth without a single true depth.

    With ``depth_to_seg`` and groups of classes to learn from, this is X-Distill; without, it is
    Monodepth2. The groups come from ``teacher``, or, without one, from the label maps of the
    dataset, which is quicker where a teacher's labels have been stored.

    Args:
        backbone: Encoder, any of mmseg's.
        decode_head: A ``mmrefine.DisparityHead``.
        pose_net: A ``mmrefine.PoseNet``. Training needs it, predicting does not.
        depth_to_seg: A ``mmrefine.DepthToSegHead``, used in training only.
        teacher: A ``mmrefine.SegmentationTeacher``, used in training only.
        loss_synthesis: A ``mmrefine.ViewSynthesisLoss``.
        test_cfg: As in mmseg's ``EncoderDecoder``; whole images by default.
        **kwargs: Further arguments of mmseg's ``EncoderDecoder``.

    Raises:
        ValueError: if there is a teacher but nobody to teach.
    """

    # What a published checkpoint leaves out: predicting needs none of it.
    TRAINING_ONLY = ('pose_net', 'depth_to_seg', 'teacher')

    def __init__(
        self,
        backbone: dict,
        decode_head: dict,
        pose_net: dict | None = None,
        depth_to_seg: dict | None = None,
        teacher: dict | None = None,
        loss_synthesis: dict | None = None,
        test_cfg: Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        # mmseg asks for test_cfg.mode, which a plain dict does not know.
        test_cfg = ConfigDict(test_cfg or dict(mode='whole'))
        super().__init__(backbone=backbone, decode_head=decode_head, test_cfg=test_cfg, **kwargs)
        if teacher and not depth_to_seg:
            raise ValueError('teacher: it needs depth_to_seg, the head that learns from it')
        self.pose_net: Any = MODELS.build(pose_net) if pose_net else None
        self.depth_to_seg: Any = MODELS.build(depth_to_seg) if depth_to_seg else None
        self.teacher: Any = MODELS.build(teacher) if teacher else None
        self.loss_synthesis = MODELS.build(
            loss_synthesis or dict(type='mmrefine.ViewSynthesisLoss')
        )
        self._check_groups()

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            inputs: (N, 3 F, H, W), frames as the preprocessor gives them, target first.
            data_samples: With ``gt_frames``, ``intrinsics`` and ``frame_offsets``; without a
                teacher also ``gt_sem_seg``, groups of classes.

        Raises:
            ValueError: if there is no pose network, or something of this is missing.
        """
        if self.pose_net is None:
            raise ValueError('pose_net: training needs one, got None')
        raw = torch.stack([sample.get(GT_FRAMES).data for sample in data_samples])
        frames = raw.unflatten(1, (-1, 3))
        intrinsics = torch.stack(
            [torch.as_tensor(sample.metainfo[INTRINSICS]) for sample in data_samples]
        ).to(inputs.device)
        disparities = self.decode_head(self.extract_feat(inputs[:, :3]))
        motions = self._motions(inputs, data_samples)
        losses: dict[str, Tensor] = self.loss_synthesis(
            disparities, frames / 255, intrinsics, motions, self.decode_head.to_depth
        )
        if self.depth_to_seg is not None:
            groups = self._groups(frames[:, 0], data_samples)
            full = F.interpolate(
                disparities[0], groups.shape[1:], mode='bilinear', align_corners=False
            )
            losses['loss_depth_to_seg'] = self.depth_to_seg.loss(full, groups)
        return losses

    def _forward(self, inputs: Tensor, data_samples: Any = None) -> Tensor:
        """Depth (N, 1, H, W) of images (N, 3, H, W): what an exported model computes."""
        meta = dict(img_shape=inputs.shape[2:])
        return self.encode_decode(inputs, [meta])

    def _motions(self, inputs: Tensor, data_samples: list[SegDataSample]) -> list[Tensor]:
        """From the target's camera to that of each source; the pose network sees time go on."""
        target, *sources = inputs.unflatten(1, (-1, 3)).unbind(1)
        offsets = {tuple(sample.metainfo[FRAME_OFFSETS]) for sample in data_samples}
        if len(offsets) > 1 or len(next(iter(offsets))) != len(sources) + 1 or not sources:
            raise ValueError(
                'frames: training needs the target and one source or more, the same in every '
                f'sample of a batch, got offsets {sorted(offsets)} and {len(sources) + 1} frames'
            )
        return [
            self.pose_net(source, target, invert=True)
            if offset < 0
            else self.pose_net(target, source)
            for offset, source in zip(next(iter(offsets))[1:], sources, strict=True)
        ]

    def _groups(self, target: Tensor, data_samples: list[SegDataSample]) -> Tensor:
        """Groups of classes (N, H, W) of the target frames (N, 3, H, W), uint8 BGR."""
        if self.teacher is not None:
            return self.teacher(target)
        if any('gt_sem_seg' not in sample for sample in data_samples):
            raise ValueError(
                'depth_to_seg: there are no classes to learn from; give a teacher, or label maps '
                'in the dataset (data_prefix seg_map_path)'
            )
        return torch.stack([sample.gt_sem_seg.data.squeeze(0) for sample in data_samples])

    def _check_groups(self) -> None:
        if self.teacher is None:
            return
        groups = self.teacher.groups.names
        if len(groups) != self.depth_to_seg.num_groups:
            raise ValueError(
                f'depth_to_seg: num_groups is {self.depth_to_seg.num_groups}, the teacher has '
                f'{len(groups)} groups: {", ".join(groups)}'
            )
