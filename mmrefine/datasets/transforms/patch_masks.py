"""Loading and packing of boundary patches for BPR."""

import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform, to_tensor
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs

from ...files.label_maps import decode_label_map
from ...ops import crop_patches
from ...registry import TRANSFORMS
from ...structures.patch_fields import COARSE_MASK


@TRANSFORMS.register_module()
class LoadPatchMasks(BaseTransform):
    """Load the coarse and the true mask of a patch, whose object pixels are not 0.

    Required Keys:

    - coarse_mask_path (str)
    - seg_map_path (str)

    Added Keys:

    - coarse_mask (uint8, (H, W)): 0 or 1
    - gt_seg_map (uint8, (H, W)): 0 or 1
    - seg_fields: both, so that mmseg's transforms resize and flip them

    Args:
        backend_args: Arguments of mmengine's file backend.

    Raises:
        ValueError: if a file is no PNG with one number a pixel.
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Load both."""
        results['coarse_mask'] = self._load(results['coarse_mask_path'])
        results['gt_seg_map'] = self._load(results['seg_map_path'])
        results['seg_fields'] = ['coarse_mask', 'gt_seg_map']
        return results

    def _load(self, path: str) -> np.ndarray:
        content = fileio.get(path, backend_args=self.backend_args)
        return (decode_label_map(content, path).labels != 0).astype(np.uint8)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(backend_args={self.backend_args})'


@TRANSFORMS.register_module()
class ResizePatch(BaseTransform):
    """Scale a patch that lies on disk to the size of the network's input.

    As ``BPRRefiner`` scales it: image and masks stay on each other. mmseg's
    ``Resize`` would move the masks by up to half a pixel.

    Required Keys:

    - img (uint8, (H, W, 3))
    - seg_fields, and the masks they name ((H, W))

    Modified Keys:

    - img, the masks
    - img_shape

    Args:
        size: Side of the network's input in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def transform(self, results: dict) -> dict:
        """Scale image and masks."""
        for key in ('img', *results['seg_fields']):
            whole = np.array([[0, 0, *results[key].shape[1::-1]]])
            results[key] = crop_patches(results[key], whole, self.size)[0]
        results['img_shape'] = results['img'].shape[:2]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'


@TRANSFORMS.register_module()
class PackPatchInputs(PackSegInputs):
    """mmseg's ``PackSegInputs``, which also takes the coarse mask along.

    Predictions stay at the network's resolution: ``ori_shape`` becomes the
    patch's shape after resizing, that of the true mask.
    """

    def transform(self, results: dict) -> dict:
        """Patch and masks → ``inputs`` and ``data_samples``."""
        results['ori_shape'] = results['img'].shape[:2]
        packed = super().transform(results)
        data = to_tensor(np.ascontiguousarray(results['coarse_mask'])[None])
        packed['data_samples'].set_data({COARSE_MASK: PixelData(data=data)})
        return packed
