"""One pass of BPR: masks refined once, in patches of one size.

Shapes: H, W = rows and columns of the image; h, w = of a part of it; N = boxes; S = side of the
network's input.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ..ops import average_patches, propose_boxes
from ..ops.ignored import IgnoreIndex, ignored_label
from ..ops.vanished import keep_vanished
from .bpr_blocks import (
    Averages,
    Block,
    Part,
    large_objects,
    parts_of,
    planes,
    seen_around,
    window_of,
)
from .bpr_masks import ALL, LabelMapEdit, MaskEdit, StackEdit
from .bpr_patches import PatchPredictor
from .large_object import LargeObject, large_object
from .leave_alone import (
    LEAST_PIECE,
    Weights,
    believe,
    odds_along_outline,
    off_along_outline,
    without_specks,
)
from .second_look import moved_mask, with_move
from .tiles import Tile, inside


class View(NamedTuple):
    """An image and its masks before and between passes; ``off`` as in ``ObjectConfidence``.

    Of a large image, a part of it with a ``block``, in which alone masks are refined.
    """

    image: np.ndarray
    masks: np.ndarray
    confidence: np.ndarray | None
    off: dict[Any, float | None]
    block: Block | None = None


class _Seen(NamedTuple):
    """What is believed of an object after all evidence.

    Attributes:
        averages: Probabilities of the object.
        whole: Mean log-odds that the mask is off, along its outline; None if nothing says so.
    """

    averages: Averages
    whole: float | None


class _Object(NamedTuple):
    """Something with a boundary; with ``key`` None, the end of an image's objects.

    After the first look at it, ``seen``; and ``mask``, bool (H, W), if it was moved since.
    """

    view: View
    edit: MaskEdit
    key: Any
    boxes: np.ndarray
    large: LargeObject | None = None
    seen: _Seen | None = None
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class OnePass:
    """Refines masks once.

    Attributes:
        patches: What cuts patches and asks the network.
        patch_size: Side of a patch, pixels.
        iou_threshold: NMS threshold of the boxes.
        min_score_gain: See ``BPRRefiner``.
        ignore_index: See ``BPRRefiner``.
        leave_alone: Weights of the evidence; None believes every change.
        second_look: Whether masks that are off all around are moved and looked at again.
        with_confidence: Whether views get one.
    """

    patches: PatchPredictor
    patch_size: int
    iou_threshold: float
    min_score_gain: float
    ignore_index: IgnoreIndex
    leave_alone: Weights | None
    second_look: bool = True
    with_confidence: bool = False

    def refine(self, views: Iterable[View]) -> Iterator[View]:
        """Views with masks that are refined once more; patches of several share a batch."""
        off: dict[Any, float | None] = {}
        for item, answers in self._both_looks(views):
            if item.key is not None:
                off[item.key] = self._apply(item, answers)
                continue
            item.edit.finish()
            # what the first pass says is about the coarse mask
            known = item.view.off or off
            yield View(item.view.image, item.edit.result, item.edit.confidence, known)
            off = {}

    def refine_by_blocks(self, view: View) -> View:
        """The view of a large image, without confidence, refined once more, block by block.

        Masks of a stack are refined one by one.
        """
        refined = view.masks.copy()
        for before, after in zip(planes(view.masks), planes(refined), strict=True):
            self._refine_plane(view.image, before, after)
        keep_vanished(view.masks, refined, self._ignored(view.masks))
        return view._replace(masks=refined)

    def _refine_plane(self, image: np.ndarray, plane: np.ndarray, refined: np.ndarray) -> None:
        """A label map (H, W), or a stack of one mask (1, H, W); ``refined`` is a copy of it."""
        window = window_of(plane)
        if window is not None:
            whole = View(image[window], plane[(..., *window)], None, {})
            refined[(..., *window)] = next(self.refine([whole])).masks
            return
        context, least = seen_around(self.patch_size, self.patches.padding)
        with_odds = self.patches.model.data_preprocessor.with_odds
        settings = self.patch_size, self.iou_threshold, with_odds
        large = {
            key: large_object(image, plane, key, box, *settings)
            for key, box in large_objects(plane, least, self._ignored(plane))
        }
        if self.leave_alone is not None:
            seen = _views(image, parts_of(plane, large, context), deque())
            large = {key: large[key]._replace(off=off) for key, off in self._off(seen, large)}

        tiles: deque[Tile] = deque()
        views = _views(image, parts_of(plane, large, context), tiles)
        for done in self.refine(views):
            tile = tiles.popleft()
            refined[(..., *tile.core)] = done.masks[(..., *inside(tile.core, tile.seen))]

    def _off(
        self, views: Iterable[View], large: dict[Any, LargeObject]
    ) -> Iterator[tuple[Any, float]]:
        """Mean log-odds that their masks are off, along the outlines of large objects."""
        sums: dict[Any, float] = dict.fromkeys(large, 0.0)
        numbers = dict.fromkeys(large, 0)
        for item, answers in self.patches.predict(self._objects(views, only_large=True)):
            averages = self._averages(item, answers)
            if len(averages) < 2 or item.view.block is None:
                continue
            window, off, covered = averages[1]
            core = inside(item.view.block.core, window)
            in_core = np.zeros_like(covered)
            in_core[core] = covered[core]
            odds = odds_along_outline(item.edit.mask(item.key, window), off, in_core)
            sums[item.key] += float(odds.sum(dtype=np.float64))
            numbers[item.key] += len(odds)
        return ((key, sums[key] / max(numbers[key], 1)) for key in large)

    def _ignored(self, masks: np.ndarray) -> int | None:
        return ignored_label(self.ignore_index, masks.dtype)

    def _edit(self, view: View) -> MaskEdit:
        masks, a_part = view.masks, view.block is not None
        if masks.ndim == 2 and masks.dtype != np.bool_:
            return LabelMapEdit(masks, self.min_score_gain, self._ignored(masks), a_part)
        return StackEdit(masks, self.min_score_gain, self.with_confidence, a_part)

    def _objects(
        self, views: Iterable[View], only_large: bool = False
    ) -> Iterator[tuple[_Object, Iterator[Tensor]]]:
        """Objects, each with the parts of the network's input that its patches are."""
        for view in views:
            edit, block = self._edit(view), view.block
            cut = self.patches.cutter(view.image)
            for key in edit.keys(block.near(self.patch_size) if block else ALL):
                large = block.large.get(key) if block else None
                if only_large and large is None:
                    continue
                mask, colours = edit.mask(key), None
                if block and large:
                    boxes = block.boxes_of(large)
                    colours = partial(block.colours_of, large, view.image)
                else:
                    boxes = propose_boxes(mask, self.patch_size, self.iou_threshold)
                    if block and not block.needs(boxes):
                        boxes = boxes[:0]
                yield _Object(view, edit, key, boxes, large), cut(mask, boxes, colours)
            yield _Object(view, edit, None, np.zeros((0, 4), np.int64)), iter(())

    def _averages(self, item: _Object, answers: Tensor) -> list[Averages]:
        """Probabilities of the object, and that its mask is off, if the network says so.

        Args:
            item: The object.
            answers: (N, S, S), or (N, 2, S, S) with where the mask is off.
        """
        values = answers.numpy() if self.patches.device.type == 'cpu' else answers
        kinds = [values] if values.ndim == 3 else [values[:, 0], values[:, 1]]
        size_hw = item.edit.result.shape[-2:]
        found = [average_patches(item.boxes, kind, size_hw, self.patches.padding) for kind in kinds]
        averages = [
            Averages(average.window, _to_numpy(average[1]), _to_numpy(average[2]))
            for average in found
            if average is not None
        ]
        if item.large is None or item.view.block is None:
            return averages
        return [average.within(item.view.block.near(LEAST_PIECE)) for average in averages]

    def _both_looks(self, views: Iterable[View]) -> Iterator[tuple[_Object, Tensor]]:
        """Objects with their last answers. Second looks are few: they wait for no other image."""
        first = self.patches.predict(self._objects(views))
        for _, items in groupby(first, lambda pair: id(pair[0].view)):
            yield from self.patches.predict(self._looked_at(items))

    def _looked_at(
        self, items: Iterable[tuple[_Object, Tensor]]
    ) -> Iterator[tuple[_Object, Iterator[Tensor]]]:
        """Objects after a first look; those that are off as a whole are moved and looked at again.

        Not those that are too large to be seen whole from a block.
        """
        for item, answers in items:
            seen = self._seen(item, answers) if item.key is not None else None
            looked_at = item._replace(seen=seen, boxes=item.boxes[:0])
            mask = None
            if self.second_look and seen and (seen.whole or 0) > 0 and item.large is None:
                mask = moved_mask(item.edit.mask(item.key), seen.averages)
            if mask is None:
                yield looked_at, iter(())
                continue
            boxes = propose_boxes(mask, self.patch_size, self.iou_threshold)
            cut = self.patches.cutter(item.view.image)
            yield looked_at._replace(boxes=boxes, mask=mask), cut(mask, boxes, None)

    def _seen(self, item: _Object, answers: Tensor) -> _Seen | None:
        averages = self._averages(item, answers)
        if not averages:
            return None
        if self.leave_alone is None or len(averages) < 2:
            return _Seen(averages[0], None)
        window, mean, covered = averages[0]
        off = averages[1].probabilities
        coarse = item.edit.mask(item.key, window) if item.mask is None else item.mask[window]
        whole = item.large.off if item.large else off_along_outline(coarse, off, covered)
        mean = without_specks(coarse, believe(coarse, mean, off, whole, self.leave_alone))
        return _Seen(Averages(window, mean, covered), whole)

    def _apply(self, item: _Object, answers: Tensor) -> float | None:
        """Put an object's patches back: of a moved mask, if it is less off than it was.

        Returns:
            The probability that the mask was off, if the network says so.
        """
        if item.seen is None:
            return None
        averages, whole = item.seen
        if item.mask is not None and whole is not None:
            again = self._seen(item, answers)
            if again and again.whole is not None and again.whole < whole:
                averages = with_move(again.averages, item.edit.mask(item.key), item.mask)
        item.edit.apply(item.key, *averages)
        return None if whole is None else 1 / (1 + math.exp(-whole))


def _views(image: np.ndarray, parts: Iterable[Part], tiles: deque[Tile]) -> Iterator[View]:
    """Parts with their images; where they are is noted in ``tiles``, some ahead of their use."""
    for part in parts:
        tiles.append(part.tile)
        yield View(image[part.tile.seen], part.masks, None, {}, part.block)


def _to_numpy(array: np.ndarray | Tensor) -> np.ndarray:
    return array.cpu().numpy() if isinstance(array, Tensor) else array
