"""True depth, to evaluate with."""

import cv2
import mmengine.fileio as fileio
import numpy as np
from mmcv.transforms import BaseTransform

from ...ops.depth import depth_of_points
from ...registry import TRANSFORMS
from ...structures.depth_fields import GT_DEPTH


@TRANSFORMS.register_module()
class LoadDepth(BaseTransform):
    """Load a depth map: a 16-bit PNG, or a ``.npy`` file.

    Required Keys:

    - depth_path (str)

    Added Keys:

    - gt_depth_map (float32 (H, W), 0 where not known)

    Args:
        scale: What values of a PNG are divided by; 256 as in KITTI. A ``.npy`` file is taken as
            it is.

    Raises:
        ValueError: if the file is missing or no depth map.
    """

    def __init__(self, scale: float = 256) -> None:
        if not scale > 0:
            raise ValueError(f'scale must be positive, got {scale}')
        self.scale = scale

    def transform(self, results: dict) -> dict:
        """Read the file."""
        path = results['depth_path']
        try:
            if path.endswith('.npy'):
                depth, scale = np.load(path, allow_pickle=False), 1.0
            else:
                content = np.frombuffer(fileio.get(path), np.uint8)
                depth, scale = cv2.imdecode(content, cv2.IMREAD_UNCHANGED), self.scale
        except (OSError, ValueError, cv2.error) as error:
            raise ValueError(f'{path}: the depth map cannot be read ({error})') from error
        if depth is None or depth.ndim != 2 or depth.dtype == np.uint8:
            raise ValueError(f'{path}: a depth map is a 16-bit PNG of one channel, or .npy (H, W)')
        results[GT_DEPTH] = (depth / scale).astype(np.float32)
        return results


@TRANSFORMS.register_module()
class LoadScanDepth(BaseTransform):
    """Depth out of a laser scan, as in KITTI's raw recordings: known at few pixels.

    Required Keys:

    - scan_path (str): float32, four numbers a point
    - scan_projection (3, 4)
    - ori_shape

    Added Keys:

    - gt_depth_map (float32 (H, W), 0 where not known)

    Raises:
        ValueError: if the file is missing or no scan.
    """

    def transform(self, results: dict) -> dict:
        """Read the scan and project it."""
        path = results['scan_path']
        try:
            numbers = np.frombuffer(fileio.get(path), np.float32)
        except (OSError, ValueError) as error:
            raise ValueError(f'{path}: the laser scan cannot be read ({error})') from error
        if not len(numbers) or len(numbers) % 4:
            raise ValueError(f'{path}: a laser scan has four numbers a point, got {len(numbers)}')
        points = numbers.reshape(-1, 4)[:, :3].astype(np.float64)
        points = points[points[:, 0] >= 0]  # the scanner's x axis points ahead
        results[GT_DEPTH] = depth_of_points(
            points, results['scan_projection'], results['ori_shape'][:2]
        )
        return results
