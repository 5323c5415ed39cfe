"""Instance ids as the label map, to learn instance boundaries."""

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform

from ...files.label_maps import decode_label_map
from ...ops.ignored import IGNORED_BYTE
from ...registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadInstanceMap(BaseTransform):
    """Load a PNG of instance ids, 8 or 16 bits or with a palette, as ``gt_seg_map``.

    Takes the place of ``LoadAnnotations`` where SegFix learns the boundaries
    between instances (SegFix, Section 4.4).

    Required Keys:

    - seg_map_path (str)

    Added Keys:

    - gt_seg_map (int32, (H, W))
    - seg_fields

    Args:
        background_below: Ids below this are stuff or background and become one
            label, 0. 1000 for Cityscapes ``*_instanceIds.png``, whose things
            are ``class * 1000 + number``; 0 leaves every id as it is.
        backend_args: Arguments of mmengine's file backend.

    Raises:
        ValueError: if the file is no PNG with one number a pixel.
    """

    def __init__(self, background_below: int = 0, backend_args: dict | None = None) -> None:
        self.background_below = background_below
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Read the file."""
        path = results['seg_map_path']
        content = fileio.get(path, backend_args=self.backend_args)
        ids = decode_label_map(content, path).labels.astype(np.int32)
        ids[ids < self.background_below] = 0
        results['gt_seg_map'] = ids
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(background_below={self.background_below})'


@TRANSFORMS.register_module()
class PaintInstanceMap(BaseTransform):
    """Paint the annotated instances of an image as ``gt_seg_map``: 0, and an id for each.

    Large instances are painted first, so that small ones in front of them remain. Crowd regions
    are ignored (255, which is nobody's id).

    Required Keys:

    - img
    - instances (list of ``mmrefine.files.instances.Instance``)

    Added Keys:

    - gt_seg_map (int32, (H, W))
    - seg_fields

    Raises:
        ValueError: if a mask is broken.
    """

    def transform(self, results: dict) -> dict:
        """Paint."""
        size_hw = results['img'].shape[:2]
        ids = np.zeros(size_hw, np.int32)
        masks = [(i.crowd, i.mask(size_hw)) for i in results['instances']]
        masks.sort(key=lambda pair: np.count_nonzero(pair[1]), reverse=True)
        for number, (crowd, mask) in enumerate(masks, start=1):
            ids[mask] = IGNORED_BYTE if crowd else number + (number >= IGNORED_BYTE)
        results['gt_seg_map'] = ids
        results.setdefault('seg_fields', []).append('gt_seg_map')
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
