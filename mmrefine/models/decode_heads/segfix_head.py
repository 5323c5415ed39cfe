"""The two branches of SegFix: where boundaries are, and which way the interior lies.

SegFix, arXiv 2007.04269, Section 3.2. Each branch is a 1×1 convolution to 256
channels, batch norm, ReLU and a 1×1 convolution without bias; the boundary
branch has two classes (interior, boundary), the direction branch m.

Legend: N batch, m ``num_directions``, h w size of the finest features.
"""

from collections.abc import Sequence

import torch
import torch.nn as nn
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.utils import resize
from torch import Tensor

from ...ops.direction import check_directions
from ...ops.part_resize import enlarge_part
from ...registry import MODELS
from ...structures.segfix_fields import GT_BOUNDARY, GT_DIRECTION, PART_OF
from ..quiet import without_warning

# mmseg would like sizes of n·x + 1 with align_corners=True; the released network has n·x as well.
SIZE_ADVICE = 'When align_corners=True'


@MODELS.register_module()
class SegFixHead(BaseDecodeHead):
    """Boundary and direction head.

    Args:
        in_channels: Channels of each feature map that ``in_index`` selects.
        in_index: Which feature maps of the backbone are used, finest first.
        channels: Channels between the two convolutions of a branch.
        num_directions: m of the paper, how many directions are told apart: 4,
            8, 16 or 32. It has nothing to do with the number of classes.
        boundary_threshold: Probability above which a pixel is boundary, both
            for the direction loss and at test time.
        loss_boundary, loss_direction: Losses taking (logits, target,
            ignore_index).
        ignore_index: Label of pixels without a target.
        align_corners: How features and predictions are resized; True as
            released.
        act_cfg: Activation in the branches; ReLU by default. What was trained with
            InPlaceABN has a leaky one.
        norm_cfg, init_cfg: As in every mmseg head.

    Raises:
        ValueError: if ``num_directions`` is none of the allowed numbers.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        in_index: Sequence[int],
        channels: int = 256,
        num_directions: int = 8,
        boundary_threshold: float = 0.5,
        loss_boundary: dict | None = None,
        loss_direction: dict | None = None,
        ignore_index: int = 255,
        align_corners: bool = True,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = None,
        init_cfg: dict | None = None,
        input_transform: str = 'resize_concat',
    ) -> None:
        check_directions(num_directions)
        super().__init__(
            in_channels=list(in_channels),
            in_index=list(in_index),
            channels=channels,
            num_classes=2 + num_directions,
            dropout_ratio=0,
            input_transform=input_transform,
            norm_cfg=norm_cfg or dict(type='BN', requires_grad=True),
            act_cfg=act_cfg or dict(type='ReLU'),
            loss_decode=loss_boundary or dict(type='mmrefine.BalancedCrossEntropyLoss'),
            ignore_index=ignore_index,
            align_corners=align_corners,
            init_cfg=init_cfg,
        )
        self.loss_direction = MODELS.build(
            loss_direction or dict(type='mmrefine.BalancedCrossEntropyLoss')
        )
        self.num_directions = num_directions
        self.boundary_threshold = boundary_threshold
        del self.conv_seg  # the branches below take its place
        self.boundary_branch = self._make_branch(2)
        self.direction_branch = self._make_branch(num_directions)

    def _make_branch(self, out_channels: int) -> nn.Sequential:
        return nn.Sequential(
            ConvModule(
                self.in_channels,
                self.channels,
                1,
                bias=False,
                norm_cfg=self.norm_cfg,
                act_cfg=self.act_cfg,
            ),
            nn.Conv2d(self.channels, out_channels, 1, bias=False),
        )

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Logits (N, 2 + m, h, w): interior, boundary, then the directions."""
        with without_warning(SIZE_ADVICE):
            features = self._transform_inputs(inputs)
        return self._logits(features)

    def _logits(self, features: Tensor) -> Tensor:
        return torch.cat([self.boundary_branch(features), self.direction_branch(features)], dim=1)

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """Boundary loss, direction loss and two accuracies.

        The direction loss sees only pixels that the boundary branch itself
        calls boundary. Targets smaller than the batch (padded images) count as
        ignored there.
        """
        size_hw = batch_data_samples[0].metainfo.get('pad_shape') or ()
        boundary = self._stack_targets(batch_data_samples, GT_BOUNDARY, size_hw)
        direction = self._stack_targets(batch_data_samples, GT_DIRECTION, size_hw)
        logits = resize(
            seg_logits,
            boundary.shape[1:],
            mode='bilinear',
            align_corners=self.align_corners,
            warning=False,
        )
        boundary_logits, direction_logits = logits[:, :2], logits[:, 2:]
        with torch.no_grad():
            is_boundary = boundary_logits.softmax(1)[:, 1] > self.boundary_threshold
            direction = direction.masked_fill(~is_boundary, self.ignore_index)
        return dict(
            loss_boundary=self.loss_decode(
                boundary_logits, boundary, ignore_index=self.ignore_index
            ),
            loss_direction=self.loss_direction(
                direction_logits, direction, ignore_index=self.ignore_index
            ),
            acc_boundary=_accuracy(is_boundary, boundary, self.ignore_index),
            acc_direction=_accuracy(direction_logits.argmax(1), direction, self.ignore_index),
        )

    def _stack_targets(self, samples: list, field: str, size_hw: Sequence[int]) -> Tensor:
        """(N, H, W) int64 targets, padded below and right to a common size."""
        missing = [s for s in samples if field not in s]
        if missing:
            raise ValueError(
                f'data samples have no {field}: the pipeline needs '
                "dict(type='mmrefine.GenerateBoundaryDirection', ...) after the geometric "
                "augmentations and dict(type='mmrefine.PackSegFixInputs') at its end"
            )
        targets = [getattr(s, field).data[0] for s in samples]
        height = max([t.shape[0] for t in targets] + list(size_hw[-2:-1]))
        width = max([t.shape[1] for t in targets] + list(size_hw[-1:]))
        return torch.stack(
            [
                F.pad(
                    t, (0, width - t.shape[1], 0, height - t.shape[0]), value=self.ignore_index
                ).long()
                for t in targets
            ]
        )

    def predict_by_feat(self, seg_logits: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Probabilities (N, 2 + m, H, W) of both branches at the input size.

        Probabilities rather than logits, so that averaging overlapping windows
        averages what each window believes.
        """
        with without_warning(SIZE_ADVICE):
            logits = super().predict_by_feat(seg_logits, batch_img_metas)
        return _probabilities(logits)

    def predict(
        self, inputs: list[Tensor], batch_img_metas: list[dict], test_cfg: dict | None
    ) -> Tensor:
        """Probabilities as of ``predict_by_feat``, from the features of images or parts of one.

        Of a part that says so (``part_of``), features are enlarged as those of the whole image.
        """
        part = batch_img_metas[0].get(PART_OF)
        if part is None or not self.align_corners or self.input_transform != 'resize_concat':
            return super().predict(inputs, batch_img_metas, test_cfg)
        height, width = batch_img_metas[0]['img_shape'][:2]
        features = [inputs[index] for index in self.in_index]
        finest = features[0].shape[2:]
        stride = height // finest[0]
        start, whole = part[:2], part[2:]
        at_stride = [n // stride for n in start], [n // stride for n in whole]
        concatenated = torch.cat([enlarge_part(x, finest, *at_stride) for x in features], dim=1)
        logits = self._logits(concatenated)
        return _probabilities(enlarge_part(logits, (height, width), start, whole))


def _probabilities(logits: Tensor) -> Tensor:
    """Logits (N, 2 + m, H, W) → probabilities of either branch."""
    return torch.cat([logits[:, :2].softmax(1), logits[:, 2:].softmax(1)], dim=1)


def _accuracy(prediction: Tensor, target: Tensor, ignore_index: int) -> Tensor:
    """Share of labelled pixels that are right, in per cent; 0 where none is labelled."""
    labelled = target != ignore_index
    return 100 * (prediction[labelled] == target[labelled]).sum() / labelled.sum().clamp(min=1)
