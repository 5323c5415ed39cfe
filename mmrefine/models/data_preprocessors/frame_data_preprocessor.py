"""From frames of a video to the input of a depth network."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class FrameDataPreProcessor(BaseDataPreprocessor):
    """Normalises frames, of which a sample has one or more, stacked along the channels.

    Args:
        mean: Channel means of RGB, or of BGR with ``bgr_to_rgb=False``.
        std: Channel standard deviations, likewise.
        bgr_to_rgb: Frames are BGR, as OpenCV reads them, and the network wants RGB.
        non_blocking: As in mmengine's ``BaseDataPreprocessor``.

    Raises:
        ValueError: if ``mean`` or ``std`` does not have three values.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (114.75, 114.75, 114.75),
        std: Sequence[float] = (57.375, 57.375, 57.375),
        bgr_to_rgb: bool = True,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        for name, value in (('mean', mean), ('std', std)):
            if len(value) != 3:
                raise ValueError(f'{name} must have 3 values, one a channel, got {value}')
            self.register_buffer(name, torch.tensor(value).view(3, 1, 1), persistent=False)
        self.bgr_to_rgb = bgr_to_rgb

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Batch of the data loader → ``inputs`` (N, 3 F, H, W) and ``data_samples``.

        Raises:
            ValueError: if the frames of a batch differ in size or number.
        """
        data = self.cast_data(data)
        shapes = {tuple(frames.shape) for frames in data['inputs']}
        if len(shapes) > 1:
            raise ValueError(
                f'frames of a batch must have one size and number, got {sorted(shapes)} as '
                '(channels, rows, columns): resize them, or use batch_size=1'
            )
        inputs = torch.stack(list(data['inputs']))
        frames = inputs.unflatten(1, (-1, 3))
        if self.bgr_to_rgb:
            frames = frames.flip(2)
        normalised = (frames.float() - self.mean) / self.std
        return dict(inputs=normalised.flatten(1, 2), data_samples=data.get('data_samples'))
