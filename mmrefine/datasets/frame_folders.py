"""Videos as folders of ordered frames, each frame with its neighbours."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from ..registry import DATASETS

INTRINSICS_FILE = 'intrinsics.txt'


def check_offsets(offsets: Sequence[int]) -> tuple[int, ...]:
    """The offsets of the sources, checked."""
    if not offsets or 0 in offsets or len(set(offsets)) < len(offsets):
        raise ValueError(
            f'offsets must be different frames relative to the target, 0 not among them, got '
            f'{tuple(offsets)}'
        )
    return tuple(offsets)


def read_intrinsics(path: Path) -> np.ndarray:
    """Read a text file of 3×3 numbers, in pixels of the frames as stored.

    Raises:
        ValueError: if it is missing or something else.
    """
    try:
        matrix = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise ValueError(
            f'{path}: camera intrinsics are needed, three rows of three numbers in pixels: '
            f'fx 0 cx / 0 fy cy / 0 0 1 ({error})'
        ) from error
    if matrix.shape != (3, 3) or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
        raise ValueError(f'{path}: expected fx 0 cx / 0 fy cy / 0 0 1, got {matrix.tolist()}')
    return matrix


@DATASETS.register_module()
class FrameFolderDataset(BaseDataset):
    """The videos below a folder; a video is a folder whose frames' names are in order of time.

    ::

        data_root/frames/train/VIDEO/000001.png ...       data_prefix img_path
        data_root/frames/train/VIDEO/intrinsics.txt       or in a folder above, for all below it
        data_root/depth/val/VIDEO/000001.png              data_prefix depth_path, optional
        data_root/labels/train/VIDEO/000001.png           data_prefix seg_map_path, optional

    In training a frame whose neighbours are missing, the first and last of each video, is left
    out. In ``test_mode`` every frame is there, by itself.

    Args:
        data_root: Folder of it all.
        data_prefix: ``img_path``, and where there are some ``depth_path`` and ``seg_map_path``,
            with the same names below them.
        img_suffix: How names of frames end.
        depth_suffix: ``'.png'`` (16 bits, depth × 256 as in KITTI) or ``'.npy'``.
        seg_map_suffix: How names of label maps end.
        offsets: Source frames relative to the target.
        **kwargs: Further arguments of mmengine's ``BaseDataset``.

    Raises:
        ValueError: if there are no frames, or the intrinsics of a video are missing.
    """

    METAINFO = dict(classes=())

    def __init__(
        self,
        data_root: str,
        data_prefix: dict,
        img_suffix: str = '.png',
        depth_suffix: str = '.png',
        seg_map_suffix: str = '.png',
        offsets: Sequence[int] = (-1, 1),
        **kwargs: Any,
    ) -> None:
        self.img_suffix = img_suffix
        self.depth_suffix = depth_suffix
        self.seg_map_suffix = seg_map_suffix
        self.offsets = check_offsets(offsets)
        super().__init__(data_root=data_root, data_prefix=data_prefix, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry a frame, videos and frames in the order of their names."""
        root = Path(self.data_prefix['img_path'])
        frames = sorted(root.rglob(f'*{self.img_suffix}'))
        if not frames:
            raise ValueError(f'data_prefix: no file below {root} ends in {self.img_suffix}')
        found = [
            entry
            for folder in sorted({path.parent for path in frames})
            for entry in self._entries(folder, root)
        ]
        if not found:
            raise ValueError(
                f'no frame below {root} has all of its neighbours {self.offsets}: videos are '
                'folders of several frames'
            )
        return found

    def _entries(self, folder: Path, root: Path) -> Iterator[dict]:
        frames = sorted(folder.glob(f'*{self.img_suffix}'))
        intrinsics = None if self.test_mode else self._intrinsics(folder, root)
        offsets = (0,) if self.test_mode else (0, *self.offsets)
        for index, path in enumerate(frames):
            wanted = [index + offset for offset in offsets]
            if not 0 <= min(wanted) <= max(wanted) < len(frames):
                continue
            entry: dict = dict(
                img_path=str(path),
                frame_paths=[str(frames[k]) for k in wanted],
                frame_offsets=offsets,
                intrinsics=intrinsics,
            )
            name = path.relative_to(root).with_suffix('')
            for key, suffix in (
                ('depth_path', self.depth_suffix),
                ('seg_map_path', self.seg_map_suffix),
            ):
                if self.data_prefix.get(key):
                    entry[key] = str(Path(self.data_prefix[key]) / f'{name}{suffix}')
            yield entry

    @staticmethod
    def _intrinsics(folder: Path, root: Path) -> np.ndarray:
        """Of the nearest file, from the video's folder up to ``root``."""
        candidates = [folder, *(p for p in folder.parents if p == root or root in p.parents)]
        for candidate in candidates:
            if (candidate / INTRINSICS_FILE).is_file():
                return read_intrinsics(candidate / INTRINSICS_FILE)
        return read_intrinsics(folder / INTRINSICS_FILE)
