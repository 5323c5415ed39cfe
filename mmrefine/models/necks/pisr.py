"""The relations of PISR: classes, instances and pixels of a panoptic prediction.

PISR (arXiv 2204.05370, CVPR 2022) is known here by its abstract: panoptic encodings of classes and
instances, instances re-weighted, and a panoptic relational attention that gives a feature map for
the final heads. The layers are ours, after those of OCR (arXiv 1909.11065).

Shapes: N = batch, D = channels, C = classes, K = instances, H, W = size of the feature map.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ops.panoptic_encodings import class_encodings, instance_encodings, weighted_attention
from ...registry import MODELS


@MODELS.register_module()
class PISR(BaseModule):
    """Feature maps in which every pixel knows of all classes and instances of the image.

    1. Encodings: the mean feature of each class and of each instance, where they were seen in a
       first pass.
    2. Re-weighting: a small network tells from an instance's encoding and confidence how much it
       counts, 0 to 1. Weak instances, of which there are always some among the K best, are muted.
    3. Relations: self-attention among the encodings; then each pixel attends to them. With C + K
       keys, memory grows with the pixels, not with their square.
    4. The answer is added to the features. By default the last norm starts at zero: at first
       nothing changes, and a trained model can take the module in.

    Args:
        channels: D.
        reweight: Whether instances are re-weighted; else all count alike.
        norm_cfg: Norm of the answer.
        start: Scale of the answer before training. Above 0, relations are learned earlier.
        init_cfg: As in every mmengine module.
    """

    def __init__(
        self,
        channels: int,
        reweight: bool = True,
        norm_cfg: dict | None = None,
        start: float = 0.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.channels = channels
        hidden = max(16, channels // 4)
        self.weigh = (
            nn.Sequential(nn.Linear(channels + 1, hidden), nn.ReLU(), nn.Linear(hidden, 1))
            if reweight
            else None
        )
        self.among = nn.Linear(channels, 3 * channels)
        self.norm = nn.LayerNorm(channels)
        self.ask = nn.Conv2d(channels, channels, 1)
        self.answer = nn.Linear(channels, 2 * channels)
        self.fuse = nn.Conv2d(2 * channels, channels, 1, bias=False)
        norm_cfg = norm_cfg or dict(type='GN', num_groups=32)
        self.fuse_norm = build_norm_layer(norm_cfg, channels)[1]
        nn.init.constant_(self.fuse_norm.weight, start)

    def forward(
        self,
        features: Tensor,
        logits: Tensor,
        heatmaps: Tensor,
        levels: Sequence[Tensor] | None = None,
    ) -> Tensor | list[Tensor]:
        """Relate a feature map, or several levels of one.

        Args:
            features: (N, D, H, W), what classes and instances are encoded from.
            logits: (N, C, H, W), of classes, from the first pass.
            heatmaps: (N, K, H, W) of instances, 0 to 1, times their confidence; K may be 0, and a
                heatmap of zeros is no instance: images of a batch may have different numbers.
            levels: (N, D, h, w) each, what is related; ``None`` for ``features``.

        Returns:
            (N, D, H, W), or a list of the sizes of ``levels``.

        Raises:
            ValueError: if the shapes do not fit.
        """
        self._check(features, logits, heatmaps)
        encodings, weights = self.encode(features, logits, heatmaps)
        key, value = self.answer(encodings).chunk(2, 2)
        related = [
            self._relate(level, key, value, weights)
            for level in ([features] if levels is None else levels)
        ]
        return related[0] if levels is None else related

    def encode(self, features: Tensor, logits: Tensor, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Encodings (N, C + K, D) that know of each other, and how much each counts (N, C + K)."""
        # A sum over all pixels, in float32 under mixed precision too.
        with torch.autocast(features.device.type, enabled=False):
            classes = class_encodings(features.float(), logits.float())
            instances, confidence = instance_encodings(features.float(), heatmaps.float())
            weights = (confidence > 0).float()
        if self.weigh is not None:
            seen = torch.cat([instances, confidence[..., None]], 2)
            weights = weights * self.weigh(seen)[..., 0].sigmoid().float()
        weights = torch.cat([weights.new_ones(classes.shape[:2]), weights], 1)
        encodings = torch.cat([classes, instances], 1)
        query, key, value = self.among(encodings).chunk(3, 2)
        related = weighted_attention(query, key, value, weights)
        return self.norm(encodings + related), weights

    def _relate(self, level: Tensor, key: Tensor, value: Tensor, weights: Tensor) -> Tensor:
        """Pixels (N, D, h, w) attend to the encodings."""
        query = self.ask(level).flatten(2).transpose(1, 2)
        found = weighted_attention(query, key.to(query), value.to(query), weights)
        found = found.transpose(1, 2).reshape(level.shape)
        return level + self.fuse_norm(self.fuse(torch.cat([level, found], 1)))

    def _check(self, features: Tensor, logits: Tensor, heatmaps: Tensor) -> None:
        count, channels, *size = features.shape
        if channels != self.channels:
            raise ValueError(f'features must have {self.channels} channels, got {channels}')
        for name, maps in (('logits', logits), ('heatmaps', heatmaps)):
            if maps.ndim != 4 or len(maps) != count or list(maps.shape[2:]) != size:
                raise ValueError(
                    f'{name} must be ({count}, any, {size[0]}, {size[1]}) as the features, got '
                    f'{tuple(maps.shape)}'
                )
        if not logits.shape[1]:
            raise ValueError('logits must have a class or more, got none')
