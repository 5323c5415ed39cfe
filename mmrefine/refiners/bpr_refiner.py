"""BPR at work: patches along the boundary are segmented again and put back.

BPR, arXiv 2104.05239, Section 3. No ground truth, no files in between; patches of all masks and
images go through the network in batches of one size. Kept are the probabilities of one object's
patches, besides two batches of input.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..methods.bpr import BPR
from ..models.segmentors import PatchRefiner
from ..ops import average_patches, crop_patches, propose_boxes
from ..ops.ignored import IgnoreIndex, ignored_label
from ..registry import REFINERS
from .base import Image, check_masks, load_image, warn_of_binary_mask
from .bpr_masks import LabelMapEdit, MaskEdit, StackEdit
from .network import Model, NetworkRefiner, checked_number, checked_share

SHIPPED_CHECKPOINT = Path(__file__).parents[1] / 'weights' / 'bpr_unet-small.pth'


class _Object(NamedTuple):
    """Something with a boundary; with ``key`` None, the end of an image's objects."""

    edit: MaskEdit
    key: Any
    boxes: np.ndarray


@REFINERS.register_module()
class BPRRefiner(NetworkRefiner):
    """Refines instance masks and label maps of any model with a BPR network.

    Args:
        model: Path of a config file, a model config, or a
            ``mmrefine.PatchRefiner``; ``None`` takes the config from a published
            ``checkpoint``.
        checkpoint: Weights of ``model``. With both ``None``, the weights that
            come with the package.
        device: Where the network runs; a GPU by default if there is one.
        iou_threshold: NMS threshold of the boxes: more boxes, better masks and
            more time when higher. By default that in the model's ``test_cfg``,
            else 0.25. Published: 0.25, at its best 0.55; COCO 0.25.
        min_score_gain: A pixel changes only if the network gives its new label
            this much more probability than its old one, 0 to 1: higher leaves
            masks alone where the network is unsure. By default that in the
            model's ``test_cfg``, 0.4 for the weights that come with the package,
            which is careful; else 0, as published, and best for rough masks.
        patch_size, padding, input_size: Side of a patch, pixels around it that
            the network sees as well, and side of the network's input; by default
            those in the model's ``test_cfg``, else 64, 0 and 128.
        batch_size: Patches that go through the network at a time.
        half: Half precision; by default on a GPU only.
        ignore_index: Label that is neither changed nor given to others in label maps,
            ``None`` for maps without one; ``'auto'`` takes 255 in maps of uint8 and
            none in others, whose labels may be instance ids. Stacks have none.

    Raises:
        ValueError: if the checkpoint is missing, broken, of another model or given
            beside a built one, or an option is out of range.
        TypeError: if ``model`` builds something else than a ``PatchRefiner``.
    """

    method = BPR
    network_type = PatchRefiner

    def __init__(
        self,
        model: Model | None = None,
        checkpoint: str | os.PathLike | None = None,
        device: str | torch.device | None = None,
        iou_threshold: float | None = None,
        min_score_gain: float | None = None,
        patch_size: int | None = None,
        padding: int | None = None,
        input_size: int | None = None,
        batch_size: int = 32,
        half: bool | None = None,
        ignore_index: IgnoreIndex = 'auto',
    ) -> None:
        super().__init__(model, checkpoint, SHIPPED_CHECKPOINT, device, ignore_index)
        self.model.to(memory_format=torch.channels_last)

        def trained(name: str, given: Any, default: Any) -> Any:
            return self.trained.get(name, default) if given is None else given

        self.patch_size = checked_number('patch_size', trained('patch_size', patch_size, 64))
        self.padding = checked_number('padding', trained('padding', padding, 0), least=0)
        self.input_size = checked_number('input_size', trained('input_size', input_size, 128))
        self.batch_size = checked_number('batch_size', batch_size)
        self.iou_threshold = checked_share(
            'iou_threshold', trained('iou_threshold', iou_threshold, 0.25)
        )
        self.min_score_gain = checked_share(
            'min_score_gain', trained('min_score_gain', min_score_gain, 0.0)
        )
        self.half = self.device.type == 'cuda' if half is None else half

    def refine(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refine the masks of one image; see :meth:`Refiner.refine`.

        A mask of a stack, or a label of a map, that would vanish stays as it is. A
        label map of dtype bool is one mask.
        """
        return next(self.refine_each([(image, masks)]))

    def refine_each(self, pairs: Iterable[tuple[Image, np.ndarray]]) -> Iterator[np.ndarray]:
        """Refine the masks of many images; patches of several share a batch.

        Args:
            pairs: Image and masks, as for :meth:`refine`. Read a few ahead of
                what is given out.

        Yields:
            Refined masks, in the order of ``pairs``.

        Raises:
            TypeError, ValueError: as :meth:`refine`, for the first pair that is
                not as it should be.
        """
        for item, probabilities in self._predict(self._objects(pairs)):
            if item.key is None:
                item.edit.finish()
                yield item.edit.result
            else:
                self._apply(item, probabilities)

    def _edit(self, masks: np.ndarray) -> MaskEdit:
        label = ignored_label(self.ignore_index, masks.dtype)
        warn_of_binary_mask(masks, label)
        if masks.ndim == 2 and masks.dtype != np.bool_:
            return LabelMapEdit(masks, self.min_score_gain, label)
        return StackEdit(masks, self.min_score_gain)

    def _objects(
        self, pairs: Iterable[tuple[Image, np.ndarray]]
    ) -> Iterator[tuple[_Object, Iterator[Tensor]]]:
        """Objects, each with the parts of the network's input that its patches are."""
        for image, masks in pairs:
            array = load_image(image)
            check_masks(masks, array.shape[:2])
            edit = self._edit(masks)
            pixels = self._to_device(array)
            for key, mask in edit.objects():
                boxes = propose_boxes(mask, self.patch_size, self.iou_threshold)
                yield _Object(edit, key, boxes), self._crop(pixels, mask, boxes)
            yield _Object(edit, None, np.zeros((0, 4), np.int64)), iter(())

    def _to_device(self, array: np.ndarray) -> Any:
        """On a GPU, patches are cut there: the image travels once, as bytes."""
        return array if self.device.type == 'cpu' else torch.from_numpy(array).to(self.device)

    def _crop(self, image: Any, mask: np.ndarray, boxes: np.ndarray) -> Iterator[Tensor]:
        for start in range(0, len(boxes), self.batch_size):
            part = boxes[start : start + self.batch_size]
            images, masks = (
                torch.as_tensor(crop_patches(array, part, self.input_size, self.padding))
                for array in (image, self._to_device(mask))
            )
            yield self.model.data_preprocessor.assemble(images.permute(0, 3, 1, 2), masks)

    def _predict(
        self, items: Iterable[tuple[_Object, Iterator[Tensor]]]
    ) -> Iterator[tuple[_Object, Tensor]]:
        """Objects with the probabilities of their patches (n, S, S), in the order they came.

        Never more than two batches of input wait.
        """
        waiting: deque[_Object] = deque()
        inputs, outputs = _Rows(), _Rows()

        def ready() -> Iterator[tuple[_Object, Tensor]]:
            while waiting and len(waiting[0].boxes) <= len(outputs):
                item = waiting.popleft()
                yield item, outputs.take(len(item.boxes))

        for item, parts in items:
            waiting.append(item)
            for part in parts:
                inputs.add(part)
                while len(inputs) >= self.batch_size:
                    outputs.add(self._forward(inputs.take(self.batch_size)))
            yield from ready()
        while len(inputs):
            outputs.add(self._forward(inputs.take(self.batch_size)))
        yield from ready()

    @torch.inference_mode()
    def _forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.float16, enabled=self.half):
            return self.model.predict_probabilities(inputs).float()

    def _apply(self, item: _Object, probabilities: Tensor) -> None:
        values = probabilities.numpy() if self.device.type == 'cpu' else probabilities
        average = average_patches(item.boxes, values, item.edit.result.shape[-2:], self.padding)
        if average is not None:
            mean, covered = (_to_numpy(part) for part in average[1:])
            item.edit.apply(item.key, average.window, mean, covered)


class _Rows:
    """Rows of tensors: added at one end, taken from the other."""

    def __init__(self) -> None:
        self._parts: deque[Tensor] = deque()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, rows: Tensor) -> None:
        self._parts.append(rows)
        self._length += len(rows)

    def take(self, number: int) -> Tensor:
        """The first ``number`` rows, or all if there are fewer."""
        taken, left = [], min(number, self._length)
        self._length -= left
        while left:
            part = self._parts.popleft()
            taken.append(part[:left])
            if len(part) > left:
                self._parts.appendleft(part[left:])
            left -= len(taken[-1])
        return torch.cat(taken) if taken else torch.empty(0, 1, 1)


def _to_numpy(array: np.ndarray | Tensor) -> np.ndarray:
    return array.cpu().numpy() if isinstance(array, Tensor) else array
