"""The head that reads classes off a depth map (X-Distill, arXiv 2110.12516)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ops.ignored import IGNORED_BYTE
from ...registry import MODELS


@MODELS.register_module()
class DepthToSegHead(BaseModule):
    """Small convolutional network: disparity map → logits of groups of classes.

    It sees nothing but the disparity: only what shows in the shape of things can tell the groups
    apart, and its loss teaches the depth network to show it. It is used in training alone. The
    paper tells that it is small; the layers are ours: 3×3 convolutions of 32, 64 and 64 channels
    with batch norm and ReLU, then 1×1.

    Args:
        num_groups: Groups of classes.
        channels: Channels of the 3×3 convolutions.
        loss_weight: λ, factor on the cross-entropy. The paper's is not known.
        init_cfg: As in every mmengine module.

    Raises:
        ValueError: if there are fewer than two groups, or the weight is negative.
    """

    def __init__(
        self,
        num_groups: int,
        channels: Sequence[int] = (32, 64, 64),
        loss_weight: float = 0.01,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_groups < 2:
            raise ValueError(f'num_groups must be at least 2, got {num_groups}')
        if not loss_weight >= 0:
            raise ValueError(f'loss_weight must be >= 0, got {loss_weight}')
        self.num_groups = num_groups
        self.loss_weight = loss_weight
        self.convs = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(before, after, 3, padding=1, padding_mode='reflect', bias=False),
                    nn.BatchNorm2d(after),
                    nn.ReLU(inplace=True),
                )
                for before, after in pairwise((1, *channels))
            )
        )
        self.classify = nn.Conv2d(channels[-1], num_groups, 1)

    def forward(self, disparity: Tensor) -> Tensor:
        """Disparity (N, 1, H, W), positive → logits (N, G, H, W).

        Depth is known up to a factor, so the disparity is divided by its mean over the image.
        """
        mean = disparity.mean((2, 3), keepdim=True)
        return self.classify(self.convs(disparity / (mean + 1e-7)))

    def loss(self, disparity: Tensor, groups: Tensor) -> Tensor:
        """λ times the cross-entropy.

        Args:
            disparity: (N, 1, H, W).
            groups: (N, H, W) int64, 255 ignored.

        Returns:
            Scalar; 0, with a gradient of 0, where all pixels are ignored.

        Raises:
            ValueError: if a group is out of range.
        """
        known = groups[groups != IGNORED_BYTE]
        if len(known) and not 0 <= int(known.min()) <= int(known.max()) < self.num_groups:
            raise ValueError(
                f'groups must be from 0 to {self.num_groups - 1} (num_groups of the head) or '
                f'{IGNORED_BYTE}, got {sorted(known.unique().tolist())}'
            )
        logits = self(disparity)
        with torch.autocast(logits.device.type, enabled=False):
            errors = F.cross_entropy(
                logits.float(), groups, ignore_index=IGNORED_BYTE, reduction='sum'
            )
        return self.loss_weight * errors / max(1, known.numel())
