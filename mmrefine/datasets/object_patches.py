"""Boundary patches of many scales with mistakes made on the fly, to train a BPR network quickly.

``BoundaryPatchDataset`` follows the paper: patches of one size, as the coarse masks of one model
need them. This dataset is for a refiner of anybody's masks: windows of any scale cut straight at
the size of the network's input, coarse masks of many kinds, and colour evidence from the whole
object as a fourth channel beside BGR.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from ..files.images import decode_image
from ..files.instances import Instance, read_annotations, read_coarse
from ..files.label_maps import read_label_map
from ..ops import crop_patches
from ..ops.boxes import boundary_scores
from ..ops.colour_odds import colour_odds, surroundings
from ..ops.ignored import IGNORED_BYTE
from ..registry import DATASETS
from ..structures.patch_fields import COARSE_MASK
from .mask_errors import make_mistake, with_few_corners
from .patch_cutting import match_instances
from .patch_looks import change_looks
from .patches import PATCH_METAINFO

AROUND = 96  # pixels of the image around an object that are looked at


class Pair(NamedTuple):
    """An object of an image.

    Attributes:
        truth: uint8 (H, W): 1 object, 0 background, 255 unknown.
        predicted: bool (H, W), what a model made of it; None if there is none.
    """

    truth: np.ndarray
    predicted: np.ndarray | None


@DATASETS.register_module()
class ObjectPatchDataset(BaseDataset):
    """Square windows along the outlines of objects, ``input_size`` pixels a side.

    An item is an image: ``inputs``, a list of uint8 (4, S, S), BGR and
    ``mmrefine.ops.colour_odds.colour_odds``, and ``data_samples`` with ``gt_sem_seg`` (1
    object, 0 background, 255 unknown) and ``coarse_mask``.

    Args:
        ann_file: COCO annotations; empty for label maps in ``masks``.
        masks: Folder of label maps (PNG) named as the images: 0 background (see
            ``with_zero``), 255 unknown, everything else an object.
        coarse: What models predicted: COCO result files with ``ann_file``, else folders of label
            maps; one is drawn at random for each image.
        predicted_share: How often an object takes its predicted mask, if there is one.
        with_zero: Label 0 is an object, too: label maps of semantic classes.
        input_size: S, side of the network's input in pixels.
        window_sizes: Least and most pixels of the image that a window spans.
        patches_per_image, objects_per_image: Windows in an item, and most objects they come from.
        min_area: Pixels; smaller objects are left out.
        invert_share: How often object and background change places.
        polygon_share: How often the truth is drawn with few corners, within three pixels, as many
            annotators do: such masks are to be left alone, too.
        looks: Change colours, sharpness and compression of the patches.
        kwargs: As for mmengine's ``BaseDataset``; no pipeline.

    Raises:
        ValueError: if files are missing or broken.
    """

    METAINFO = PATCH_METAINFO

    def __init__(
        self,
        ann_file: str = '',
        masks: str | None = None,
        coarse: Sequence[str] = (),
        predicted_share: float = 0.5,
        with_zero: bool = False,
        input_size: int = 64,
        window_sizes: tuple[int, int] = (40, 144),
        patches_per_image: int = 8,
        objects_per_image: int = 2,
        min_area: int = 150,
        invert_share: float = 0.25,
        polygon_share: float = 0.0,
        looks: bool = True,
        **kwargs: Any,
    ) -> None:
        if bool(ann_file) == (masks is not None):
            raise ValueError(f'expected either ann_file or masks, got {ann_file!r} and {masks!r}')
        self.masks = masks
        self.coarse = tuple(coarse)
        self.predicted_share = predicted_share
        self.with_zero = with_zero
        self.input_size = input_size
        self.window_sizes = window_sizes
        self.patches_per_image = patches_per_image
        self.objects_per_image = objects_per_image
        self.min_area = min_area
        self.invert_share = invert_share
        self.polygon_share = polygon_share
        self.looks = looks
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """One entry an image."""
        folder = Path(self.data_prefix.get('img_path', ''))
        entries = list(self._of_annotations(folder) if self.ann_file else self._of_maps(folder))
        if not entries:
            raise ValueError(f'{self.ann_file or folder}: no image has objects to learn from')
        return entries

    def _of_annotations(self, folder: Path) -> Iterator[dict]:
        images = read_annotations(self.ann_file)
        coarse = [read_coarse(Path(self.data_root, path), images) for path in self.coarse]
        for image in images:
            objects = [instance for instance in image.instances if not instance.crowd]
            if objects:
                predicted = [found.get(image.image_id, []) for found in coarse]
                yield dict(
                    img_path=str(folder / image.file_name), objects=objects, coarse=predicted
                )

    def _of_maps(self, folder: Path) -> Iterator[dict]:
        masks = Path(self.data_root, self.masks or '')
        for path in sorted(folder.iterdir()):
            name = f'{path.stem}.png'
            predicted = [str(Path(self.data_root, part, name)) for part in self.coarse]
            yield dict(img_path=str(path), label_path=str(masks / name), coarse=predicted)

    def prepare_data(self, idx: int) -> dict[str, list] | None:
        """Patches of an image; None if it has none."""
        info = self.get_data_info(idx)
        # mmengine seeds `random` in every worker
        rng = np.random.default_rng(idx if self.test_mode else random.getrandbits(32))
        image = _read(info['img_path'])
        if 'label_path' in info:
            pairs = self._pairs_of_maps(info, image.shape[:2], rng)
        else:
            pairs = self._pairs_of_instances(info, image.shape[:2], rng)
        inputs: list[torch.Tensor] = []
        samples: list[SegDataSample] = []
        number = self.patches_per_image // max(min(len(pairs), self.objects_per_image), 1)
        for pair in pairs[: self.objects_per_image]:
            wanted = min(number, self.patches_per_image - len(inputs))
            for patch, coarse, truth in self._patches(image, pair, wanted, rng):
                inputs.append(_channels_first(patch))
                samples.append(_sample(coarse, truth))
        for i in range(self.patches_per_image - len(inputs) if inputs else 0):
            inputs.append(inputs[i])
            samples.append(samples[i])
        return dict(inputs=inputs, data_samples=samples) if inputs else None

    def _pairs_of_maps(
        self, info: dict, size_hw: tuple[int, int], rng: np.random.Generator
    ) -> list[Pair]:
        labels = read_label_map(info['label_path']).labels
        counts = np.bincount(labels.ravel(), minlength=IGNORED_BYTE + 1)[:IGNORED_BYTE]
        large = np.flatnonzero(counts >= self.min_area)
        chosen = rng.permutation(large if self.with_zero else large[large != 0])
        predicted = self._drawn(info['coarse'], rng)
        guess = None if predicted is None else read_label_map(predicted).labels
        return [
            Pair(
                np.where(labels == IGNORED_BYTE, IGNORED_BYTE, labels == label).astype(np.uint8),
                None if guess is None else guess == label,
            )
            for label in chosen[: self.objects_per_image]
        ]

    def _pairs_of_instances(
        self, info: dict, size_hw: tuple[int, int], rng: np.random.Generator
    ) -> list[Pair]:
        objects: list[Instance] = info['objects']
        predicted = self._drawn(info['coarse'], rng) or []
        of_object = dict(
            zip(match_instances(predicted, objects, size_hw, 0.3), predicted, strict=True)
        )
        pairs = []
        for index in rng.permutation(len(objects)).tolist():
            truth = objects[index].mask(size_hw)
            if np.count_nonzero(truth) >= self.min_area:
                guess = of_object.get(index)
                pairs.append(
                    Pair(truth.astype(np.uint8), None if guess is None else guess.mask(size_hw))
                )
            if len(pairs) == self.objects_per_image:
                break
        return pairs

    def _drawn(self, coarse: Sequence, rng: np.random.Generator) -> Any:
        """One of several models' predictions, or None: then a mistake is made up."""
        if not coarse or rng.random() >= self.predicted_share:
            return None
        return coarse[int(rng.integers(len(coarse)))]

    def _patches(
        self, image: np.ndarray, pair: Pair, number: int, rng: np.random.Generator
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Patch (S, S, 4), coarse mask and true one (S, S), of one object."""
        seen = pair.truth == 1
        if pair.predicted is not None:
            seen = seen | pair.predicted
        part = surroundings(seen, AROUND)
        image, truth = image[part], pair.truth[part]
        if pair.predicted is None and rng.random() < self.polygon_share:
            drawn = with_few_corners(truth == 1, rng.uniform(0.7, 3))
            truth = np.where(truth == IGNORED_BYTE, truth, drawn).astype(np.uint8)
        if pair.predicted is not None:
            coarse = pair.predicted[part]
        else:
            coarse = make_mistake(truth == 1, rng)
        centres = np.argwhere(boundary_scores(coarse) > 0)
        if not len(centres):
            return
        evidence = cv2.merge([image, colour_odds(image, coarse)])
        boxes = self._windows(centres[rng.integers(len(centres), size=number)], truth.shape, rng)
        for box in boxes:
            patch, known, true = (
                crop_patches(array, box[None], self.input_size)[0]
                for array in (evidence, coarse, truth)
            )
            if self.looks:
                patch[..., :3] = change_looks(patch[..., :3], rng)
            if rng.random() < self.invert_share:
                known, true = ~known, np.where(true == IGNORED_BYTE, true, 1 - true)
                patch[..., 3] = 255 - patch[..., 3]
            turns, flip = int(rng.integers(4)), rng.random() < 0.5
            yield (
                _turned(patch, turns, flip),
                _turned(known, turns, flip),
                _turned(true, turns, flip),
            )

    def _windows(
        self, centres: np.ndarray, size_hw: tuple[int, ...], rng: np.random.Generator
    ) -> np.ndarray:
        """Boxes (n, 4) xyxy around ``centres`` (n, 2), a bit off, moved inside the image."""
        low, high = np.log(self.window_sizes)
        sides = np.exp(rng.uniform(low, high, len(centres))).round().astype(int)
        sides = np.minimum(sides, min(size_hw))[:, None]
        jitter = rng.uniform(-0.15, 0.15, centres.shape) * sides
        start = np.clip((centres + jitter - sides / 2).astype(int), 0, np.array(size_hw) - sides)
        return np.hstack([start[:, ::-1], start[:, ::-1] + sides])

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


def _read(path: str) -> np.ndarray:
    try:
        return decode_image(Path(path).read_bytes(), path)
    except OSError as error:
        raise ValueError(f'{path} cannot be read: {error.strerror}') from error


def _turned(array: np.ndarray, turns: int, flip: bool) -> np.ndarray:
    turned = np.rot90(array, turns)
    return turned[:, ::-1] if flip else turned


def _channels_first(patch: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(patch.transpose(2, 0, 1)))


def _sample(coarse: np.ndarray, truth: np.ndarray) -> SegDataSample:
    sample = SegDataSample(metainfo=dict(img_shape=truth.shape, ori_shape=truth.shape))
    sample.gt_sem_seg = PixelData(data=torch.from_numpy(np.ascontiguousarray(truth)).long()[None])
    data = torch.from_numpy(np.ascontiguousarray(coarse).view(np.uint8))[None]
    sample.set_data({COARSE_MASK: PixelData(data=data)})
    return sample
