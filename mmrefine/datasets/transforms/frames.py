"""Transforms of several frames at once, and of the camera's intrinsics with them."""

import io

import cv2
import mmengine.fileio as fileio
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from ...registry import TRANSFORMS
from ...structures.depth_fields import FRAME_OFFSETS, GT_DEPTH, GT_FRAMES, INTRINSICS


@TRANSFORMS.register_module()
class LoadFrames(BaseTransform):
    """Load the target frame and its neighbours.

    Required Keys:

    - frame_paths (list[str], target first)

    Added Keys:

    - frames (list of uint8 (H, W, 3), BGR)
    - ori_shape, img_shape (H, W)

    Raises:
        ValueError: if a frame is missing or no image, or the sizes differ.
    """

    def transform(self, results: dict) -> dict:
        """Read the files."""
        frames = [self._load(path) for path in results['frame_paths']]
        sizes = {frame.shape[:2] for frame in frames}
        if len(sizes) > 1:
            raise ValueError(
                f'{results["img_path"]} and its neighbours must have one size, got {sorted(sizes)}'
            )
        results['frames'] = frames
        results['ori_shape'] = results['img_shape'] = frames[0].shape[:2]
        return results

    @staticmethod
    def _load(path: str) -> np.ndarray:
        try:
            content = np.frombuffer(fileio.get(path), np.uint8)
        except OSError as error:
            raise ValueError(f'{path}: the frame cannot be read ({error})') from error
        frame = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
        if frame is None:
            raise ValueError(f'{path}: not an image, or incomplete')
        return frame


@TRANSFORMS.register_module()
class LoadFrameLabels(BaseTransform):
    """Load the label map of the target frame, for ``DepthToSegHead`` without a teacher.

    Required Keys:

    - seg_map_path (str), a PNG of one channel

    Added Keys:

    - gt_seg_map (uint8 (H, W), 255 ignored)

    Raises:
        ValueError: if it is missing, no image or has several channels.
    """

    def transform(self, results: dict) -> dict:
        """Read the file."""
        path = results['seg_map_path']
        try:
            with Image.open(io.BytesIO(fileio.get(path))) as image:
                labels = np.asarray(image)
        except (OSError, SyntaxError) as error:
            raise ValueError(f'{path}: the label map cannot be read ({error})') from error
        if labels.ndim != 2:
            raise ValueError(f'{path}: a label map has one channel, got shape {labels.shape}')
        results['gt_seg_map'] = labels.astype(np.uint8)
        return results


@TRANSFORMS.register_module()
class ResizeFrames(BaseTransform):
    """Resize frames and label map; the intrinsics follow.

    Required Keys:

    - frames
    - intrinsics, gt_seg_map (optional)

    Modified Keys:

    - the same, img_shape

    Args:
        scale: (width, height), as in every transform of mmcv.
    """

    def __init__(self, scale: tuple[int, int]) -> None:
        if len(scale) != 2 or min(scale) < 1:
            raise ValueError(f'scale must be (width, height), got {scale}')
        self.scale = tuple(scale)

    def transform(self, results: dict) -> dict:
        """Resize."""
        height, width = results['img_shape']
        way = cv2.INTER_AREA if self.scale[0] < width else cv2.INTER_LINEAR
        results['frames'] = [
            cv2.resize(f, self.scale, interpolation=way) for f in results['frames']
        ]
        if 'gt_seg_map' in results:
            results['gt_seg_map'] = cv2.resize(
                results['gt_seg_map'], self.scale, interpolation=cv2.INTER_NEAREST
            )
        if results.get(INTRINSICS) is not None:
            factors = np.array([self.scale[0] / width, self.scale[1] / height, 1])
            scaled = factors[:, None] * results[INTRINSICS]
            # Pixel centres are whole numbers: the corner of the image is at -0.5.
            scaled[:2, 2] += (factors[:2] - 1) / 2
            results[INTRINSICS] = scaled
        results['img_shape'] = self.scale[::-1]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(scale={self.scale})'


@TRANSFORMS.register_module()
class RandomFlipFrames(BaseTransform):
    """Mirror frames and label map left to right; the camera's centre follows.

    Required Keys:

    - frames, intrinsics
    - gt_seg_map (optional)

    Args:
        prob: Probability.
    """

    def __init__(self, prob: float = 0.5) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be from 0 to 1, got {prob}')
        self.prob = prob

    @cache_randomness
    def _chosen(self) -> bool:
        return np.random.random() < self.prob  # noqa: NPY002

    def transform(self, results: dict) -> dict:
        """Mirror, or not."""
        if not self._chosen():
            return results
        results['frames'] = [np.ascontiguousarray(f[:, ::-1]) for f in results['frames']]
        if 'gt_seg_map' in results:
            results['gt_seg_map'] = np.ascontiguousarray(results['gt_seg_map'][:, ::-1])
        mirrored = results[INTRINSICS].copy()
        mirrored[0, 2] = results['img_shape'][1] - 1 - mirrored[0, 2]
        results[INTRINSICS] = mirrored
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'


@TRANSFORMS.register_module()
class JitterFrames(BaseTransform):
    """Change brightness, contrast, saturation and hue, the same for all frames of a sample.

    What the networks see changes; the frames that the losses compare do not (Monodepth2,
    Section 4).

    Required Keys:

    - frames

    Added Keys:

    - seen_frames (list of uint8 (H, W, 3))

    Args:
        prob: Probability.
        brightness, contrast, saturation: Greatest change, as a share.
        hue: Greatest change, as a share of the colour circle.
    """

    def __init__(
        self,
        prob: float = 0.5,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.2,
        hue: float = 0.1,
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be from 0 to 1, got {prob}')
        self.prob = prob
        self.strengths = np.array([brightness, contrast, saturation, hue])

    @cache_randomness
    def _changes(self) -> np.ndarray | None:
        if np.random.random() >= self.prob:  # noqa: NPY002
            return None
        return np.random.uniform(-self.strengths, self.strengths)  # noqa: NPY002

    def transform(self, results: dict) -> dict:
        """Change colours, or not."""
        changes = self._changes()
        frames = results['frames']
        if changes is not None:
            mean = float(np.mean(frames[0]))
            frames = [_recolour(frame, mean, *changes) for frame in frames]
        results['seen_frames'] = frames
        return results


def _recolour(
    frame: np.ndarray,
    mean: float,
    brightness: float,
    contrast: float,
    saturation: float,
    hue: float,
) -> np.ndarray:
    changed = (frame.astype(np.float32) - mean) * (1 + contrast) + mean * (1 + brightness)
    changed = np.clip(changed, 0, 255).astype(np.uint8)
    hsv = cv2.cvtColor(changed, cv2.COLOR_BGR2HSV_FULL)
    hsv[..., 0] = (hsv[..., 0].astype(np.int64) + round(256 * hue)) % 256  # hue goes round
    hsv[..., 1] = np.clip(hsv[..., 1] * (1 + saturation), 0, 255).astype(np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)


@TRANSFORMS.register_module()
class PackFrames(BaseTransform):
    """Frames, truth and camera → ``inputs`` and a data sample.

    Required Keys:

    - frames
    - seen_frames, gt_seg_map, gt_depth_map (optional)

    ``inputs`` is uint8 (3 F, H, W), frames one after the other; the data sample has what
    ``mmrefine.structures.depth_fields`` lists.
    """

    META = ('img_path', 'ori_shape', 'img_shape', FRAME_OFFSETS)

    def transform(self, results: dict) -> dict:
        """Pack."""
        sample = SegDataSample(metainfo={k: results[k] for k in self.META if k in results})
        if results.get(INTRINSICS) is not None:
            matrix = np.asarray(results[INTRINSICS], np.float32)
            sample.set_metainfo({INTRINSICS: matrix})
        if len(results['frames']) > 1:
            sample.set_data({GT_FRAMES: PixelData(data=_stack(results['frames']))})
        if 'gt_seg_map' in results:
            labels = torch.from_numpy(results['gt_seg_map'].astype(np.int64))[None]
            sample.gt_sem_seg = PixelData(data=labels)
        if GT_DEPTH in results:
            depth = torch.from_numpy(results[GT_DEPTH].astype(np.float32))[None]
            sample.set_data({GT_DEPTH: PixelData(data=depth)})
        return dict(
            inputs=_stack(results.get('seen_frames', results['frames'])), data_samples=sample
        )


def _stack(frames: list[np.ndarray]) -> torch.Tensor:
    """F times (H, W, 3) → (3 F, H, W)."""
    return torch.from_numpy(np.concatenate(frames, axis=2)).permute(2, 0, 1).contiguous()
