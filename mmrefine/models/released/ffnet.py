"""Weights of the released FFNets under the names they have here.

Every weight of a network of ours is one of the released file, and every weight of the file is used
once. Some files fit two networks: bilinear or copied enlarging, and the stride of the first stage
of bottleneck blocks, leave no trace in the weights. Their file names tell.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..backbones.ffnet_resnet import BLOCKS, BOTTLENECKS, STEMS, family_of
from ..decode_heads.ffnet_head import KINDS
from ..ffnet_names import RELEASED, FFNetName
from ..necks.ffnet_up import INNER_CHANNELS
from .formats import ReleasedFormat, match_weights, register_format

# Layers here → layers in the file. Numbers stand for levels and stay.
LAYERS = (
    (r'backbone\.smoothing', 'smoothing'),
    (r'backbone\.', 'backbone_model.'),
    (r'neck\.adapters\.(\d)\.conv', r'head.layers.0.adapter_conv.\1.layers.0'),
    (r'neck\.adapters\.(\d)\.bn', r'head.layers.0.adapter_conv.\1.layers.1'),
    (r'decode_head\.conv\.conv', 'head.layers.3.last_layer.0'),
    (r'decode_head\.conv\.bn', 'head.layers.3.last_layer.1'),
    (r'decode_head\.conv_seg', 'head.layers.3.last_layer.3'),
    (r'head\.expansions\.(\d)\.0', r'head.layers.2.expansion_layers.\1'),
    (r'head\.downs\.(\d)\.conv', r'head.layers.2.downsampling_layers.\1.0'),
    (r'head\.downs\.(\d)\.bn', r'head.layers.2.downsampling_layers.\1.1'),
    (r'head\.last\.conv', 'head.layers.2.final_layer.0'),
    (r'head\.last\.bn', 'head.layers.2.final_layer.1'),
    (r'head\.classifier', 'head.layers.2.classifier'),
)
# The up-head's layers are named by their stride, 4 to 32.
SMOOTHS = ('fam_4', 'fam_8_sm', 'fam_16_sm', 'fam_32_sm')
UPS = ('fam_8_up', 'fam_16_up', 'fam_32_up')
UP_LAYER = re.compile(r'neck\.(smooths|ups)\.(\d)\.(conv|bn)')
# Images are RGB in the released code, with the means and deviations of ImageNet.
PREPROCESSOR = dict(
    type='mmseg.SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
FILE_NAME = re.compile(r'ffnet(\d+[NS]*)_(d?[A-C]{2}[A-CX])(_gpu)?', re.IGNORECASE)


def released_name(name: str) -> str:
    """Name that a weight of ours has in the released file."""
    if match := UP_LAYER.match(name):
        kind, level, layer = match.groups()
        theirs = (SMOOTHS if kind == 'smooths' else UPS)[int(level)]
        number = 0 if layer == 'conv' else 1
        return f'head.layers.1.{theirs}.layers.{number}{name[match.end() :]}'
    for ours, theirs in LAYERS:
        if re.match(ours, name):
            return re.sub(ours, theirs, name, count=1)
    return name


def released_ffnets(weights: Mapping[str, Tensor], path: str | Path) -> list[FFNetName]:
    """The released networks that weights can be of, told by a few names and shapes.

    Args:
        weights: Released weights, by the names of the file.
        path: The file. Where the weights fit several networks and its name, as released, is that of
            one of them, it is that one.

    Returns:
        No network for weights of something else.
    """
    found = [name for name in RELEASED if _fits(name, weights)]
    match = FILE_NAME.search(Path(path).name)
    if len(found) > 1 and match:
        arch, letters, gpu = match.groups()
        named = [name for name in found if (name.arch, name.letters) == (arch, letters)]
        # Only the GPU files of the slim networks, of which there are mobile ones, say so.
        both = {name.mobile for name in named} == {True, False}
        found = [name for name in named if not both or name.mobile != bool(gpu)]
    return found


def _fits(name: FFNetName, weights: Mapping[str, Tensor]) -> bool:
    """Whether weights have the layers of a released network; equal shapes are not asked for."""
    stem, up, head = list(name.letters[-3:])
    family = family_of(name.arch)
    first = 'backbone_model.layer1.0.'
    is_bottleneck = name.arch in BOTTLENECKS
    # A convolution in the first shortcut: where width or stride change.
    shortcut = is_bottleneck or len(family.channels) == 3 or name.letters.startswith('d')
    last = _outputs(weights, 'head.layers.3.last_layer.{}.weight')
    return (
        ('head.layers.2.classifier.weight' in weights) == name.is_classifier
        and ('smoothing.weight' in weights) == name.pre_down
        and (f'{first}conv3.weight' in weights) == is_bottleneck
        and (f'{first}downsample.0.weight' in weights) == shortcut
        and _blocks(weights) == BLOCKS[name.arch]
        and _outputs(weights, 'backbone_model.layer{}.0.conv1.weight', 1) == family.channels
        and _stem(weights) == tuple(size for _, size, _ in STEMS[stem])
        and _outputs(weights, 'head.layers.0.adapter_conv.{}.layers.0.weight') == INNER_CHANNELS[up]
        and (name.is_classifier or last[:1] == KINDS[head][:1])
    )


def _blocks(weights: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Number of blocks of each stage."""
    found = (re.match(r'backbone_model\.layer(\d)\.(\d+)', name) for name in weights)
    stages = [stage for stage, _ in {match.groups() for match in found if match}]
    return tuple(stages.count(stage) for stage in sorted(set(stages)))


def _outputs(weights: Mapping[str, Tensor], pattern: str, first: int = 0) -> tuple[int, ...]:
    """Output channels of the layers of a pattern, counted from ``first`` on."""
    found: list[int] = []
    while (weight := weights.get(pattern.format(first + len(found)))) is not None:
        found.append(weight.shape[0])
    return tuple(found)


def _stem(weights: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Kernel sizes of the stem's convolutions."""
    stem = [weights.get(f'backbone_model.conv{number}.weight') for number in range(3)]
    return tuple(weight.shape[-1] for weight in stem if weight is not None)


@register_format
class FFNetFormat(ReleasedFormat):
    """FFNets that segment or classify, bilinear or mobile."""

    description = 'FFNet, which has backbone_model and head.layers.0.adapter_conv'

    def recognises(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether the weights have FFNet's backbone and adapters."""
        return 'head.layers.0.adapter_conv.0.layers.0.weight' in weights

    def model(self, weights: Mapping[str, Tensor], path: Path) -> Mapping[str, Any]:
        """The one released network that the weights, or they and the file's name, tell.

        Raises:
            ValueError: if there is none or more than one.
        """
        found = released_ffnets(weights, path)
        if len(found) != 1:
            which = (
                f'may be {" or ".join(map(str, found))}' if found else 'is none that was released'
            )
            example = found[0] if found else 'FFNet-78S-BCC'
            raise ValueError(
                f'checkpoint: {path} is an FFNet and {which}; give a config file with '
                f"model = dict(type='mmrefine.FFNet', name='{example}', num_classes=19) "
                'or of its parts'
            )
        (name,) = found
        if name.is_classifier:
            return dict(type='mmrefine.FFNetClassifier', name=str(name))
        return dict(type='mmrefine.FFNet', name=str(name), data_preprocessor=PREPROCESSOR)

    def convert(
        self, weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
    ) -> dict[str, Tensor]:
        """One tensor for each of our names.

        A network without ``pre_down`` takes the weights of one with it, but for the smoothing,
        which is not learned: so do the authors.
        """
        if 'backbone.smoothing.weight' not in own_shapes:
            weights = {k: w for k, w in weights.items() if k != 'smoothing.weight'}
        return match_weights(weights, own_shapes, released_name)
