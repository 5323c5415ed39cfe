"""HRNets and the released networks on them, written out from nothing but their weights."""

import torch
import torch.nn.functional as F
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# dy, dx of the released direction classes
OFFSETS = ((0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1))


def enlarge(x: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    return F.interpolate(x, size, mode='bilinear', align_corners=align_corners)


class PlainHRNet:
    """Both stems; with ``align_corners`` as in openseg.pytorch, without as in mmseg.

    ``in_place``: the normalisation is InPlaceABN's.
    """

    def __init__(
        self, weights: dict[str, Tensor], align_corners: bool, in_place: bool = False
    ) -> None:
        self.weights = weights
        self.align_corners = align_corners
        self.in_place = in_place

    def norm(self, x: Tensor, at: str) -> Tensor:
        mean, var, weight, bias = (
            self.weights[f'{at}.{name}'][:, None, None]
            for name in ('running_mean', 'running_var', 'weight', 'bias')
        )
        if self.in_place:
            weight = (weight.float().abs() + 1e-5).to(weight)  # in the precision of the file
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    def conv(self, x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        kernel = self.weights[f'{conv}.weight']
        return self.norm(F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2), norm)

    def block(self, x: Tensor, at: str) -> Tensor:
        depth = 3 if f'{at}.conv3.weight' in self.weights else 2
        out = x
        for i in range(1, depth + 1):
            out = self.conv(out, f'{at}.conv{i}', f'{at}.bn{i}')
            out = out.relu() if i < depth else out
        if f'{at}.downsample.0.weight' in self.weights:
            x = self.conv(x, f'{at}.downsample.0', f'{at}.downsample.1')
        return (out + x).relu()

    def blocks(self, x: Tensor, at: str) -> Tensor:
        index = 0
        while self.has(f'{at}.{index}.'):
            x = self.block(x, f'{at}.{index}')
            index += 1
        return x

    def has(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.weights)

    def chain(self, x: Tensor, at: str, relu_at_end: bool) -> Tensor:
        """Stride-2 convolutions at.0, at.1, ..., ReLU between them."""
        step = 0
        while self.has(f'{at}.{step}.'):
            x = x if step == 0 else x.relu()
            x = self.conv(x, f'{at}.{step}.0', f'{at}.{step}.1', stride=2)
            step += 1
        return x.relu() if relu_at_end else x

    def module(self, features: list[Tensor], at: str) -> list[Tensor]:
        branches = [self.blocks(x, f'{at}.branches.{i}') for i, x in enumerate(features)]
        fused = []
        for i, own in enumerate(branches):
            total = torch.zeros_like(own)
            for j, x in enumerate(branches):
                layer = f'{at}.fuse_layers.{i}.{j}'
                if j < i:
                    x = self.chain(x, layer, relu_at_end=False)
                elif j > i:
                    x = self.conv(x, f'{layer}.0', f'{layer}.1')
                    sizes = [tuple(own.shape[2:])]
                    if not self.align_corners:  # mmseg's two steps
                        sizes.insert(0, tuple(n * 2 ** (j - i) for n in x.shape[2:]))
                    for size in sizes:
                        x = enlarge(x, size, self.align_corners)
                total = total + x
            fused.append(total.relu())
        return fused

    def stem(self, image: Tensor) -> Tensor:
        x = F.conv2d(image[:, :3], self.weights['conv1.weight'], stride=2, padding=1)
        if image.shape[1] == 4:
            x = x + F.conv2d(image[:, 3:], self.weights['conv_mask.weight'], stride=2, padding=1)
        x = self.norm(x, 'bn1').relu()
        if 'conv2.weight' in self.weights:
            x = self.conv(x, 'conv2', 'bn2', stride=2).relu()
            x = self.blocks(x, 'layer1')
        return x

    def __call__(self, image: Tensor) -> list[Tensor]:
        features = [self.stem(image)]
        for stage in range(1, 5):
            at = f'transition{stage - 1}'
            if not self.has(at):  # the first stage of an HRNet is layer1
                continue
            branches = f'stage{stage}.0.branches.'
            number = 1 + max(int(k.split('.')[3]) for k in self.weights if k.startswith(branches))
            scales = []
            for i in range(number):
                if i >= len(features):
                    scales.append(self.chain(features[-1], f'{at}.{i}', relu_at_end=True))
                elif f'{at}.{i}.0.weight' in self.weights:
                    scales.append(self.conv(features[i], f'{at}.{i}.0', f'{at}.{i}.1').relu())
                else:
                    scales.append(features[i])
            features = scales
            module = 0
            while self.has(f'stage{stage}.{module}.'):
                features = self.module(features, f'stage{stage}.{module}')
                module += 1
        return features


def part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def concatenated(features: list[Tensor], align_corners: bool) -> Tensor:
    size = tuple(features[0].shape[2:])
    return torch.cat([enlarge(x, size, align_corners) for x in features], dim=1)


def calibrate_heads(weights: dict[str, Tensor], image_bgr: Tensor) -> None:
    """Let the head norms of a released SegFix have the statistics of an image.

    Random weights would else give the same answer for every pixel.
    """
    features = PlainHRNet(part(weights, 'backbone.'), True)(normalised(image_bgr).float())
    for head in ('mask_head', 'dir_head'):
        x = F.conv2d(concatenated(features, True), weights[f'{head}.0.weight'])
        weights[f'{head}.1.0.running_mean'] = x.mean((0, 2, 3))
        weights[f'{head}.1.0.running_var'] = x.var((0, 2, 3))


def plain_segfix(weights: dict[str, Tensor], inputs: Tensor) -> tuple[list[Tensor], Tensor]:
    """Released SegFix: features, and logits of mask_head and dir_head one after the other."""
    in_place = 'mask_head.1.weight' in weights
    features = PlainHRNet(part(weights, 'backbone.'), True, in_place)(inputs)
    together = concatenated(features, True)
    logits = []
    for head in ('mask_head', 'dir_head'):
        norm = '1' if in_place else '1.0'
        layers = PlainHRNet(part(weights, f'{head}.'), True, in_place)
        x = layers.conv(together, '0', norm)
        x = F.leaky_relu(x, 0.01) if in_place else x.relu()
        logits.append(F.conv2d(x, weights[f'{head}.2.weight']))
    return features, torch.cat(logits, dim=1)


def normalised(image_bgr: Tensor) -> Tensor:
    """(H, W, 3) → (1, 3, H, W): the released loader leaves images as OpenCV reads them.

    Its means are in the order of RGB nevertheless.
    """
    return ((image_bgr / 255 - torch.tensor(MEAN)) / torch.tensor(STD)).permute(2, 0, 1)[None]


def plain_offset(weights: dict[str, Tensor], image_bgr: Tensor) -> tuple[Tensor, Tensor]:
    """Released SegFix on a BGR image (H, W, 3): boundary probability, offset (2, H, W)."""
    weights = {k: v.double() for k, v in weights.items()}
    _, logits = plain_segfix(weights, normalised(image_bgr).double())
    logits = enlarge(logits, tuple(image_bgr.shape[:2]), True)[0]
    boundary = logits[:2].softmax(0)[1]
    offset = torch.tensor(OFFSETS)[logits[2:].argmax(0)].permute(2, 0, 1)
    return boundary, offset * (boundary > 0.5)


def plain_bpr(weights: dict[str, Tensor], inputs: Tensor) -> Tensor:
    """Released BPR: (N, 4, S, S) → probability of the object (N, S, S)."""
    features = PlainHRNet(part(weights, 'backbone.'), False)(inputs)
    head = PlainHRNet(part(weights, 'decode_head.'), False)
    kernel, bias = head.weights['convs.0.conv.weight'], head.weights.get('convs.0.conv.bias')
    x = head.norm(F.conv2d(concatenated(features, False), kernel, bias), 'convs.0.bn').relu()
    x = F.conv2d(x, head.weights['conv_seg.weight'], head.weights['conv_seg.bias'])
    return enlarge(x, tuple(inputs.shape[2:]), False).softmax(1)[:, 1]


class ReleasedShapes:
    """Names and shapes of the released weights, from the settings in the papers."""

    def __init__(self, counted: bool = True, in_place: bool = False) -> None:
        self.shapes: Shapes = {}
        self.counted = counted and not in_place
        self.in_place = in_place

    def norm(self, at: str, channels: int) -> None:
        for name in ('weight', 'bias', 'running_mean', 'running_var'):
            self.shapes[f'{at}.{name}'] = (channels,)
        if self.counted:
            self.shapes[f'{at}.num_batches_tracked'] = ()

    def conv(self, at: str, norm: str, inside: int, outside: int, size: int) -> None:
        self.shapes[f'{at}.weight'] = (outside, inside, size, size)
        self.norm(norm, outside)

    def block(self, at: str, inside: int, width: int, bottleneck: bool) -> int:
        outside = width * 4 if bottleneck else width
        sizes = (1, 3, 1) if bottleneck else (3, 3)
        ends = [inside, *[width] * (len(sizes) - 1), outside]
        for i, size in enumerate(sizes):
            self.conv(f'{at}.conv{i + 1}', f'{at}.bn{i + 1}', ends[i], ends[i + 1], size)
        if inside != outside:
            self.conv(f'{at}.downsample.0', f'{at}.downsample.1', inside, outside, 1)
        return outside

    def module(
        self, at: str, channels: list[int], widths: list[int], blocks: int, bottleneck: bool
    ) -> list[int]:
        channels = list(channels)
        for i, width in enumerate(widths):
            for k in range(blocks):
                channels[i] = self.block(f'{at}.branches.{i}.{k}', channels[i], width, bottleneck)
        for i, mine in enumerate(channels):
            for j, other in enumerate(channels):
                layer = f'{at}.fuse_layers.{i}.{j}'
                if j > i:
                    self.conv(f'{layer}.0', f'{layer}.1', other, mine, 1)
                for k in range(i - j):
                    end = mine if k == i - j - 1 else other
                    self.conv(f'{layer}.{k}.0', f'{layer}.{k}.1', other, end, 3)
        return channels

    def stage(
        self,
        index: int,
        before: list[int],
        widths: list[int],
        modules: int,
        blocks: int,
        bottleneck: bool = False,
    ) -> list[int]:
        channels = [w * 4 if bottleneck else w for w in widths]
        for i, width in enumerate(channels):
            at = f'backbone.transition{index - 1}.{i}'
            if i >= len(before):
                self.conv(f'{at}.0.0', f'{at}.0.1', before[-1], width, 3)
            elif before[i] != width:
                self.conv(f'{at}.0', f'{at}.1', before[i], width, 3)
        for k in range(modules):
            at = f'backbone.stage{index}.{k}'
            channels = self.module(at, channels, widths, blocks, bottleneck)
        return channels

    def hrnet2x(self, width: int = 20, of_first: tuple[int, int] = (32, 64)) -> int:
        self.conv('backbone.conv1', 'backbone.bn1', 3, 64, 3)
        channels = self.stage(1, [64], list(of_first), 1, 4, bottleneck=True)
        for stage, modules in ((2, 1), (3, 4), (4, 3)):
            widths = [width * 2**i for i in range(stage + 1)]
            channels = self.stage(stage, channels, widths, modules, 4)
        return sum(channels)

    def hrnet(self, width: int, blocks: int, modules: tuple[int, int, int]) -> int:
        self.conv('backbone.conv1', 'backbone.bn1', 3, 64, 3)
        self.conv('backbone.conv2', 'backbone.bn2', 64, 64, 3)
        channels = [64]
        for k in range(blocks):
            channels = [self.block(f'backbone.layer1.{k}', channels[0], 64, bottleneck=True)]
        for stage, number in zip((2, 3, 4), modules, strict=True):
            widths = [width * 2**i for i in range(stage)]
            channels = self.stage(stage, channels, widths, number, blocks)
        return sum(channels)

    def segfix_heads(self, channels: int, directions: int = 8) -> Shapes:
        for head, classes in (('dir_head', directions), ('mask_head', 2)):
            norm = f'{head}.1' if self.in_place else f'{head}.1.0'
            self.conv(f'{head}.0', norm, channels, 256, 1)
            self.shapes[f'{head}.2.weight'] = (classes, 256, 1, 1)
        return self.shapes

    def bpr_head(self, channels: int) -> Shapes:
        self.shapes['backbone.conv_mask.weight'] = (64, 1, 3, 3)
        self.conv('decode_head.convs.0.conv', 'decode_head.convs.0.bn', channels, channels, 1)
        self.shapes['decode_head.conv_seg.weight'] = (2, channels, 1, 1)
        self.shapes['decode_head.conv_seg.bias'] = (2,)
        return self.shapes


def released_shapes(name: str, **options: bool) -> Shapes:
    """Return the names and shapes of a released checkpoint."""
    made = ReleasedShapes(**options)
    match name:
        case 'segfix_hrnet2x':
            return made.segfix_heads(made.hrnet2x())
        case 'segfix_hrnet-w48':
            return made.segfix_heads(made.hrnet(48, 4, (1, 4, 3)))
        case 'bpr_hrnet-w18s':
            return made.bpr_head(made.hrnet(18, 2, (1, 3, 2)))
        case 'bpr_hrnet-w48':
            return made.bpr_head(made.hrnet(48, 4, (1, 4, 3)))
    raise ValueError(name)


def random_weights(shapes: Shapes, seed: int = 0) -> dict[str, Tensor]:
    """Weights with which a network's answers differ from pixel to pixel."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        kind = name.rpartition('.')[2]
        if kind == 'num_batches_tracked':
            weights[name] = torch.tensor(80000)
        elif kind == 'running_var':
            weights[name] = torch.empty(shape).uniform_(0.5, 2, generator=generator)
        elif kind == 'weight' and len(shape) == 1:
            weights[name] = torch.empty(shape).uniform_(0.5, 1.5, generator=generator)
        elif len(shape) == 4:
            fan_in = shape[1] * shape[2] * shape[3]
            weights[name] = torch.empty(shape).normal_(0, fan_in**-0.5, generator=generator)
        else:
            weights[name] = torch.empty(shape).normal_(0, 0.3, generator=generator)
    return weights
