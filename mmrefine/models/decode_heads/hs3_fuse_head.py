"""HS3-Fuse: what the layers learned about clusters helps to predict (HS3, arXiv 2111.02333).

The paper aggregates hierarchical features; its layers are not public. Here, each layer has an OCR
block (arXiv 1909.11065) whose soft regions are the layer's own clusters, as traces in the authors'
code for OCR hint at.

Legend: N batch, K classes, k clusters of a stage, h w size of the finest feature map.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.decode_heads.ocr_head import ObjectAttentionBlock, SpatialGatherModule
from mmseg.models.losses import accuracy
from mmseg.models.utils import resize
from torch import Tensor, nn

from ...registry import MODELS
from .cluster_aux_head import LOSS
from .cluster_labels import ClusterLabels


class StageContext(BaseModule):
    """Features of one stage, each pixel enriched by the clusters that it looks like.

    Args:
        in_channels: Channels of the stage's features.
        channels: Channels of its output.
        key_channels: Channels in which pixels and clusters are compared.
        num_clusters: k of the stage.
        norm_cfg, act_cfg: As in every mmseg head.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        key_channels: int,
        num_clusters: int,
        norm_cfg: Mapping[str, Any] | None,
        act_cfg: Mapping[str, Any],
    ) -> None:
        super().__init__()
        layer = dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.classifier = nn.Sequential(
            ConvModule(in_channels, in_channels, 1, **layer),
            nn.Conv2d(in_channels, num_clusters, 1),
        )
        self.pixels = ConvModule(in_channels, channels, 3, padding=1, **layer)
        self.gather = SpatialGatherModule(1)
        self.attention = ObjectAttentionBlock(channels, key_channels, 1, None, **layer)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, h, w) → features (N, channels, h, w), scores of the clusters (N, k, h, w)."""
        scores = self.classifier(features)
        pixels = self.pixels(features)
        return self.attention(pixels, self.gather(pixels, scores)), scores


@MODELS.register_module()
class HS3FuseHead(BaseDecodeHead):
    """Decode head that learns the clusters of several stages and predicts from all of them.

    Args:
        stages: From the first to the last, ``dict(in_index=..., in_channels=..., label_map=...)``:
            the feature map, or several, finest first, that are resized and concatenated, and the
            clusters as in ``ClusterAuxHead`` (``layer`` too). A stage without a
            ``label_map`` learns all classes, as the last one should.
        channels: Channels of the last stage's block and of the fused features.
        key_channels: Channels in which pixels and clusters are compared.
        divider: Both are so many times less in the stages before the last.
        stage_weight: Weight of each stage's loss.
        num_classes, norm_cfg, loss_decode, ...: As in every mmseg head.

    Raises:
        ValueError: for fewer than two stages or a label map that does not fit.
    """

    def __init__(
        self,
        stages: Sequence[Mapping[str, Any]],
        num_classes: int,
        channels: int = 512,
        key_channels: int = 256,
        divider: int = 2,
        stage_weight: float = 0.4,
        dropout_ratio: float = 0,
        **kwargs: Any,
    ) -> None:
        if len(stages) < 2:
            raise ValueError(f'stages: expected 2 or more, got {len(stages)}')
        indices = [_as_list(stage['in_index']) for stage in stages]
        widths = [_as_list(stage['in_channels']) for stage in stages]
        super().__init__(
            in_channels=[c for width in widths for c in width],
            in_index=[i for index in indices for i in index],
            input_transform='multiple_select',
            channels=channels,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            **kwargs,
        )
        self.stage_indices = indices
        clusters = [
            ClusterLabels(
                stage.get('label_map') or list(range(num_classes)),
                num_classes,
                stage.get('layer', 0),
            )
            for stage in stages
        ]
        self.clusters = nn.ModuleList(clusters)
        last = len(stages) - 1
        parts = [1 if number == last else divider for number in range(len(stages))]
        self.stages = nn.ModuleList(
            StageContext(
                sum(width),
                channels // part,
                key_channels // part,
                known.num_clusters,
                self.norm_cfg,
                self.act_cfg,
            )
            for width, part, known in zip(widths, parts, clusters, strict=True)
        )
        self.fuse = ConvModule(
            sum(channels // part for part in parts),
            channels,
            1,
            norm_cfg=self.norm_cfg,
            act_cfg=self.act_cfg,
        )
        self.loss_stage = MODELS.build(LOSS | dict(loss_weight=stage_weight))

    def forward_stages(self, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Class scores (N, K, h, w), and scores of the clusters of each stage, at its own size."""
        features, scores = [], []
        for index, stage in zip(self.stage_indices, self.stages, strict=True):
            finest = inputs[index[0]]
            merged = torch.cat([self._resized(inputs[i], finest) for i in index], dim=1)
            context, clusters = stage(merged)
            features.append(context)
            scores.append(clusters)
        finest = max(features, key=lambda x: x.shape[2])
        fused = self.fuse(torch.cat([self._resized(x, finest) for x in features], dim=1))
        return self.cls_seg(fused), scores

    def _resized(self, features: Tensor, like: Tensor) -> Tensor:
        size = like.shape[2:]
        return resize(features, size, None, 'bilinear', self.align_corners, warning=False)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Class scores (N, K, h, w) at the size of the finest stage."""
        return self.forward_stages(inputs)[0]

    def loss(self, inputs: Sequence[Tensor], batch_data_samples: list, train_cfg: Any) -> dict:
        """Losses of the fused scores, as in every head, and of each stage's clusters."""
        fused, scores = self.forward_stages(inputs)
        losses = self.loss_by_feat(fused, batch_data_samples)
        labels = self._stack_batch_gt(batch_data_samples).squeeze(1)
        for number, (logits, clusters) in enumerate(zip(scores, self.clusters, strict=True)):
            logits = resize(
                logits, labels.shape[1:], None, 'bilinear', self.align_corners, warning=False
            )
            target = clusters(labels, self.ignore_index)
            losses[f'stage{number}.loss_ce'] = self.loss_stage(
                logits, target, ignore_index=self.ignore_index
            )
            losses[f'stage{number}.acc_seg'] = accuracy(
                logits, target, ignore_index=self.ignore_index
            )
        return losses


def _as_list(value: int | Sequence[int]) -> list[int]:
    return [value] if isinstance(value, int) else list(value)
