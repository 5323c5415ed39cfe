"""Boundary patches cut out of images while training (BPR, Section 3)."""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mmengine.fileio as fileio
import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.fileio import join_path

from ..files.images import decode_image
from ..files.instances import read_annotations, read_coarse
from ..ops import degrade
from ..registry import DATASETS
from .patch_cutting import InstancePatches, find_patches, match_instances, patches_of_masks
from .patches import PATCH_METAINFO


@DATASETS.register_module()
class BoundaryPatchDataset(BaseDataset):
    """Patches along the boundaries of coarse masks, with the true mask to learn.

    An item is an image: ``patches_per_image`` patches of it, so that it is read
    once for all of them; an image with fewer gives some of them again.
    ``PatchDataPreProcessor`` makes one batch of the patches of several images.

    The true mask of a coarse one is the instance of the same category with the
    highest IoU. Coarse masks without one above ``min_iou`` are left out; crowd
    regions count as no instance.

    Args:
        ann_file: COCO annotations (LVIS's, too) with the true instances.
        coarse: COCO result file or Cityscapes result folder (``*_pred.txt`` and
            PNGs) with the coarse masks; ``None`` makes them out of the true
            ones with ``mmrefine.ops.degrade``.
        patch_size: Side of a patch in pixels; with several, each image takes
            one at random.
        padding: Pixels around each patch that the network sees as well.
        input_size: Side of the network's input, to which patches are scaled as
            ``BPRRefiner`` scales them: no other resizing belongs in the
            pipeline. By default patches stay as large as they are.
        iou_threshold: NMS threshold of the boxes: 0.25 as published, 0.15 for
            COCO.
        patches_per_image: Patches of an image in one item.
        instances_per_image: Most instances that patches are taken from in one
            item.
        min_iou: IoU above which a coarse mask is learned from.
        degradation: Options of ``mmrefine.ops.degrade``.
        good_share: Share of the instances whose coarse mask is replaced by the
            true one, 0 to 1. From these a network learns to leave good masks
            alone; 0 as published.
        kwargs: As for mmengine's ``BaseDataset``: ``data_root``,
            ``data_prefix=dict(img_path=...)``, ``pipeline``, ``test_mode``, ...
            The pipeline sees single patches: ``img``, ``coarse_mask`` and
            ``gt_seg_map``, the latter two in ``seg_fields``.

    Raises:
        ValueError: if files are missing or broken, or an option is out of range.
    """

    METAINFO = PATCH_METAINFO

    def __init__(
        self,
        ann_file: str,
        coarse: str | None = None,
        patch_size: int | Sequence[int] = 64,
        padding: int = 0,
        input_size: int | None = None,
        iou_threshold: float = 0.25,
        patches_per_image: int = 8,
        instances_per_image: int = 8,
        min_iou: float = 0.5,
        degradation: Mapping[str, Any] | None = None,
        good_share: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if not 0 <= good_share <= 1:
            raise ValueError(f'good_share must be from 0 to 1, got {good_share}')
        for name, value in (
            ('patches_per_image', patches_per_image),
            ('instances_per_image', instances_per_image),
            ('input_size', input_size),
        ):
            if value is not None and value < 1:
                raise ValueError(f'{name} must be at least 1, got {value}')
        self.coarse = coarse
        self.patch_sizes = (patch_size,) if isinstance(patch_size, int) else tuple(patch_size)
        self.padding = padding
        self.input_size = input_size
        self.iou_threshold = iou_threshold
        self.patches_per_image = patches_per_image
        self.instances_per_image = instances_per_image
        self.min_iou = min_iou
        self.degradation = dict(degradation or {})
        self.good_share = good_share
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry an image that has instances of both kinds."""
        images = read_annotations(self.ann_file)
        coarse = {}
        if self.coarse is not None:
            path = Path(self.coarse)
            root = Path(self.data_root or '')
            coarse = read_coarse(path if path.is_absolute() else root / path, images)
        folder = self.data_prefix.get('img_path', '')
        entries = [
            dict(
                img_path=join_path(folder, image.file_name),
                truth=image.instances,
                coarse=coarse.get(image.image_id, []),
            )
            for image in images
            if image.instances and (self.coarse is None or image.image_id in coarse)
        ]
        if not entries:
            raise ValueError(f'{self.ann_file}: no image has instances to learn from')
        return entries

    def prepare_data(self, idx: int) -> dict[str, list] | None:
        """Patches of an image through the pipeline; None if it has none."""
        info = self.get_data_info(idx)
        # mmengine seeds `random` in every worker
        rng = np.random.default_rng(idx if self.test_mode else random.getrandbits(32))
        image = decode_image(fileio.get(info['img_path']), info['img_path'])
        packed = [self.pipeline(patch) for patch in self._patches(image, info, rng)]
        if not packed:
            return None
        return {key: [patch[key] for patch in packed] for key in packed[0]}

    def __getitem__(self, idx: int) -> dict:
        """Patches of image ``idx``, or of another one if it has none."""
        if not self._fully_initialized:
            self.full_init()
        for _ in range(self.max_refetch + 1):
            data = self.prepare_data(idx)
            if data is not None:
                return data
            idx = (idx + 1) % len(self) if self.test_mode else self._rand_another()
        raise ValueError(f'{self.ann_file}: {self.max_refetch} images had no patch to learn from')

    def _patches(
        self, image: np.ndarray, info: dict, rng: np.random.Generator
    ) -> Iterator[dict[str, Any]]:
        patch_size = int(rng.choice(self.patch_sizes))
        instances = list(self._instances(info, image.shape[:2], patch_size, rng))
        found = [(instance, box) for instance in instances for box in range(len(instance.boxes))]
        order = rng.permutation(len(found))
        for i in np.resize(order, self.patches_per_image if found else 0):
            instance, box = found[i]
            size = self.input_size or patch_size + 2 * self.padding
            crop, coarse, truth = (p[0] for p in instance.cut(image, [box], size, self.padding))
            yield dict(
                img=crop,
                coarse_mask=coarse.astype(np.uint8),
                gt_seg_map=truth.astype(np.uint8),
                seg_fields=['coarse_mask', 'gt_seg_map'],
                img_path=info['img_path'],
                img_shape=(size, size),
                ori_shape=(size, size),
            )

    def _instances(
        self, info: dict, size_hw: tuple[int, int], patch_size: int, rng: np.random.Generator
    ) -> Iterator[InstancePatches]:
        """Instances with a coarse and a true mask, at most ``instances_per_image``."""
        truth = [instance for instance in info['truth'] if not instance.crowd]
        if self.coarse is None:
            for i in rng.permutation(len(truth))[: self.instances_per_image]:
                coarse = mask = truth[i].mask(size_hw)
                if rng.random() >= self.good_share:
                    coarse = degrade(mask, rng, min_iou=self.min_iou, **self.degradation)
                yield patches_of_masks(coarse, mask, patch_size, self.iou_threshold)
            return
        matches = match_instances(info['coarse'], truth, size_hw, self.min_iou)
        pairs = [
            (c, truth[t]) for c, t in zip(info['coarse'], matches, strict=True) if t is not None
        ]
        for i in rng.permutation(len(pairs))[: self.instances_per_image]:
            coarse, true = (instance.run_lengths(size_hw) for instance in pairs[i])
            if rng.random() < self.good_share:
                coarse = true
            yield find_patches(coarse, true, patch_size, self.padding, self.iou_threshold)
