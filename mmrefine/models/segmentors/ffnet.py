"""FFNet as an mmseg segmentor, by the name its authors gave it (arXiv 2206.08236)."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import ConfigDict
from mmseg.models.segmentors import EncoderDecoder

from ...registry import MODELS
from ..backbones.ffnet_resnet import feature_channels
from ..ffnet_names import backbone_and_neck, parse_name, segmentation_head


@MODELS.register_module()
class FFNet(EncoderDecoder):
    """mmseg's ``EncoderDecoder`` of the three parts that a name stands for.

    ``dict(type='mmrefine.FFNet', name='FFNet-78S-BCC', num_classes=19)`` is a whole model.

    Args:
        name: As released, see ``mmrefine.models.ffnet_names``.
        num_classes: Number of classes; 19 as released, those of Cityscapes.
        norm_cfg: Normalisation layer of all three parts.
        backbone, neck, decode_head: Arguments of ``FFNetResNet``, ``FFNetUp`` and ``FFNetHead`` to
            add to those of the name, or to replace them.
        test_cfg: As for ``EncoderDecoder``; whole images by default.
        **kwargs: Further arguments of ``EncoderDecoder``: ``auxiliary_head``,
            ``data_preprocessor``, ...

    Raises:
        ValueError: for a name that is none, and for that of a classifier.
    """

    def __init__(
        self,
        name: str,
        num_classes: int = 19,
        norm_cfg: Mapping[str, Any] | None = None,
        backbone: Mapping[str, Any] | None = None,
        neck: Mapping[str, Any] | None = None,
        decode_head: Mapping[str, Any] | None = None,
        test_cfg: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        parsed = parse_name(name)
        if parsed.is_classifier:
            raise ValueError(f'name: {name} classifies images: use mmrefine.FFNetClassifier for it')
        norm = {} if norm_cfg is None else dict(norm_cfg=norm_cfg)
        own_backbone, own_neck = backbone_and_neck(parsed)
        own_backbone |= norm | dict(backbone or {})
        own_neck['in_channels'] = list(
            feature_channels(own_backbone['arch'], own_backbone.get('channels'))
        )
        own_head = segmentation_head(parsed, num_classes)
        super().__init__(
            backbone=own_backbone,
            neck=own_neck | norm | dict(neck or {}),
            decode_head=own_head | norm | dict(decode_head or {}),
            # mmseg asks for test_cfg.mode, which a plain dict does not know.
            test_cfg=ConfigDict(test_cfg or dict(mode='whole')),
            **kwargs,
        )
