"""Classes, instances and pixels of a panoptic prediction as vectors that can be related (PISR).

PISR (arXiv 2204.05370) is known here by its abstract and by notes on it; what stands below is
written from these, and where they leave a choice it is ours: see ``docs/pisr.md``.

Shapes: N = batch, D = channels, C = classes, K = instances, H, W = rows and columns, M = true
instances of an image. Coordinates are (row, column) = (y, x), whole numbers at pixel centres.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FAINT = 1e-6  # a heatmap that sums up to less shows no instance


def class_encodings(features: Tensor, logits: Tensor) -> Tensor:
    """Mean feature of each class, weighted by a softmax of its logits over the pixels.

    Args:
        features: (N, D, H, W).
        logits: (N, C, H, W), of the first pass.

    Returns:
        (N, C, D).
    """
    weights = logits.flatten(2).softmax(2)
    return weights @ features.flatten(2).transpose(1, 2)


def instance_encodings(features: Tensor, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean feature of each instance, weighted by its heatmap.

    Args:
        features: (N, D, H, W).
        heatmaps: (N, K, H, W), not negative, K may be 0. A heatmap that is zero everywhere stands
            for no instance.

    Returns:
        Encodings (N, K, D), zero for no instance; and their confidences (N, K), the greatest value
        of each heatmap, 0 for no instance.
    """
    heat = heatmaps.flatten(2)
    total = heat.sum(2)
    present = total > FAINT
    weights = heat / total.clamp(min=FAINT)[..., None] * present[..., None]
    confidence = heat.amax(2) if heat.shape[1] else total
    return weights @ features.flatten(2).transpose(1, 2), confidence * present


def weighted_attention(query: Tensor, key: Tensor, value: Tensor, weight: Tensor) -> Tensor:
    """Attention in which a key counts as often as its weight says.

    Args:
        query: (N, Q, D).
        key: (N, S, D).
        value: (N, S, E).
        weight: (N, S), not negative, one of each sample positive. A key of weight 0 is as if it
            were not there; all weights 1 is plain attention.

    Returns:
        (N, Q, E): Σ_s w_s exp(q·k_s / √D) v_s, over the sum of the factors.
    """
    # exp(score + log w) = w exp(score); -inf for weight 0 would have no gradient to grow from.
    bias = torch.where(weight > 0, weight.clamp(min=1e-30).log(), float('-inf'))
    mask = bias[:, None].to(query.dtype).expand(-1, query.shape[1], -1)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def top_centres(heat: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The most confident local maxima of centre heat.

    Args:
        heat: (N, 1, H, W), 0 to 1.
        count: K, how many at most.

    Returns:
        Centres (N, K', 2) as (y, x), and their heat (N, K'), K' = min(K, H W), greatest first.
        Where there are fewer maxima, the rest has heat 0.
    """
    width = heat.shape[3]
    peaks = heat * (heat == F.max_pool2d(heat, 3, stride=1, padding=1))
    scores, places = peaks.flatten(1).topk(min(count, peaks[0].numel()), dim=1)
    rows = torch.div(places, width, rounding_mode='floor')
    return torch.stack([rows, places % width], 2), scores


def centre_heatmaps(
    centres: Tensor, scores: Tensor, offsets: Tensor, things: Tensor, spread: float
) -> Tensor:
    """A heatmap for each centre: which pixels point at it, as far as they are things.

    Args:
        centres: (N, K, 2) as (y, x).
        scores: (N, K).
        offsets: (N, 2, H, W), from each pixel to the centre of its instance, (dy, dx) in pixels.
        things: (N, 1, H, W), probability of any thing class; what is stuff is suppressed.
        spread: How far from a centre pixels may point, standard deviation in pixels.

    Returns:
        (N, K, H, W): score · things · exp(-distance² / 2 spread²).
    """
    height, width = offsets.shape[2:]
    grid = torch.stack(
        torch.meshgrid(
            torch.arange(height, device=offsets.device),
            torch.arange(width, device=offsets.device),
            indexing='ij',
        )
    )
    target = grid + offsets  # (N, 2, H, W): where each pixel points
    squared = (target[:, None] - centres[..., None, None]).square().sum(2)
    return scores[..., None, None] * things * torch.exp(-squared / (2 * spread**2))


def centre_targets(masks: Tensor, spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """What a centre head should answer for one image (as in Panoptic-DeepLab).

    Args:
        masks: (M, H, W) bool, M may be 0; where masks overlap the later one is in front. An
            empty mask counts for nothing.
        spread: Standard deviation of the heat around a centre of mass, in pixels.

    Returns:
        Heat (1, H, W), 1 at the pixel nearest to each centre; offsets (2, H, W) to the centre,
        (dy, dx), 0 outside instances; and whether a pixel is in an instance, bool (H, W).
    """
    height, width = masks.shape[1:]
    rows = torch.arange(height, device=masks.device).float()[:, None]
    columns = torch.arange(width, device=masks.device).float()[None]
    heat = torch.zeros(1, height, width, device=masks.device)
    offsets = torch.zeros(2, height, width, device=masks.device)
    for mask in masks:
        area = mask.sum()
        if not area:
            continue
        y, x = (rows * mask).sum() / area, (columns * mask).sum() / area
        squared = (rows - y.round()) ** 2 + (columns - x.round()) ** 2
        heat = torch.maximum(heat, torch.exp(-squared / (2 * spread**2))[None])
        towards = torch.stack([(y - rows).expand_as(mask), (x - columns).expand_as(mask)])
        offsets = torch.where(mask, towards, offsets)
    return (
        heat,
        offsets,
        masks.any(0) if len(masks) else torch.zeros_like(heat[0], dtype=torch.bool),
    )
