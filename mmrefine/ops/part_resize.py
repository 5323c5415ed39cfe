"""Enlarging a part of a map just as the whole map would be enlarged there.

Where corners are put on corners (``align_corners=True``), the place that a pixel takes its value
from depends on the size of the whole map. So tiles of an image, each enlarged for itself, differ
from the image enlarged as a whole.

Shapes: N = batch; C = channels; h, w = rows and columns of the part before it is enlarged.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def enlarge_part(
    maps: Tensor, size_hw: Sequence[int], start_yx: Sequence[int], whole_hw: Sequence[int]
) -> Tensor:
    """Bilinear, corners of the whole map on corners of the enlarged one.

    Args:
        maps: (N, C, h, w), a part of a map.
        size_hw: Rows and columns of the enlarged part: a multiple of h, and one of w.
        start_yx: First row and column of the enlarged part in the enlarged map.
        whole_hw: Rows and columns of the enlarged map.

    Returns:
        (N, C, *size_hw). Beyond the part, its border is repeated.
    """
    for axis, size, start, whole in zip((2, 3), size_hw, start_yx, whole_hw, strict=True):
        length = maps.shape[axis]
        factor = size / length
        if factor == 1:
            continue
        step = (whole / factor - 1) / max(whole - 1, 1)
        places = (start + torch.arange(size, dtype=torch.float64)) * step - start / factor
        places = places.clamp(0, length - 1).to(maps.device)
        low = places.long()
        high = (low + 1).clamp(max=length - 1)
        weight = (places - low).to(maps.dtype).view(-1, *[1] * (3 - axis))
        maps = torch.lerp(maps.index_select(axis, low), maps.index_select(axis, high), weight)
    return maps
