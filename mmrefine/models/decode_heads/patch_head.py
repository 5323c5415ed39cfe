"""From a patch's features to its mask, and to where the coarse mask needs none.

Two answers for every pixel: is it object, and is the coarse mask off around here? The second one
lets good masks be left alone by what the network sees instead of by a fixed margin. Not in BPR's
paper (arXiv 2104.05239), whose network answers the first only.

Shapes: N = patches, S = side of a patch.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from ...registry import MODELS
from ...structures.patch_fields import COARSE_MASK
from .coarse_to_fine import CoarseToFine


@MODELS.register_module()
class PatchHead(CoarseToFine, BaseDecodeHead):
    """Decoder for ``PatchEfficientNet``: coarse to fine, full resolution by pixel shuffle only.

    Logits (N, 2, S, S): object, and *off*: whether the coarse mask is wrong by two pixels or more
    (of the patch) within ``reach`` of the pixel.

    Args:
        in_channels: Channels of the features, finest first; the first two at stride 2.
        channels: Channels of the decoder at strides 2, 4 and 8.
        reach: Pixels of the patch; the answer *off* is given for squares of half of it.
        boundary_weight: How much more a pixel counts within ``band`` of an outline, true or coarse.
        band: Pixels of the patch.
        off_weight: Weight of the loss of *off*.
        norm_cfg, init_cfg: As in every mmseg head.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (16, 16, 24, 40, 112),
        channels: Sequence[int] = (32, 32, 48),
        reach: int = 8,
        boundary_weight: float = 4.0,
        band: int = 3,
        off_weight: float = 0.3,
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            in_channels=list(in_channels),
            in_index=list(range(len(in_channels))),
            input_transform='multiple_select',
            channels=channels[0],
            num_classes=2,
            out_channels=1,
            threshold=0.5,
            dropout_ratio=0,
            norm_cfg=norm_cfg or dict(type='BN', requires_grad=True),
            init_cfg=init_cfg,
            **kwargs,
        )
        self.reach = reach
        self.boundary_weight = boundary_weight
        self.band = band
        self.off_weight = off_weight
        self.add_decoder(in_channels, channels)
        self.conv_seg = nn.Conv2d(channels[0], 4, 1)
        self.conv_off = nn.Sequential(self.conv(channels[2], 32, 3), nn.Conv2d(32, 1, 1))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Features → logits (N, 2, S, S)."""
        coarse, fine = self.decode(self._transform_inputs(inputs))
        off = F.interpolate(self.conv_off(coarse), scale_factor=8, mode='bilinear')
        return torch.cat([F.pixel_shuffle(self.conv_seg(fine), 2), off], dim=1)

    def predict_by_feat(self, seg_logits: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Logits (N, 1, S, S) of the object alone, as mmseg's evaluation wants them."""
        return super().predict_by_feat(seg_logits[:, :1], batch_img_metas)

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """Cross-entropy of both answers. Pixels whose true label is 255 count in neither."""
        label = self._stack_batch_gt(batch_data_samples)
        valid = (label != self.ignore_index).float()
        truth = (label == 1).float()
        coarse = torch.stack([s.get(COARSE_MASK).data for s in batch_data_samples]).float()
        near = torch.maximum(_edges(truth, self.band), _edges(coarse, self.band))
        weight = valid * (1 + self.boundary_weight * near)
        objects, off = seg_logits[:, :1].float(), seg_logits[:, 1:].float()
        wrong = _off_by_two(coarse, truth) * valid
        target = _grow(wrong, self.reach)
        there = valid * torch.maximum(_edges(truth, self.reach), _edges(coarse, self.reach))
        with torch.no_grad():
            inside = near * valid
            correct = ((objects > 0) == (truth > 0)).float()
            accuracy = 100 * (correct * inside).sum() / inside.sum().clamp_min(1)
            before = 100 * ((coarse == truth) * inside).sum() / inside.sum().clamp_min(1)
        return dict(
            loss_mask=_weighted(objects, truth, weight),
            loss_off=self.off_weight * _weighted(off, target, there),
            acc_near=accuracy,
            acc_coarse=before,
        )


def _weighted(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
    return (loss * weight).sum() / weight.sum().clamp_min(1)


def _grow(masks: Tensor, radius: int) -> Tensor:
    """1 where the square of ``radius`` around a pixel holds a 1: sums, quicker than maxima."""
    side = 2 * radius + 1
    sums = F.pad(masks, (radius + 1, radius, radius + 1, radius)).cumsum(-1)
    sums = (sums[..., side:] - sums[..., :-side]).cumsum(-2)
    return (sums[..., side:, :] - sums[..., :-side, :] > 0.5).float()


def _edges(masks: Tensor, radius: int) -> Tensor:
    """1 where the square of ``radius`` around a pixel holds object and background."""
    return _grow(masks, radius) - 1 + _grow(1 - masks, radius)


def _off_by_two(coarse: Tensor, truth: Tensor) -> Tensor:
    """1 where the coarse mask is wrong and the true outline does not touch the pixel."""
    return (coarse != truth).float() * (1 - _edges(truth, 1))
