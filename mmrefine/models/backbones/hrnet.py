"""mmseg's HRNet with a choice of how coarser branches are enlarged before they are added.

The released SegFix (arXiv 2007.04269) enlarges them in one bilinear step to the size of the finer
branch, corners on corners; mmseg's ``HRModule`` enlarges by a power of two and then, where the size
is not yet right, once more, both with ``align_corners=False``.
"""

from typing import Any

from mmengine.model import Sequential
from mmseg.models.backbones import hrnet as mmseg_hrnet
from mmseg.models.utils import resize
from torch import Tensor, nn

from ...registry import MODELS


class CornerAlignedModule(mmseg_hrnet.HRModule):
    """HRModule whose coarser branches are enlarged once, with ``align_corners=True``."""

    def _make_fuse_layers(self) -> nn.ModuleList | None:
        rows = super()._make_fuse_layers()
        for i, row in enumerate(rows or ()):
            for j in range(i + 1, self.num_branches):
                row[j] = row[j][:-1]  # without the enlarging layer, which has no weights
        return rows

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Fused features of the same sizes, finest first."""
        branches = [branch(x) for branch, x in zip(self.branches, features, strict=True)]
        if self.num_branches == 1:
            return branches
        fused = []
        for i, (own, row) in enumerate(zip(branches, self.fuse_layers, strict=True)):
            total = own
            for j, (x, layer) in enumerate(zip(branches, row, strict=True)):
                if j < i:
                    total = total + layer(x)
                elif j > i:
                    x = resize(layer(x), own.shape[2:], None, 'bilinear', True, warning=False)
                    total = total + x
            fused.append(self.relu(total))
        return fused


@MODELS.register_module()
class HRNet(mmseg_hrnet.HRNet):
    """mmseg's HRNet, outputs at strides 4, 8, 16 and 32, with one more option.

    Args:
        args, kwargs: As for mmseg's ``HRNet``.
        align_corners: Enlarge coarser branches as the released SegFix does. ``False`` is mmseg's
            own network, number for number.
        early_stages: Give the branches of stages 2 and 3 as well, behind the four of stage 4, for
            heads that supervise them: feature maps 4 and 5, at strides 4 and 8, and 6 to 8, at
            strides 4, 8 and 16.
    """

    align_corners = False

    def __init__(
        self, *args: Any, align_corners: bool = False, early_stages: bool = False, **kwargs: Any
    ) -> None:
        self.align_corners = align_corners  # read while the stages are built
        super().__init__(*args, **kwargs)
        self.early_stages = early_stages

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of stage 4, finest first; with ``early_stages``, of stages 2 and 3 too."""
        if not self.early_stages:
            return super().forward(image)
        x = self.relu(self.norm1(self.conv1(image)))
        x = self.layer1(self.relu(self.norm2(self.conv2(x))))
        stages = [[x]]
        for number in (2, 3, 4):
            given = stages[-1]
            layers = getattr(self, f'transition{number - 1}')
            branches = [
                given[i] if layer is None else layer(given[-1]) for i, layer in enumerate(layers)
            ]
            stages.append(getattr(self, f'stage{number}')(branches))
        return [*stages[3], *stages[1], *stages[2]]

    def _make_stage(
        self, layer_config: dict, in_channels: list[int], multiscale_output: bool = True
    ) -> tuple[nn.Module, list[int]]:
        if not self.align_corners:
            return super()._make_stage(layer_config, in_channels, multiscale_output)
        modules = [
            CornerAlignedModule(
                layer_config['num_branches'],
                self.blocks_dict[layer_config['block']],
                layer_config['num_blocks'],
                in_channels,  # each module leaves its own output channels in it
                layer_config['num_channels'],
                with_cp=self.with_cp,
                norm_cfg=self.norm_cfg,
                conv_cfg=self.conv_cfg,
            )
            for _ in range(layer_config['num_modules'])
        ]
        return Sequential(*modules), in_channels
