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

import torch
from torch import Tensor

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
MOST_NAMED = 10


def without_wrapper(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights without the ``module.`` that training on several GPUs puts before every name."""
    wrapped = all(name.startswith('module.') for name in weights)
    return {name.removeprefix('module.') if wrapped else name: w for name, w in weights.items()}


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


def from_released(
    weights: Mapping[str, Tensor], own_shapes: Mapping[str, Iterable[int]]
) -> dict[str, Tensor]:
    """Weights of a released file for a network of ours.

    Args:
        weights: Released weights, by the names of the file (:func:`without_wrapper`).
        own_shapes: Names and shapes of our network's weights.

    Returns:
        One tensor for each of ``own_shapes``. Batch counts, which the oldest files lack and nothing
        here uses, are 0 where the file has none at all.

    Raises:
        ValueError: naming the weights that are missing, unknown or of another shape.
    """
    left = _as_torch_norms(weights) if is_in_place(weights) else dict(weights)
    counted = any(name.endswith('num_batches_tracked') for name in left)
    taken: dict[str, Tensor] = {}
    problems = []
    for name, shape in own_shapes.items():
        released = _released_name(name)
        if not counted and name.endswith('num_batches_tracked'):
            left[released] = torch.tensor(0)
        if released not in left:
            problems.append(f'{released} is missing')
            continue
        value = left.pop(released)
        if name == STEM and STEM_OF_MASK in left:
            of_mask = left.pop(STEM_OF_MASK)
            if of_mask.shape[0] == len(value) and of_mask.shape[2:] == value.shape[2:]:
                value = torch.cat([value, of_mask], dim=1)
        if value.shape != tuple(shape):
            expected = tuple(shape)
            problems.append(f'{released} has shape {tuple(value.shape)} instead of {expected}')
        taken[name] = value
    problems += [f'{name} is unknown' for name in left]
    if problems:
        more = len(problems) - MOST_NAMED
        raise ValueError('; '.join(problems[:MOST_NAMED]) + (f'; and {more} more' * (more > 0)))
    return taken
