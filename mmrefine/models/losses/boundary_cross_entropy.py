"""The balanced cross-entropy of boundaries (InverseForm's code, PIDNet).

Legend: N batch, H W size.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops import semantic_edge_map, widen
from ...registry import MODELS


def boundary_target(label: Tensor, width: int, ignore_index: int = 255) -> tuple[Tensor, Tensor]:
    """Boundaries of label maps.

    Args:
        label: (N, H, W), any integer dtype.
        width: Pixels on each side of where labels meet that are boundary.
        ignore_index: Label of ignored pixels: they are no boundary and make none.

    Returns:
        float32 (N, H, W), 1 on boundaries, else 0; and bool (N, H, W), where ignored.

    Raises:
        TypeError: if labels are floats.
    """
    if label.is_floating_point():
        raise TypeError(f'label: expected class indices of an integer dtype, got {label.dtype}')
    ignored = label == ignore_index
    edges = semantic_edge_map(label, ignore_index).masked_fill(ignored, 0).float()
    return widen(edges, width).masked_fill(ignored, 0), ignored


def boundary_cross_entropy(logits: Tensor, target: Tensor, ignored: Tensor) -> Tensor:
    """Binary cross-entropy in which boundary and rest weigh the same, whatever their shares.

    Boundary pixels weigh what share of the pixels is none, and the other way round; the mean is
    over all labelled pixels, as published.

    Args:
        logits: (N, H, W), before the sigmoid.
        target: (N, H, W), 0 or 1.
        ignored: bool (N, H, W), pixels that count nowhere.

    Returns:
        Scalar; 0 (with a gradient of 0) where no pixel counts.
    """
    known = ~ignored
    total = known.sum().clamp(min=1)
    share = (target * known).sum() / total
    weight = torch.where(target > 0.5, 1 - share, share) * known
    losses = F.binary_cross_entropy_with_logits(logits, target, weight, reduction='sum')
    return losses / total


@MODELS.register_module()
class BoundaryCrossEntropyLoss(nn.Module):
    """``boundary_cross_entropy`` of a one-channel boundary head; targets are made inside.

    It is PIDNet's and InverseForm's boundary loss in a form that ``loss_decode`` takes: mmseg's
    ``BoundaryLoss`` wants boundary maps for targets, and knows no ignored pixels.

    Args:
        boundary_width: Pixels on each side of where labels meet that are boundary.
        loss_weight: Factor on the loss.
        ignore_index: Label of ignored pixels where the head names none.
        loss_name: Key in the log; must start with ``loss_`` to be trained on.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        boundary_width: int = 2,
        loss_weight: float = 1.0,
        ignore_index: int = 255,
        loss_name: str = 'loss_boundary',
    ) -> None:
        super().__init__()
        if boundary_width < 1:
            raise ValueError(f'boundary_width must be at least 1, got {boundary_width}')
        if not loss_weight >= 0:
            raise ValueError(f'loss_weight must be >= 0, got {loss_weight}')
        self.boundary_width = boundary_width
        self.loss_weight = loss_weight
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        label: Tensor,
        weight: Tensor | None = None,
        ignore_index: int | None = None,
    ) -> Tensor:
        """Weighted loss, called as every mmseg head calls its losses.

        Args:
            logits: (N, 1, H, W), any floating dtype; computed in float32.
            label: (N, H, W) class indices.
            weight: Of a pixel sampler; not possible here.
            ignore_index: Label of ignored pixels.

        Returns:
            Scalar.

        Raises:
            TypeError: if labels are floats.
            ValueError: if the shapes are others, or there is a ``weight``.
        """
        check_boundary_logits(logits, label, weight, type(self).__name__)
        ignore_index = self.ignore_index if ignore_index is None else ignore_index
        target, ignored = boundary_target(label, self.boundary_width, ignore_index)
        with torch.autocast(logits.device.type, enabled=False):
            loss = boundary_cross_entropy(logits[:, 0].float(), target, ignored)
        return self.loss_weight * loss


def check_boundary_logits(logits: Tensor, label: Tensor, weight: Tensor | None, name: str) -> None:
    """Raise a ValueError if these are not the logits of a boundary head and their label map."""
    if weight is not None:
        raise ValueError(f'weight: a pixel sampler does not go with {name}')
    if logits.shape[1] != 1:
        raise ValueError(
            f'logits: {name} is for a head of one channel, such as mmrefine.BoundaryHead, '
            f'got {logits.shape[1]} channels'
        )
    check_sizes(logits, label)


def check_sizes(logits: Tensor, label: Tensor) -> None:
    """Raise a ValueError if the label map (N, H, W) is not that of the logits (N, C, H, W)."""
    if label.shape != (len(logits), *logits.shape[2:]):
        raise ValueError(
            f'label: expected shape {(len(logits), *logits.shape[2:])}, that of the logits, '
            f'got {tuple(label.shape)}'
        )
