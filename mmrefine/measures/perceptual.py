r"""Perceptual consistency of two frames (arXiv 2110.12385, Section 3).

Pixels that look alike to a general feature network should carry equal labels. Shape legend:
H, W = label map; h, w = feature grid; N = h · w cells; C = channels of the features. With f the
features at unit length and :math:`C_{ij}` the product of cell i of one frame and cell j of the
other:

.. math::
    M_i &= \max_j C_{ij} \\
    S_i &= \max_j C_{ij} [l_i = l_j] \\
    PC_i &= (S_i - \mu_i) / (M_i - \mu_i)

with :math:`\mu_i` the mean of row i. The score of two frames is the smaller of the means over
either's cells, that of a video the mean over its pairs of neighbouring frames.

Differs from the released code: ignored cells are left out, both as i and as j. So are cells whose
features match everything alike, where the code divides 0 by 0. Rows and columns are not swapped
where labels are resized.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .counts import Counts, exact_mean
from .label_maps import as_array

# Cells whose best match is this close to their mean match say nothing.
NO_CONTRAST = 1e-5


@dataclass(frozen=True, eq=False)
class PerceptualConsistencyCounts(Counts):
    """Means over the cells of pairs of frames; NaN where no cell is left.

    Attributes:
        forward: (pairs,) float64, mean over the cells of the first frame.
        backward: (pairs,) float64, mean over the cells of the second frame.
    """

    per_image_rows: ClassVar[bool] = True
    forward: np.ndarray
    backward: np.ndarray

    def scores(self) -> np.ndarray:
        """Score of each pair, (pairs,): the smaller of both means; NaN if one is missing."""
        return np.minimum(self.forward, self.backward)

    def figures(self) -> dict[str, Any]:
        """``perceptual_consistency``, the mean over pairs: 1 if all matches agree, at most 1."""
        return {'perceptual_consistency': exact_mean(self.scores())}


def perceptual_consistency(
    features: tuple[Any, Any],
    labels: tuple[Any, Any],
    ignore_index: int = 255,
    chunk: int = 1024,
) -> PerceptualConsistencyCounts:
    """Consistency of two label maps, judged by the features of their frames.

    Args:
        features: Of the first and the second frame, each (C, h, w) float; numpy or torch, on any
            device. They need no unit length.
        labels: Of the first and the second frame, each (H, W) integers of any size; the label
            nearest to the centre of each cell counts.
        ignore_index: Cells with this label are left out.
        chunk: Cells that are matched at a time: memory is about 12 · chunk · N bytes.

    Returns:
        Counts of one pair.

    Raises:
        TypeError: Labels that are no integers.
        ValueError: Shapes that do not fit.
    """
    means = [
        float(part[~part.isnan()].double().mean()) if not part.isnan().all() else np.nan
        for part in consistency_maps(features, labels, ignore_index, chunk)
    ]
    return PerceptualConsistencyCounts(*(np.array([mean]) for mean in means))


@torch.no_grad()
def consistency_maps(
    features: tuple[Any, Any],
    labels: tuple[Any, Any],
    ignore_index: int = 255,
    chunk: int = 1024,
) -> tuple[Tensor, Tensor]:
    """Consistency of every cell of either frame with the other frame.

    Args:
        features: Of the first and the second frame, each (C, h, w).
        labels: Of the first and the second frame, each (H, W).
        ignore_index: Cells with this label are left out.
        chunk: Cells that are matched at a time.

    Returns:
        Two float32 (h, w) on the device of the features: 1 where the best match has the cell's
        label, less where only worse matches have, below 0 where those are worse than the mean.
        NaN where the cell is ignored or has no contrast.

    Raises:
        TypeError, ValueError: As ``perceptual_consistency``.
    """
    if chunk < 1:
        raise ValueError(f'chunk: must be at least 1, got {chunk}')
    tensors = [torch.as_tensor(part).float() for part in features]
    if any(part.ndim != 3 for part in tensors) or tensors[0].shape[0] != tensors[1].shape[0]:
        raise ValueError(
            'features: must be two of (C, h, w) with one C, got '
            f'{tuple(tensors[0].shape)} and {tuple(tensors[1].shape)}'
        )
    device = tensors[0].device
    cells = [cell_labels(part, grid.shape[1:]) for part, grid in zip(labels, tensors, strict=True)]
    flat = [torch.as_tensor(part.ravel()).to(device) for part in cells]
    seen = [part != ignore_index for part in flat]
    unit = [
        F.normalize(part.flatten(1), dim=0).T[keep].contiguous()
        for part, keep in zip(tensors, seen, strict=True)
    ]
    kept = [part[keep] for part, keep in zip(flat, seen, strict=True)]
    maps = []
    for grid, keep, values in zip(tensors, seen, _match(unit, kept, chunk), strict=True):
        whole = torch.full(keep.shape, torch.nan, device=device)
        whole[keep] = values
        maps.append(whole.view(grid.shape[1:]))
    return maps[0], maps[1]


def _match(unit: list[Tensor], labels: list[Tensor], chunk: int) -> tuple[Tensor, Tensor]:
    """Consistency of the n cells of the first frame and the m of the second, (n,) and (m,)."""
    first, second = (len(part) for part in unit)
    if not first or not second:
        return tuple(part.new_full((len(part),), torch.nan) for part in unit)  # type: ignore
    rows = []
    best = unit[1].new_full((second,), -torch.inf)
    best_equal = unit[1].new_full((second,), -torch.inf)
    added = unit[1].new_zeros(second, dtype=torch.float64)
    for start in range(0, first, chunk):
        similar = unit[0][start : start + chunk] @ unit[1].T
        best = torch.maximum(best, similar.amax(0))
        added += similar.sum(0, dtype=torch.float64)
        limits = similar.amax(1), similar.mean(1)
        similar *= labels[0][start : start + chunk, None] == labels[1][None]
        best_equal = torch.maximum(best_equal, similar.amax(0))
        rows.append(_relative(similar.amax(1), *limits))
    columns = _relative(best_equal, best, (added / first).float())
    return torch.cat(rows), columns


def _relative(equal: Tensor, best: Tensor, mean: Tensor) -> Tensor:
    contrast = best - mean
    return torch.where(contrast > NO_CONTRAST, (equal - mean) / contrast, torch.nan)


def cell_labels(labels: Any, size_hw: tuple[int, ...]) -> np.ndarray:
    """The label at the centre of each cell of a coarser or finer grid.

    Args:
        labels: (H, W) integers, numpy or torch.
        size_hw: h and w.

    Returns:
        (h, w) int64.

    Raises:
        TypeError: Labels that are no integers.
        ValueError: Not (H, W).
    """
    array = as_array(labels, 'labels')
    if array.ndim != 2 or not array.size:
        raise ValueError(f'labels: must be (H, W), got {array.shape}')
    rows, columns = (
        (2 * np.arange(size) + 1) * length // (2 * size)
        for length, size in zip(array.shape, size_hw, strict=True)
    )
    return array[rows[:, None], columns].astype(np.int64)


def predicted_correctness(
    features: tuple[Any, Any],
    prediction: Any,
    neighbour_truth: Any,
    confidence: np.ndarray | None = None,
    ignore_index: int = 255,
    chunk: int = 1024,
) -> np.ndarray:
    """How far a prediction can be trusted, by the ground truth of a neighbouring frame.

    The paper combines consistency and confidence but prints no formula; this is their product.

    Args:
        features: Of the frame and of its neighbour, each (C, h, w).
        prediction: (H, W) label map of the frame.
        neighbour_truth: Label map of the neighbour.
        confidence: float (H, W), the network's largest probability; None leaves it out.
        ignore_index: Cells with this label are left out.
        chunk: Cells that are matched at a time.

    Returns:
        float32 (H, W), 0 to 1. Where the features say nothing, the confidence alone.

    Raises:
        TypeError, ValueError: As ``perceptual_consistency``; a confidence of another size.
    """
    trust, _ = consistency_maps(features, (prediction, neighbour_truth), ignore_index, chunk)
    height, width = np.shape(prediction)
    trust = trust.nan_to_num(1).clamp(0, 1)[None, None]
    full = F.interpolate(trust, (height, width), mode='bilinear', align_corners=False)
    result: np.ndarray = full[0, 0].cpu().numpy()
    if confidence is None:
        return result
    if np.shape(confidence) != (height, width):
        raise ValueError(
            f'confidence: must be (H, W) = {(height, width)}, got {np.shape(confidence)}'
        )
    return np.asarray(result * confidence, np.float32)


def auroc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive scores above a negative; ties count half.

    Args:
        scores: (n,) numbers.
        positive: (n,) bool.

    Returns:
        0 to 1, 0.5 for scores that say nothing; NaN if all or none are positive.

    Raises:
        ValueError: Shapes that differ.
    """
    scores, positive = np.asarray(scores).ravel(), np.asarray(positive, bool).ravel()
    if scores.shape != positive.shape:
        raise ValueError(
            f'scores and positive: must be of one length, got {scores.size} and {positive.size}'
        )
    values, which, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    positives = np.bincount(which[positive], minlength=len(values)).astype(np.float64)
    negatives = sizes - positives
    pairs = positives.sum() * negatives.sum()
    if not pairs:
        return float('nan')
    below = np.cumsum(negatives) - negatives
    return float((positives * (below + negatives / 2)).sum() / pairs)
