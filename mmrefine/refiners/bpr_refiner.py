"""BPR at work: patches along the boundary are segmented again and put back.

BPR, arXiv 2104.05239, Section 3. No ground truth, no files in between; patches of all masks and
images go through the network in batches of one size. Kept are the probabilities of one object's
patches, besides two batches of input.
"""

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple, overload

import cv2
import numpy as np
import torch
from torch import Tensor

from ..methods.bpr import BPR
from ..models.segmentors import PatchRefiner
from ..ops import average_patches, crop_patches, propose_boxes
from ..ops.colour_odds import SURROUNDINGS, colour_odds, surroundings
from ..ops.ignored import IgnoreIndex, ignored_label
from ..ops.vanished import keep_vanished
from ..registry import REFINERS
from .base import Image, check_masks, check_stack, load_image, warn_of_binary_mask
from .bpr_blocks import Block, Part, is_large, refine_by_blocks
from .bpr_masks import ALL, LabelMapEdit, MaskEdit, StackEdit
from .confidence import ObjectConfidence, Refined, changes
from .leave_alone import believe, off_along_outline, weights_of, without_specks
from .network import Model, NetworkRefiner, checked_number, checked_share
from .patch_rows import PatchRows

# Above 0.5 in half precision, too.
EPSILON = 0.001


class _Pass(NamedTuple):
    """An image and its masks before and between passes; ``off`` as in ``ObjectConfidence``.

    Of a large image, a part of it with a ``block``, in which alone masks are refined.
    """

    image: np.ndarray
    masks: np.ndarray
    confidence: np.ndarray | None
    off: dict[Any, float | None]
    block: Block | None = None


class _Object(NamedTuple):
    """Something with a boundary; with ``key`` None, the end of an image's objects."""

    before: _Pass
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
            model's ``test_cfg``, else 0, as published; the weights that come
            with the package leave good masks alone by themselves.
        patch_size, padding, input_size: Side of a patch, pixels around it that
            the network sees as well, and side of the network's input; by default
            those in the model's ``test_cfg``, else 64, 0 and 128. With several
            patch sizes, masks are refined once with each, one after the other.
        leave_alone: Whether a change is believed the less, the less the whole mask
            seems to be off (``mmrefine.refiners.leave_alone``), with weights in
            the model's ``test_cfg``; ``False`` believes every change.
        batch_size: Patches that go through the network at a time.
        half: Half precision; by default on a GPU only. On a CPU, bfloat16: faster where the
            processor computes with it (AVX512-BF16, AMX), slower elsewhere.
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
    shipped = Path(__file__).parents[1] / 'weights' / 'bpr_lite0.pth'

    def __init__(
        self,
        model: Model | None = None,
        checkpoint: str | os.PathLike | None = None,
        device: str | torch.device | None = None,
        iou_threshold: float | None = None,
        min_score_gain: float | None = None,
        patch_size: int | Sequence[int] | None = None,
        padding: int | None = None,
        input_size: int | None = None,
        leave_alone: bool = True,
        batch_size: int = 32,
        half: bool | None = None,
        ignore_index: IgnoreIndex = 'auto',
    ) -> None:
        super().__init__(model, checkpoint, device, ignore_index)

        def trained(name: str, given: Any, default: Any) -> Any:
            return self.trained.get(name, default) if given is None else given

        sizes = trained('patch_size', patch_size, 64)
        sizes = sizes if isinstance(sizes, list | tuple) and sizes else (sizes,)
        self.patch_sizes = tuple(checked_number('patch_size', size) for size in sizes)
        self.padding = checked_number('padding', trained('padding', padding, 0), least=0)
        self.input_size = checked_number('input_size', trained('input_size', input_size, 128))
        self.batch_size = checked_number('batch_size', batch_size)
        self.iou_threshold = checked_share(
            'iou_threshold', trained('iou_threshold', iou_threshold, 0.25)
        )
        self.min_score_gain = checked_share(
            'min_score_gain', trained('min_score_gain', min_score_gain, 0.0)
        )
        weights = weights_of(self.trained.get('leave_alone'))
        self.leave_alone = weights if leave_alone else None
        # Masks may grow by a patch in each pass; colours are looked at around the last patches.
        self.reach = sum(self.patch_sizes) + max(self.patch_sizes) + self.padding + SURROUNDINGS
        self.half = self.device.type == 'cuda' if half is None else half

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels, in the last pass."""
        return self.patch_sizes[-1]

    @overload
    def refine(self, image: Image, masks: np.ndarray) -> np.ndarray: ...

    @overload
    def refine(
        self, image: Image, masks: np.ndarray, *, return_confidence: Literal[True]
    ) -> Refined: ...

    def refine(
        self, image: Image, masks: np.ndarray, *, return_confidence: bool = False
    ) -> np.ndarray | Refined:
        """Refine the masks of one image; see ``Refiner.refine``.

        A mask of a stack, or a label of a map, that would vanish stays as it is. A
        label map of dtype bool is one mask.

        Args:
            image: As for ``Refiner.refine``.
            masks: As for ``Refiner.refine``.
            return_confidence: Give a ``Refined`` in place of the masks: with how
                sure they are, by pixel and by object.
        """
        done = next(self._passes([(image, masks)], return_confidence))
        if not return_confidence or done.confidence is None:
            return done.masks
        objects = {
            key: ObjectConfidence(off, changes(masks, done.masks, key))
            for key, off in done.off.items()
        }
        return Refined(done.masks, done.confidence, objects)

    def refine_each(self, pairs: Iterable[tuple[Image, np.ndarray]]) -> Iterator[np.ndarray]:
        """Refine the masks of many images; patches of several share a batch.

        Args:
            pairs: Image and masks, as for ``refine``. Read a few ahead of
                what is given out.

        Yields:
            Refined masks, in the order of ``pairs``.

        Raises:
            TypeError, ValueError: as ``refine``, for the first pair that is
                not as it should be.
        """
        return (done.masks for done in self._passes(pairs))

    def soft_masks(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refined masks before the threshold; see ``Refiner.soft_masks``."""
        check_stack(masks)
        found = self.refine(image, masks, return_confidence=True)
        # What was decided stays on its side, whatever the probability had to exceed.
        inside = found.confidence.clip(0.5 + EPSILON, 1)
        outside = (1 - found.confidence).clip(0, 0.5)
        return np.where(found.masks != 0, inside, outside).astype(np.float32)

    def _passes(
        self, pairs: Iterable[tuple[Image, np.ndarray]], with_confidence: bool = False
    ) -> Iterator[_Pass]:
        def large(before: _Pass) -> bool:
            return not with_confidence and is_large(before.image)

        for by_blocks, passed in groupby(self._loaded(pairs), large):
            if by_blocks:
                yield from map(self._by_blocks, passed)
                continue
            for patch_size in self.patch_sizes:
                passed = self._one_pass(passed, patch_size, with_confidence)
            yield from passed

    def _by_blocks(self, before: _Pass) -> _Pass:
        """A large image, refined block by block."""
        masks = before.masks
        for patch_size in self.patch_sizes:

            def refine(parts: Iterator[Part], size: int = patch_size) -> Iterator[np.ndarray]:
                crops = (
                    _Pass(before.image[part.tile.seen], part.masks, None, {}, part.block)
                    for part in parts
                )
                return (done.masks for done in self._one_pass(crops, size, False))

            masks = refine_by_blocks(masks, refine)
        label = ignored_label(self.ignore_index, masks.dtype)
        return before._replace(masks=keep_vanished(before.masks, masks, label))

    def _loaded(self, pairs: Iterable[tuple[Image, np.ndarray]]) -> Iterator[_Pass]:
        for image, masks in pairs:
            array = load_image(image)
            check_masks(masks, array.shape[:2])
            warn_of_binary_mask(masks, ignored_label(self.ignore_index, masks.dtype))
            yield _Pass(array, masks, None, {})

    def _one_pass(
        self, passed: Iterable[_Pass], patch_size: int, with_confidence: bool
    ) -> Iterator[_Pass]:
        """Images with masks that are refined once more, in patches of one size."""
        off: dict[Any, float | None] = {}
        for item, answers in self._predict(self._objects(passed, patch_size, with_confidence)):
            if item.key is not None:
                off[item.key] = self._apply(item, answers)
                continue
            item.edit.finish()
            # what the first pass says is about the coarse mask
            known = item.before.off or off
            yield _Pass(item.before.image, item.edit.result, item.edit.confidence, known)
            off = {}

    def _edit(self, masks: np.ndarray, with_confidence: bool) -> MaskEdit:
        label = ignored_label(self.ignore_index, masks.dtype)
        if masks.ndim == 2 and masks.dtype != np.bool_:
            return LabelMapEdit(masks, self.min_score_gain, label)
        return StackEdit(masks, self.min_score_gain, with_confidence)

    def _objects(
        self, passed: Iterable[_Pass], patch_size: int, with_confidence: bool
    ) -> Iterator[tuple[_Object, Iterator[Tensor]]]:
        """Objects, each with the parts of the network's input that its patches are."""
        for before in passed:
            array = np.ascontiguousarray(before.image)
            edit = self._edit(before.masks, with_confidence)
            pixels = self._to_device(array)
            block = before.block
            near = block.near(patch_size, (array.shape[0], array.shape[1])) if block else ALL
            for key, mask in edit.objects(near):
                boxes = propose_boxes(mask, patch_size, self.iou_threshold)
                boxes = block.boxes(mask, boxes) if block else boxes
                cut = self._crop(pixels, mask, boxes)
                if self.model.data_preprocessor.with_odds and len(boxes):
                    cut = self._crop_with_odds(array, mask, boxes)
                yield _Object(before, edit, key, boxes), cut
            yield _Object(before, edit, None, np.zeros((0, 4), np.int64)), iter(())

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

    def _crop_with_odds(
        self, image: np.ndarray, mask: np.ndarray, boxes: np.ndarray
    ) -> Iterator[Tensor]:
        """The same with colour evidence as a fourth channel, in the part of the image around it."""
        reach = max(SURROUNDINGS, int(np.ptp(boxes[:, ::2], axis=1).max()) + self.padding)
        rows, columns = part = surroundings(mask, reach)
        near = np.ascontiguousarray(mask[part])
        evidence = cv2.merge([image[part], colour_odds(image[part], near)])
        yield from self._crop(
            self._to_device(evidence), near, boxes - [columns.start, rows.start] * 2
        )

    def _predict(
        self, items: Iterable[tuple[_Object, Iterator[Tensor]]]
    ) -> Iterator[tuple[_Object, Tensor]]:
        """Objects with the probabilities of their patches (n, S, S), in the order they came.

        Never more than two batches of input wait.
        """
        waiting: deque[_Object] = deque()
        inputs, outputs = PatchRows(), PatchRows()

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
        kind = torch.bfloat16 if self.device.type == 'cpu' else torch.float16
        with torch.autocast(self.device.type, kind, enabled=self.half):
            return self.model.predict_probabilities(inputs).float()

    def _apply(self, item: _Object, answers: Tensor) -> float | None:
        """Put an object's patches back: (n, S, S), or (n, 2, S, S) with where the mask is off.

        Returns:
            The probability that the mask is off, if the network says so.
        """
        values = answers.numpy() if self.device.type == 'cpu' else answers
        kinds = [values] if values.ndim == 3 else [values[:, 0], values[:, 1]]
        size_hw = item.edit.result.shape[-2:]
        found = [average_patches(item.boxes, kind, size_hw, self.padding) for kind in kinds]
        averages = [average for average in found if average is not None]
        if not averages:
            return None
        whole = None
        window = averages[0].window
        mean, covered = (_to_numpy(part) for part in averages[0][1:])
        if self.leave_alone is not None and len(averages) > 1:
            off = _to_numpy(averages[1].probabilities)
            coarse = item.edit.mask(item.key, window)
            whole = off_along_outline(coarse, off, covered)
            mean = without_specks(coarse, believe(coarse, mean, off, whole, self.leave_alone))
        item.edit.apply(item.key, window, mean, covered)
        return None if whole is None else 1 / (1 + math.exp(-whole))


def _to_numpy(array: np.ndarray | Tensor) -> np.ndarray:
    return array.cpu().numpy() if isinstance(array, Tensor) else array
