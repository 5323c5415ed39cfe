"""SegFix's two branches on a light decoder that answers for every single pixel."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...registry import MODELS
from .coarse_to_fine import CoarseToFine
from .segfix_head import SegFixHead


@MODELS.register_module()
class SegFixFineHead(CoarseToFine, SegFixHead):
    """``SegFixHead`` for ``PatchEfficientNet``, for CPUs.

    The released network concatenates all features at stride 2 and enlarges the answers. Here, the
    decoder goes from coarse to fine, and a cell at stride 2 has an answer for each of its 2×2
    pixels (pixel shuffle). Branches and losses are those of the paper (Section 3.2).

    Args:
        in_channels: Channels of the features at strides 2, 2, 4, 8 and 16.
        widths: Channels of the decoder at strides 2, 4 and 8.
        channels: Channels between the two convolutions of a branch.
        kwargs: As for ``SegFixHead``.
    """

    def __init__(
        self,
        in_channels: Sequence[int] = (16, 16, 24, 40, 112),
        widths: Sequence[int] = (48, 48, 64),
        channels: int = 48,
        **kwargs: Any,
    ) -> None:
        self.width = widths[0]
        super().__init__(
            in_channels,
            in_index=range(len(in_channels)),
            channels=channels,
            align_corners=False,
            input_transform='multiple_select',
            **kwargs,
        )
        self.add_decoder(in_channels, widths)

    def _make_branch(self, out_channels: int) -> nn.Sequential:
        return nn.Sequential(
            self.conv(self.width, self.channels, 1),
            nn.Conv2d(self.channels, 4 * out_channels, 1, bias=False),
            nn.PixelShuffle(2),
        )

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Features of images (N, 3, H, W) → logits (N, 2 + m, H, W)."""
        return self._logits(self.decode(self._transform_inputs(inputs))[1])
