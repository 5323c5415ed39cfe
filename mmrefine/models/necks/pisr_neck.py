"""A neck with a first panoptic pass of its own, and the relations of PISR on all levels."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ops.ignored import IGNORED_BYTE
from ...ops.panoptic_encodings import centre_heatmaps, centre_targets, top_centres
from ...registry import MODELS
from .pisr import PISR


class FirstPass(NamedTuple):
    """What the first pass sees, at the size of one level.

    Attributes:
        logits: (N, C, H, W) of all classes, things first.
        heat: (N, 1, H, W), logits of being a centre.
        offsets: (N, 2, H, W), to the centre of the pixel's instance, (dy, dx) in pixels.
    """

    logits: Tensor
    heat: Tensor
    offsets: Tensor


@MODELS.register_module()
class PISRNeck(BaseModule):
    """First pass, encodings and relations (PISR), between a neck and the heads of any model.

    The first pass is a small head in the manner of Panoptic-DeepLab: classes, centres and offsets.
    The K most confident centres give K heatmaps, suppressed where the classes say stuff. The
    related levels go on to the final heads. ``loss`` supervises the first pass.

    By itself it can stand behind an FPN in the ``neck`` list of any detector, its first pass then
    not supervised; ``mmrefine.PISRPanopticFPN`` and ``mmrefine.PISRMaskFormer`` supervise it.

    Args:
        in_channels: D, of every level.
        num_things_classes: Their labels come first.
        num_stuff_classes: Labels after them.
        level: Index of the level that is encoded.
        related_levels: Indices of those that are related; the others pass. ``None`` for all.
        num_instances: K.
        spread: How far from a centre pixels may point, in pixels of the level.
        reweight, start: See ``mmrefine.models.necks.PISR``.
        loss_weight: Factor on all losses of the first pass.
        centre_weight, offset_weight: Factors on the errors of centres (squared) and offsets
            (absolute, in pixels), those of Panoptic-DeepLab.
        norm_cfg: Norm of all layers.
        init_cfg: As in every mmengine module.

    Raises:
        ValueError: if a number is out of range.
    """

    def __init__(
        self,
        in_channels: int = 256,
        num_things_classes: int = 80,
        num_stuff_classes: int = 53,
        level: int = 1,
        related_levels: Sequence[int] | None = (0, 1, 2, 3),
        num_instances: int = 50,
        spread: float = 4.0,
        reweight: bool = True,
        loss_weight: float = 0.4,
        centre_weight: float = 200.0,
        offset_weight: float = 0.01,
        norm_cfg: dict | None = None,
        start: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        for name, value, least in (
            ('num_things_classes', num_things_classes, 0),
            ('num_things_classes + num_stuff_classes', num_things_classes + num_stuff_classes, 1),
            ('num_instances', num_instances, 0),
            ('loss_weight', loss_weight, 0),
        ):
            if value < least:
                raise ValueError(f'{name} must be {least} or more, got {value}')
        if not spread > 0:
            raise ValueError(f'spread must be positive, got {spread}')
        self.num_things = num_things_classes
        self.level, self.related_levels = level, related_levels
        self.num_instances, self.spread = num_instances, spread
        self.loss_weight = loss_weight
        self.centre_weight, self.offset_weight = centre_weight, offset_weight
        norm_cfg = norm_cfg or dict(type='GN', num_groups=32)
        self.trunk = nn.Sequential(
            *(ConvModule(in_channels, in_channels, 3, padding=1, norm_cfg=norm_cfg) for _ in '12')
        )
        self.classes = nn.Conv2d(in_channels, num_things_classes + num_stuff_classes, 1)
        self.centres = nn.Conv2d(in_channels, 1, 1)
        self.offsets = nn.Conv2d(in_channels, 2, 1)
        if self.centres.bias is not None:
            nn.init.constant_(self.centres.bias, -4)  # centres are rare
        self.relations = PISR(in_channels, reweight, norm_cfg, start)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Levels (N, D, h, w), fine to coarse → related levels of the same sizes."""
        return self.relate(features)[0]

    def relate(self, features: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], FirstPass]:
        """Related levels, and the first pass that they rest on."""
        features = list(features)
        first = self.first_pass(features[self.level])
        places = range(len(features)) if self.related_levels is None else self.related_levels
        related = self.relations(
            features[self.level],
            first.logits,
            self.heatmaps(first),
            [features[place] for place in places],
        )
        for place, level in zip(places, related, strict=True):
            features[place] = level
        return tuple(features), first

    def first_pass(self, features: Tensor) -> FirstPass:
        """Classes, centres and offsets of one level (N, D, H, W)."""
        x = self.trunk(features)
        return FirstPass(self.classes(x), self.centres(x), self.offsets(x))

    def heatmaps(self, first: FirstPass) -> Tensor:
        """(N, K, H, W): of the K most confident centres, 0 on stuff."""
        centres, scores = top_centres(first.heat.float().sigmoid(), self.num_instances)
        things = first.logits.float().softmax(1)[:, : self.num_things].sum(1, keepdim=True)
        return centre_heatmaps(centres, scores, first.offsets.float(), things, self.spread)

    def loss(self, first: FirstPass, labels: Tensor, masks: Sequence[Tensor]) -> dict[str, Tensor]:
        """Losses of the first pass.

        Args:
            first: Of ``relate``.
            labels: (N, h, w), classes of the batch at any size, things first, 255 ignored.
            masks: (M, h, w) of the instances of each image, bool, 0 or 1; M may be 0.

        Returns:
            ``loss_first_classes``, ``loss_first_centres``, ``loss_first_offsets``.
        """
        size = first.logits.shape[2:]
        labels = F.interpolate(labels[:, None].float(), size, mode='nearest')[:, 0].long()
        targets = [
            centre_targets(
                F.interpolate(m[:, None].float(), size, mode='nearest')[:, 0] > 0.5
                if len(m)
                else m.new_zeros((0, *size), dtype=torch.bool),
                self.spread,
            )
            for m in masks
        ]
        heat, offsets, inside = (torch.stack(parts) for parts in zip(*targets, strict=True))
        with torch.autocast(heat.device.type, enabled=False):
            known = (labels != IGNORED_BYTE).sum().clamp(min=1)
            classes = F.cross_entropy(
                first.logits.float(), labels, ignore_index=IGNORED_BYTE, reduction='sum'
            )
            centres = (first.heat.float().sigmoid() - heat).square().mean()
            away = (first.offsets.float() - offsets).abs().sum(1) * inside
            return dict(
                loss_first_classes=self.loss_weight * classes / known,
                loss_first_centres=self.loss_weight * self.centre_weight * centres,
                loss_first_offsets=self.loss_weight
                * self.offset_weight
                * away.sum()
                / inside.sum().clamp(min=1),
            )
