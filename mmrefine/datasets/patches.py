"""Boundary patches on disk, in the layout of the released BPR code."""

from pathlib import Path
from typing import Any

from mmseg.datasets import BaseSegDataset

from ..registry import DATASETS

PATCH_METAINFO = dict(classes=('background', 'object'), palette=[[0, 0, 0], [255, 255, 255]])


@DATASETS.register_module()
class CityscapesPatchDataset(BaseSegDataset):
    """Patches as PNGs of the same names in ``img_dir``, ``mask_dir`` and ``ann_dir``.

    Reads the patches that BPR's authors publish, and those ``tools/make_patches.py``
    writes. Images are BGR files; in masks, 0 is background. Pipelines load them with
    ``LoadImageFromFile`` and ``mmrefine.LoadPatchMasks``.

    Args:
        data_prefix: Folders of the images (``img_path``), coarse masks
            (``mask_path``) and true masks (``seg_map_path``).
        kwargs: As for mmseg's ``BaseSegDataset``.

    Raises:
        ValueError: if the folders hold no patches, or a coarse or true mask is missing.
    """

    METAINFO = PATCH_METAINFO

    def __init__(self, data_prefix: dict | None = None, **kwargs: Any) -> None:
        folders = dict(
            img_path='img_dir/train', mask_path='mask_dir/train', seg_map_path='ann_dir/train'
        )
        folders.update(data_prefix or {})
        kwargs = dict(img_suffix='.png', seg_map_suffix='.png') | kwargs
        super().__init__(data_prefix=folders, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry a patch: ``img_path``, ``seg_map_path``, ``coarse_mask_path``."""
        entries = super().load_data_list()
        folder = Path(self.data_prefix['mask_path'])
        coarse = {path.name for path in folder.glob('*.png')}
        true = {path.name for path in Path(self.data_prefix['seg_map_path']).glob('*.png')}
        if not entries:
            raise ValueError(
                f'{self.data_prefix["img_path"]}: expected patches as PNGs, found none'
            )
        for entry in entries:
            name = Path(entry['seg_map_path']).name
            for names, kind in ((coarse, 'mask_path'), (true, 'seg_map_path')):
                if name not in names:
                    raise ValueError(f'{self.data_prefix[kind]}: {name} is missing')
            entry['coarse_mask_path'] = str(folder / name)
        return entries
