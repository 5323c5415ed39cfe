"""The losses that teach depth and motion from video alone (Monodepth2, ICCV 2019, Section 3)."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...ops.depth import least_error, photometric_error, roughness, synthesize_view
from ...registry import MODELS


@MODELS.register_module()
class ViewSynthesisLoss(nn.Module):
    """Each frame must come out when it is put together from its neighbours.

    At every scale the disparity is enlarged to the size of the frames first. Of several sources the
    one with the least error counts; pixels that look more alike with the camera taken as still do
    not count (``automask``). All in float32, under mixed precision too.

    Args:
        ssim_weight: α, share of SSIM in the photometric error.
        smoothness_weight: Factor on the roughness of the disparity; halved from scale to scale.
        automask: Leave out pixels that do not move.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self, ssim_weight: float = 0.85, smoothness_weight: float = 1e-3, automask: bool = True
    ) -> None:
        super().__init__()
        if not 0 <= ssim_weight <= 1:
            raise ValueError(f'ssim_weight must be from 0 to 1, got {ssim_weight}')
        if not smoothness_weight >= 0:
            raise ValueError(f'smoothness_weight must be >= 0, got {smoothness_weight}')
        self.ssim_weight = ssim_weight
        self.smoothness_weight = smoothness_weight
        self.automask = automask

    def forward(
        self,
        disparities: Sequence[Tensor],
        frames: Tensor,
        intrinsics: Tensor,
        motions: Sequence[Tensor],
        to_depth: Callable[[Tensor], Tensor],
    ) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            disparities: (N, 1, h, w) each, fine to coarse, between 0 and 1.
            frames: (N, F, 3, H, W), 0 to 1, target first.
            intrinsics: (N, 3, 3), in pixels of the frames.
            motions: (N, 4, 4) each, from the target's camera to that of each source.
            to_depth: Makes depth of disparity.

        Returns:
            ``loss_photometric`` and ``loss_smoothness``, means over scales.
        """
        with torch.autocast(frames.device.type, enabled=False):
            target, *sources = frames.float().unbind(1)
            still = None
            if self.automask:
                errors = [photometric_error(s, target, self.ssim_weight) for s in sources]
                still = torch.cat(errors, 1)
            photometric, smoothness = [], []
            for scale, disparity in enumerate(disparities):
                disparity = disparity.float()
                size = target.shape[2:]
                full = F.interpolate(disparity, size, mode='bilinear', align_corners=False)
                views = [
                    synthesize_view(source, to_depth(full), intrinsics.float(), motion.float())[0]
                    for source, motion in zip(sources, motions, strict=True)
                ]
                errors = [photometric_error(view, target, self.ssim_weight) for view in views]
                error, counts = least_error(torch.cat(errors, 1), still)
                photometric.append((error * counts).sum() / counts.sum().clamp(min=1))
                small = F.interpolate(target, disparity.shape[2:], mode='area')
                smoothness.append(roughness(disparity, small) / 2**scale)
            return dict(
                loss_photometric=torch.stack(photometric).mean(),
                loss_smoothness=self.smoothness_weight * torch.stack(smoothness).mean(),
            )
