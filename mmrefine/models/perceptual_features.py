"""The frozen network whose features say which pixels look alike (arXiv 2110.12385)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..registry import MODELS

SHIPPED_WEIGHTS = Path(__file__).parents[1] / 'weights' / 'efficientnet-lite0_stride-8.pth'


@MODELS.register_module()
class PerceptualFeatures(nn.Module):
    """Features of images at unit length, from a frozen backbone.

    The paper takes the second stage of ResNet-18, stride 8, trained on ImageNet, which mmseg
    builds but has to download::

        dict(
            type='mmrefine.PerceptualFeatures',
            backbone=dict(
                type='mmseg.ResNetV1c', depth=18,
                init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet18_v1c')),
            level=1,
        )

    The default needs no download: the first three stages of EfficientNet-Lite0, trained on
    ImageNet, stride 8, which come with the package.

    Always in eval mode, in float32 and without gradients, whatever the model around it does.

    Args:
        backbone: Config of a backbone with a tuple of features as output; None for the default.
        level: Which of them.
        mean, std: Of RGB from 0 to 255, by which images are normalised.

    Raises:
        ValueError: while running, if the backbone has no such level.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: dict | None = None,
        level: int = -1,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
    ) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone or dict(type='mmrefine.EfficientNetLiteStages'))
        if backbone is None:
            state = torch.load(SHIPPED_WEIGHTS, map_location='cpu', weights_only=True)
            self.backbone.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
        elif hasattr(self.backbone, 'init_weights'):
            self.backbone.init_weights()
        self.level = level
        for name, values in (('mean', mean), ('std', std)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> 'PerceptualFeatures':
        """Stay in eval mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """RGB from 0 to 255, (N, 3, H, W) → float32 (N, C, h, w), unit length along C."""
        with torch.autocast(images.device.type, enabled=False):
            found = self.backbone((images.float() - self.mean) / self.std)
        if not -len(found) <= self.level < len(found):
            raise ValueError(f'level: the backbone has {len(found)} outputs, got {self.level}')
        return nn.functional.normalize(found[self.level].float(), dim=1)

    def of_image(self, image: np.ndarray) -> Tensor:
        """BGR uint8 (H, W, 3) → float32 (C, h, w) on the device of the network."""
        rgb = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
        return self(rgb[None].to(self.mean.device))[0]
