"""How much the outline of a mask changes from frame to frame, beside what moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ops import boundary_map, warp_labels
from .counts import Counts, divide
from .label_maps import as_array


@dataclass(frozen=True, eq=False)
class FlickerCounts(Counts):
    """Pixels near the boundary of a frame.

    Attributes:
        changed: (1,) int64, those whose label is not what flow leads from.
        pixels: (1,) int64, all.
    """

    changed: np.ndarray
    pixels: np.ndarray

    def figures(self) -> dict[str, Any]:
        """``flicker``: share of the pixels near boundaries that changed; NaN without any."""
        return {'flicker': float(divide(self.changed, self.pixels)[0])}


def boundary_flicker(
    labels: Any, previous: Any, flow: np.ndarray, width: float = 2, ignore_index: int = 255
) -> FlickerCounts:
    """Compare a frame's labels near their boundaries with those of the previous frame.

    Args:
        labels: (H, W) label map of any integer dtype, or bool mask.
        previous: The same of the previous frame.
        flow: float32 (H, W, 2), from this frame to the previous one, see
            ``mmrefine.ops.optical_flow``.
        width: Distance to the boundary up to which pixels count.
        ignore_index: Label that is left out in either map; not of masks.

    Returns:
        Counts of one pair of frames. Pixels that flow leads out of the frame are left out.

    Raises:
        TypeError, ValueError: Arrays that are no label maps or of different sizes.
    """
    now, before = (
        np.asarray(as_array(m, name), np.int32)
        for m, name in ((labels, 'labels'), (previous, 'previous'))
    )
    if now.shape != before.shape:
        raise ValueError(f'labels and previous: sizes differ, {now.shape} and {before.shape}')
    warped = warp_labels(before, flow, outside=-1)
    near = boundary_map(now, width, ignore_index) == 1
    near &= (warped != -1) & (warped != ignore_index)
    changed = near & (warped != now)
    return FlickerCounts(np.array([changed.sum()]), np.array([near.sum()]))
