"""FFNet written out over the weights of a released file: an independent forward."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

# Names of the up-head's layers, finest level first.
SMOOTHS = ('fam_4', 'fam_8_sm', 'fam_16_sm', 'fam_32_sm')
UPS = ('fam_8_up', 'fam_16_up', 'fam_32_up')


class PlainFFNet:
    """Released weights as a function of images.

    Args:
        weights: By the names of the released file.
        nearest: Features are enlarged by copying; else bilinear, corners on corners.
        first_stride: Stride of the first of four stages.
    """

    def __init__(self, weights: Mapping[str, Tensor], nearest: bool, first_stride: int) -> None:
        self.w = weights
        self.nearest = nearest
        self.first_stride = first_stride

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.w[f'{name}.weight']
        padding = weight.shape[-1] // 2
        return F.conv2d(x, weight, self.w.get(f'{name}.bias'), stride, padding)

    def norm(self, x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            self.w[f'{name}.{kind}'][:, None, None]
            for kind in ('running_mean', 'running_var', 'weight', 'bias')
        )
        return (x - mean) / (var + 1e-5).sqrt() * scale + shift

    def unit(self, x: Tensor, name: str) -> Tensor:
        return self.norm(self.conv(x, f'{name}.layers.0'), f'{name}.layers.1').relu()

    def block(self, x: Tensor, name: str, stride: int) -> Tensor:
        is_bottleneck = f'{name}.conv3.weight' in self.w
        strided = 2 if is_bottleneck else 1
        out = x
        for number in range(1, 4 if is_bottleneck else 3):
            out = self.conv(out, f'{name}.conv{number}', stride if number == strided else 1)
            out = self.norm(out, f'{name}.bn{number}')
            if f'{name}.conv{number + 1}.weight' in self.w:
                out = out.relu()
        if f'{name}.downsample.0.weight' in self.w:
            x = self.norm(self.conv(x, f'{name}.downsample.0', stride), f'{name}.downsample.1')
        return (out + x).relu()

    def backbone(self, x: Tensor) -> list[Tensor]:
        if 'smoothing.weight' in self.w:
            x = F.pad(x, (2, 2, 2, 2), mode='reflect')
            x = F.conv2d(x, self.w['smoothing.weight'], stride=2, groups=3)
        is_a = 'backbone_model.conv0.weight' not in self.w
        has_three = 'backbone_model.layer4.0.conv1.weight' not in self.w
        for number, stride in ((1, 2),) if is_a else ((0, 2), (1, 2), (2, 1)):
            if f'backbone_model.conv{number}.weight' in self.w:
                x = self.conv(x, f'backbone_model.conv{number}', stride)
                x = self.norm(x, f'backbone_model.bn{number}').relu()
        if is_a:
            x = F.max_pool2d(x, 3, 2, 1)
        levels = [x] if has_three else []
        for stage in range(1, 4 if has_three else 5):
            stride = 2 if stage > 1 or has_three else self.first_stride
            number = 0
            while f'backbone_model.layer{stage}.{number}.conv1.weight' in self.w:
                x = self.block(x, f'backbone_model.layer{stage}.{number}', 1 if number else stride)
                number += 1
            levels.append(x)
        return levels

    def enlarge(self, x: Tensor, like: Tensor) -> Tensor:
        if self.nearest:
            return F.interpolate(x, like.shape[2:], mode='nearest')
        return F.interpolate(x, like.shape[2:], mode='bilinear', align_corners=True)

    def up(self, levels: list[Tensor]) -> list[Tensor]:
        x = [self.unit(f, f'head.layers.0.adapter_conv.{i}') for i, f in enumerate(levels)]
        for i in (2, 1, 0):
            x[i] = x[i] + self.enlarge(self.unit(x[i + 1], f'head.layers.1.{UPS[i]}'), x[i])
        return [self.unit(f, f'head.layers.1.{SMOOTHS[i]}') for i, f in enumerate(x)]

    def segment(self, image: Tensor) -> Tensor:
        levels = self.up(self.backbone(image))
        x = torch.cat([self.enlarge(level, levels[0]) for level in levels], dim=1)
        x = self.norm(self.conv(x, 'head.layers.3.last_layer.0'), 'head.layers.3.last_layer.1')
        return self.conv(x.relu(), 'head.layers.3.last_layer.3')

    def classify(self, image: Tensor) -> Tensor:
        levels = self.up(self.backbone(image))
        x = self.block(levels[0], 'head.layers.2.expansion_layers.0', 1)
        for i in range(3):
            down = f'head.layers.2.downsampling_layers.{i}'
            x = self.norm(self.conv(x, f'{down}.0', 2), f'{down}.1').relu()
            x = x + self.block(levels[i + 1], f'head.layers.2.expansion_layers.{i + 1}', 1)
        last = 'head.layers.2.final_layer'
        x = self.norm(self.conv(x, f'{last}.0'), f'{last}.1').relu().mean((2, 3))
        classifier = 'head.layers.2.classifier'
        return x @ self.w[f'{classifier}.weight'].T + self.w[f'{classifier}.bias']
