"""From image patches and coarse masks to the input of a BPR network."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from ...registry import MODELS
from ...structures.patch_fields import COARSE_MASK
from .colour_contrast import colour_contrast


@MODELS.register_module()
class PatchDataPreProcessor(BaseDataPreprocessor):
    """Normalises image patches and appends the coarse mask as fourth channel.

    The mask is scaled from 0 and 1 to −1 and 1 (mean and standard deviation 0.5
    as published). A batch may come as a list of patches, or as a list of images
    with several patches each, as ``BoundaryPatchDataset`` gives them.

    Args:
        mean: Channel means of RGB, or of BGR with ``bgr_to_rgb=False``.
        std: Channel standard deviations, likewise.
        bgr_to_rgb: Patches are BGR, as OpenCV reads them, and the network wants
            RGB.
        with_mask: Append the mask. ``False`` for the ablation "without mask
            patch"; the backbone then takes three channels.
        contrast_radii: For each, one more channel: whether a pixel's colour is
            rather that of the mask's inside or outside, within this many pixels
            of the network's input around it (``colour_contrast``). Not in
            the paper: it spares a small network to learn from few images what a
            large one brings along.
        with_odds: Patches have a fourth channel, the colour evidence of the
            whole object (``mmrefine.ops.colour_odds``); 128 is scaled to 0.
        non_blocking: As in mmengine's ``BaseDataPreprocessor``.

    Raises:
        ValueError: if ``mean`` or ``std`` does not have three values.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        mean: Sequence[float] = (123.675, 116.28, 103.53),
        std: Sequence[float] = (58.395, 57.12, 57.375),
        bgr_to_rgb: bool = True,
        with_mask: bool = True,
        contrast_radii: Sequence[int] = (),
        with_odds: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(non_blocking=non_blocking)
        for name, value in (('mean', mean), ('std', std)):
            if len(value) != 3:
                raise ValueError(f'{name} must have 3 values, one a channel, got {value}')
            self.register_buffer(name, torch.tensor(value).view(3, 1, 1), persistent=False)
        self.bgr_to_rgb = bgr_to_rgb
        self.with_mask = with_mask
        self.contrast_radii = tuple(contrast_radii)
        self.with_odds = with_odds

    @property
    def num_channels(self) -> int:
        """Channels of the network's input: 4, or 3 without the mask, and those of colour."""
        return 3 + self.with_mask + len(self.contrast_radii) + self.with_odds

    def assemble(self, images: Tensor, masks: Tensor) -> Tensor:
        """The network's input.

        Args:
            images: (N, 3, S, S), or (N, 4, S, S) with odds, uint8 or float, 0 to 255.
            masks: (N, S, S) of any dtype, 0 or 1.

        Returns:
            float32 (N, ``num_channels``, S, S) in channels-last layout.
        """
        colours, odds = images[:, :3], images[:, 3:]
        if self.bgr_to_rgb:
            colours = colours.flip(1)
        normalised = (colours.float() - self.mean) / self.std
        parts = [normalised]
        if self.with_mask:
            parts.append(2 * masks[:, None].float() - 1)
        if self.contrast_radii:
            parts.append(colour_contrast(normalised, masks.float(), self.contrast_radii))
        if self.with_odds:
            parts.append((odds.float() - 128) / 128)
        return torch.cat(parts, dim=1).contiguous(memory_format=torch.channels_last)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Batch of the data loader → ``inputs`` and ``data_samples`` of the model.

        Raises:
            ValueError: if the patches of a batch differ in size.
        """
        data = self.cast_data(data)
        images, samples = data['inputs'], data['data_samples']
        if isinstance(samples[0], list | tuple):
            images = [patch for patches in images for patch in patches]
            samples = [sample for several in samples for sample in several]
        sizes = {tuple(image.shape[1:]) for image in images}
        if len(sizes) > 1:
            raise ValueError(f'patches of a batch must have one size, got {sorted(sizes)}')
        masks = torch.cat([sample.get(COARSE_MASK).data for sample in samples])
        return dict(inputs=self.assemble(torch.stack(list(images)), masks), data_samples=samples)
