"""Training targets of SegFix, made online from any label map."""

import math

import numpy as np
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from ...ops import segfix_targets
from ...ops.ignored import IGNORED_BYTE
from ...registry import TRANSFORMS
from ...structures.segfix_fields import GT_BOUNDARY, GT_DIRECTION


@TRANSFORMS.register_module()
class GenerateBoundaryDirection(BaseTransform):
    """Boundary map and direction map of ``gt_seg_map`` (SegFix, Section 3.3).

    Belongs after the geometric augmentations: flipping or resizing a direction
    map would leave it wrong. The label map may be semantic or hold instance
    ids; only where labels change matters.

    Required Keys:

    - gt_seg_map (integer, (H, W))

    Added Keys:

    - gt_boundary_map (uint8, (H, W)): 1 within ``width`` pixels of another label
    - gt_direction_map (uint8, (H, W)): direction class of every pixel

    Args:
        width: γ of the paper, in pixels: how far the boundary reaches into each
            label. ``math.inf`` (or ``None``, for JSON and YAML configs) marks
            every pixel.
        num_directions: m of the paper: 4, 8, 16 or 32.
        kernel_size: Side of the Sobel kernel on the distance map, odd.
        ignore_index: Label of pixels without ground truth.
        ignore_beyond: Pixels farther than this from every boundary are ignored, for annotations
            that leave out some objects of an image: elsewhere there may be boundaries that nobody
            drew. ``None`` ignores none.

    Raises:
        ValueError: if an option is out of range.
    """

    def __init__(
        self,
        width: float | None = 5,
        num_directions: int = 8,
        kernel_size: int = 9,
        ignore_index: int = 255,
        ignore_beyond: float | None = None,
    ) -> None:
        if ignore_beyond is not None and not ignore_beyond > 0:
            raise ValueError(f'ignore_beyond must be positive or None, got {ignore_beyond}')
        self.ignore_beyond = ignore_beyond
        self.width = math.inf if width is None else width
        self.num_directions = num_directions
        self.kernel_size = kernel_size
        self.ignore_index = ignore_index
        segfix_targets(np.zeros((2, 3), np.uint8), **self._options())  # checks the options now

    def _options(self) -> dict:
        return dict(
            width=self.width,
            num_directions=self.num_directions,
            kernel_size=self.kernel_size,
            ignore_index=self.ignore_index,
        )

    def transform(self, results: dict) -> dict:
        """Add both maps."""
        distance, boundary, direction = segfix_targets(results['gt_seg_map'], **self._options())
        if self.ignore_beyond is not None:
            far = distance > self.ignore_beyond
            boundary[far] = direction[far] = IGNORED_BYTE
        results[GT_BOUNDARY], results[GT_DIRECTION] = boundary, direction
        return results

    def __repr__(self) -> str:
        shown = dict(self._options(), ignore_beyond=self.ignore_beyond)
        options = ', '.join(f'{k}={v}' for k, v in shown.items())
        return f'{type(self).__name__}({options})'


@TRANSFORMS.register_module()
class PackSegFixInputs(PackSegInputs):
    """mmseg's ``PackSegInputs``, which also takes boundary and direction maps along."""

    def transform(self, results: dict) -> dict:
        """Image and targets → ``inputs`` and ``data_samples``."""
        packed = super().transform(results)
        for key in (GT_BOUNDARY, GT_DIRECTION):
            if key in results:
                data = to_tensor(results[key][None].astype(np.int64))
                packed['data_samples'].set_data({key: PixelData(data=data)})
        return packed
