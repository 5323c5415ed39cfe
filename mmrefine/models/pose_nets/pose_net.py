"""How the camera moved between two frames (Monodepth2, ICCV 2019, supplement)."""

from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ...ops.depth import inverse_motion, motion_matrix
from ...registry import MODELS

SCALE = 0.01  # frames are close to each other: start with motions close to none


@MODELS.register_module()
class PoseNet(BaseModule):
    """Two frames → the motion from the camera of the first to that of the second.

    Args:
        backbone: Any mmseg backbone with ``in_channels=6``. Weights of one for RGB images are
            widened when loaded: each frame gets them, halved, so that two equal frames are seen
            as one image was.
        in_channels: Channels of the backbone's last feature.
        channels: Channels of the convolutions after it.
        init_cfg: As in every mmengine module.
    """

    def __init__(
        self,
        backbone: dict,
        in_channels: int = 512,
        channels: int = 256,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.backbone = MODELS.build(backbone)
        # torch < 2.5 has no public name for it.
        self.backbone._register_load_state_dict_pre_hook(_widen_stem, with_module=True)
        self.decoder = nn.Sequential(
            nn.Conv2d(in_channels, channels, 1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, 6, 1),
        )

    def forward(self, first: Tensor, second: Tensor, invert: bool = False) -> Tensor:
        """Predict a motion.

        Args:
            first: (N, 3, H, W), the earlier frame.
            second: (N, 3, H, W), the later one.
            invert: Give the way back, from the second to the first, instead. So the network
                always sees time run forwards.

        Returns:
            (N, 4, 4), float32.
        """
        features = self.backbone(torch.cat([first, second], 1))
        answer = SCALE * self.decoder(features[-1]).mean((2, 3)).float()
        motion = motion_matrix(answer[:, :3], answer[:, 3:])
        return inverse_motion(motion) if invert else motion


def _widen_stem(
    backbone: nn.Module, state_dict: dict[str, Tensor], prefix: str, *args: Any
) -> None:
    """Make a stem convolution for images fit one for pairs of images."""
    name, stem = next((n, m) for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d))
    weight = state_dict.get(f'{prefix}{name}.weight')
    if weight is not None and stem.in_channels == 2 * weight.shape[1]:
        state_dict[f'{prefix}{name}.weight'] = torch.cat([weight, weight], 1) / 2
