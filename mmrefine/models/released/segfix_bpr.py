"""Weights of the released SegFix and BPR code under the names they have here.

Every weight of a network of ours is one of the released file, or two that are added to one; every
weight of the file is used once. Released as:

- SegFix (``openseg.pytorch``): backbone names as here, ``mask_head`` and ``dir_head`` for the two
  branches. Files of the first releases were trained with InPlaceABN: its normalisation multiplies
  by abs(weight) + 1e-5, the branches have a leaky ReLU, and batches are not counted.
- BPR (``mmsegmentation`` 0.7): all names as here, but the stem's convolution of the mask is one of
  its own, ``backbone.conv_mask``, added to that of the image.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .formats import ReleasedFormat, match_weights, register_format, released_config

CONFIGS = {
    'segfix_hrnet2x': '_base_/models/segfix_hrnet2x-released.py',
    'segfix_hrnet-w48': '_base_/models/segfix_hrnet-w48-released.py',
    'bpr_hrnet-w18s': 'bpr/bpr_hrnet-w18s_4xb8-160k_cityscapes-64to128.py',
    'bpr_hrnet-w48': 'bpr/bpr_hrnet-w48_4xb8-160k_cityscapes-64to256.py',
}

SEGFIX_HEADS = {
    'decode_head.boundary_branch.0.conv': 'mask_head.0',
    'decode_head.boundary_branch.0.bn': 'mask_head.1.0',
    'decode_head.boundary_branch.1': 'mask_head.2',
    'decode_head.direction_branch.0.conv': 'dir_head.0',
    'decode_head.direction_branch.0.bn': 'dir_head.1.0',
    'decode_head.direction_branch.1': 'dir_head.2',
}
STEM, STEM_OF_MASK = 'backbone.conv1.weight', 'backbone.conv_mask.weight'
IN_PLACE_EPS = 1e-5


def architecture(weights: Mapping[str, Tensor]) -> str | None:
    """Which released network the weights belong to, told by a few names.

    Returns:
        ``'segfix_hrnet2x'``, ``'segfix_hrnet-w48'``, ``'bpr_hrnet-w18s'``, ``'bpr_hrnet-w48'`` or
        ``None``.
    """
    if 'mask_head.0.weight' in weights or 'dir_head.0.weight' in weights:
        has_second_stem = 'backbone.conv2.weight' in weights
        return 'segfix_hrnet-w48' if has_second_stem else 'segfix_hrnet2x'
    if STEM_OF_MASK in weights:
        has_four_blocks = 'backbone.layer1.3.conv1.weight' in weights
        return 'bpr_hrnet-w48' if has_four_blocks else 'bpr_hrnet-w18s'
    return None


def is_in_place(weights: Mapping[str, Tensor]) -> bool:
    """Whether a released SegFix was trained with InPlaceABN."""
    return 'mask_head.1.running_var' in weights


def _as_torch_norms(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """InPlaceABN's weights as those of batch norms that compute the same."""
    result = {}
    for name, value in weights.items():
        layer, _, kind = name.rpartition('.')
        if kind == 'weight' and f'{layer}.running_var' in weights:
            value = value.abs() + IN_PLACE_EPS
        if layer in ('mask_head.1', 'dir_head.1'):
            name = f'{layer}.0.{kind}'
        result[name] = value
    return result


def _released_name(name: str) -> str:
    layer, _, kind = name.rpartition('.')
    return f'{SEGFIX_HEADS.get(layer, layer)}.{kind}'


def _with_whole_stem(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in which the stem's two convolutions are one, if there are two."""
    result = dict(weights)
    of_mask, stem = result.pop(STEM_OF_MASK, None), result.get(STEM)
    if of_mask is None or stem is None:
        return result
    if of_mask.shape[0] == len(stem) and of_mask.shape[2:] == stem.shape[2:]:
        result[STEM] = torch.cat([stem, of_mask], dim=1)
    return result


def from_released(
    weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
) -> dict[str, Tensor]:
    """Weights of a released file for a network of ours; see ``.formats.match_weights``.

    Args:
        weights: Released weights, by the names of the file.
        own_shapes: Names and shapes of our network's weights.

    Raises:
        ValueError: naming the weights that are missing, unknown or of another shape.
    """
    left = _as_torch_norms(weights) if is_in_place(weights) else weights
    return match_weights(_with_whole_stem(left), own_shapes, _released_name)


class _Format(ReleasedFormat):
    method: str

    def recognises(self, weights: Mapping[str, Tensor]) -> bool:
        """Whether the weights are of this method."""
        return (architecture(weights) or '').startswith(self.method)

    def model(self, weights: Mapping[str, Tensor], path: Path) -> Path:
        """Config file of the released network."""
        return released_config(CONFIGS[str(architecture(weights))])

    def convert(
        self, weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
    ) -> dict[str, Tensor]:
        """One tensor for each of our names."""
        return from_released(weights, own_shapes)


@register_format
class SegFixFormat(_Format):
    """SegFix on HRNet-2×-W20 or HRNet-W48."""

    description = 'SegFix, which has mask_head and dir_head'
    method = 'segfix'

    def adapt(self, model: dict[str, Any], weights: Mapping[str, Tensor]) -> None:
        """InPlaceABN has a leaky ReLU."""
        if is_in_place(weights):
            model['decode_head']['act_cfg'] = dict(type='LeakyReLU', negative_slope=0.01)


@register_format
class BPRFormat(_Format):
    """BPR on HRNet-W18-small or HRNet-W48."""

    description = 'BPR, which has backbone.conv_mask'
    method = 'bpr'
