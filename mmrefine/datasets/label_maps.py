"""Label maps without images, for the edge network of SEMEDA."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset

from ..files.find import files_below
from ..files.label_maps import read_label_map
from ..ops import draw_label_map
from ..ops.ignored import IGNORED_BYTE
from ..registry import DATASETS


@DATASETS.register_module()
class DrawnLabelMapDataset(torch.utils.data.Dataset):
    """Label maps drawn at random, see ``mmrefine.ops.draw_label_map``.

    An item is ``dict(inputs=labels)``, int64 (H, W). The same index gives the same map.

    Args:
        num_classes: Labels are 0 to ``num_classes`` - 1.
        length: Number of maps.
        size_hw: Rows and columns.
        seed: Other seeds give other maps.

    Raises:
        ValueError: if there are fewer than 2 classes, or sizes are not positive.
    """

    metainfo = dict(classes=('interior', 'edge'))

    def __init__(
        self, num_classes: int, length: int, size_hw: tuple[int, int] = (64, 64), seed: int = 0
    ) -> None:
        if length < 1:
            raise ValueError(f'length must be positive, got {length}')
        self.num_classes, self.length, self.size_hw, self.seed = num_classes, length, size_hw, seed
        draw_label_map(size_hw, num_classes, np.random.default_rng(0))  # checks them

    def __len__(self) -> int:
        """Number of maps."""
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Map number ``index``."""
        if not 0 <= index < self.length:
            raise IndexError(f'index must be from 0 to {self.length - 1}, got {index}')
        rng = np.random.default_rng((self.seed, index))
        return dict(inputs=torch.from_numpy(draw_label_map(self.size_hw, self.num_classes, rng)))


@DATASETS.register_module()
class LabelMapDataset(BaseDataset):
    """The label maps below a folder: class indices, of PNGs that may have a palette.

    An item is ``dict(inputs=labels)``, int64 (H, W).

    Args:
        data_root: The folder.
        suffix: How the names of label maps end.
        crop_size: Rows and columns of a random piece of each map, at most; whole maps else.
        reduce_zero_label: Whether label 0 is ignored and all others count from 1, as in ADE20K;
            255 stays 255.
        **kwargs: Further arguments of mmengine's ``BaseDataset``.

    Raises:
        ValueError: if there is no such folder or nothing in it ends like that; on access, if a
            file is no label map.
    """

    METAINFO = dict(classes=('interior', 'edge'))

    def __init__(
        self,
        data_root: str,
        suffix: str = '.png',
        crop_size: tuple[int, int] | None = None,
        reduce_zero_label: bool = False,
        **kwargs: Any,
    ) -> None:
        self.suffix, self.crop_size, self.reduce_zero_label = suffix, crop_size, reduce_zero_label
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry a file, in the order of names."""
        folder = Path(self.data_root)
        found = files_below(folder) if folder.is_dir() else []
        paths = sorted(path for path in found if path.name.endswith(self.suffix))
        if not paths:
            raise ValueError(f'data_root: no file below {self.data_root} ends in {self.suffix}')
        return [dict(path=str(path)) for path in paths]

    def prepare_data(self, index: int) -> dict[str, torch.Tensor]:
        """Read a map and cut the piece."""
        path = self.get_data_info(index)['path']
        labels = read_label_map(path).labels.astype(np.int64)
        if self.reduce_zero_label:
            labels = np.where((labels == 0) | (labels == IGNORED_BYTE), IGNORED_BYTE, labels - 1)
        if self.crop_size is not None:
            rows, columns = (
                slice(start := np.random.randint(max(have - want, 0) + 1), start + want)  # noqa: NPY002
                for have, want in zip(labels.shape, self.crop_size, strict=True)
            )
            labels = labels[rows, columns]
        return dict(inputs=torch.from_numpy(np.ascontiguousarray(labels)))
