"""SegFix at work: labels of boundary pixels are fetched from the interior.

SegFix, arXiv 2007.04269, Section 3.1: every pixel takes the label found at
``position + scale * offset``, and the offset is zero off the predicted boundary.
The field depends on the image alone, so it serves any number of masks of it.
With ``min_confidence``, all directions are heard instead of the most probable one, and pixels
keep their label unless they are sure.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from mmseg.structures import SegDataSample

from ..methods.segfix import SEGFIX
from ..models.segmentors import SegFix
from ..ops import apply_offset, apply_votes, votes_against
from ..ops.ignored import IgnoreIndex, ignored_label
from ..ops.vanished import keep_vanished
from ..ops.votes import vote_reach
from ..registry import REFINERS
from ..structures.segfix_fields import (
    PART_OF,
    PRED_BOUNDARY,
    PRED_DIRECTION,
    PRED_OFFSET,
    PRED_VOTES,
    VOTES_ALONE,
)
from .base import Image, check_masks, check_stack, load_image, warn_of_binary_mask
from .network import Model, NetworkRefiner, checked_number
from .tiles import MARGIN, STRIDE, Tile, grown, inside, padded, tiles_of

KEPT_TILES = 64  # whose votes are kept: those of 64 megapixels
# Above 0.5 in half precision, too.
EPSILON = 0.001


def shift_masks(
    masks: np.ndarray,
    offset: np.ndarray,
    scale: int = 2,
    steps: int = 1,
    ignore_index: IgnoreIndex = 'auto',
) -> np.ndarray:
    """Refine masks with a known offset field; no network is needed.

    Args:
        masks: Label map (H, W) of any integer dtype, or stack (N, H, W), bool or uint8.
        offset: int (2, H, W), unit offsets (dy, dx), zero off the boundary.
        scale: As for ``SegFixRefiner``.
        steps: As for ``SegFixRefiner``.
        ignore_index: As for ``SegFixRefiner``.

    Returns:
        Refined masks, same shape and dtype.
    """
    check_masks(masks, offset.shape[1:])
    label = ignored_label(ignore_index, masks.dtype)
    warn_of_binary_mask(masks, label)
    refined = apply_offset(masks, offset, scale=scale, steps=steps)
    if masks.ndim == 2 and label is not None:
        ignored = (masks == label) | (refined == label)
        refined[ignored] = masks[ignored]
    return keep_vanished(masks, refined, label)


@REFINERS.register_module()
class SegFixRefiner(NetworkRefiner):
    """Refines label maps and mask stacks of any model with a SegFix network.

    Args:
        model: Path of a config file, a model config, or a ``mmrefine.SegFix``
            model; ``None`` takes the config from a published ``checkpoint``.
        checkpoint: Weights of ``model``. With both ``None``, the weights that
            come with the package.
        device: Where the network runs; a GPU by default if there is one.
        scale: How many offset lengths away a label is fetched. Where
            ``min_confidence`` is not 0, by default that in the model's
            ``test_cfg``, 1 for the weights that come with the package; else 2,
            as published.
        steps: More than 1 follows the field up to so many steps, until a pixel
            off the boundary is reached (the iterative scheme of Section 3.1). Where
            ``min_confidence`` is not 0, pixels vote so many times, again only along
            outlines that are off (see ``mmrefine.ops.apply_votes``). By default that
            in the model's ``test_cfg`` where ``min_confidence`` is not 0, else 1.
        min_confidence: A pixel's label changes only if the directions that lead
            to another one have more than this probability together (see
            ``mmrefine.ops.apply_votes``): higher leaves masks alone where
            the network is unsure. 0 is the published rule: the most probable
            direction decides. By default that in the model's ``test_cfg``, 0.5
            for the weights that come with the package, else 0.
        weights: Which of those that come with the package: ``'research'`` (the default), trained on
            all images at hand, many of which are for research alone, or ``'open'``, trained on
            openly licensed ones: free for any use, and weaker.
        ignore_index: Label that is neither changed nor fetched in label maps,
            ``None`` for maps without one; ``'auto'`` takes 255 in maps of uint8 and
            none in others, whose labels may be instance ids. Stacks have none.

    Raises:
        ValueError: if the checkpoint is missing, broken, of another model or given
            beside a built one, or an option is out of range.
        TypeError: if ``model`` builds something else than a ``SegFix``.
    """

    method = SEGFIX
    network_type = SegFix
    by_windows = True
    shipped = Path(__file__).parents[1] / 'weights' / 'segfix_lite0.pth'
    shipped_weights: ClassVar = dict(research=shipped, open=shipped.with_stem('segfix_lite0-open'))

    def __init__(
        self,
        model: Model | None = None,
        checkpoint: str | os.PathLike | None = None,
        device: str | torch.device | None = None,
        scale: int | None = None,
        steps: int | None = None,
        min_confidence: float | None = None,
        weights: str | None = None,
        ignore_index: IgnoreIndex = 'auto',
    ) -> None:
        super().__init__(model, checkpoint, device, ignore_index, weights)
        if min_confidence is None:
            min_confidence = self.trained.get('min_confidence', 0)
        if not 0 <= min_confidence < 1:
            raise ValueError(f'min_confidence: expected 0 to below 1, got {min_confidence!r}')
        self.min_confidence = min_confidence
        if scale is None:
            scale = self.trained.get('scale', 2) if min_confidence else 2
        self.scale = checked_number('scale', scale)
        if steps is None:
            steps = self.trained.get('steps', 1) if min_confidence else 1
        self.steps = checked_number('steps', steps)

    def predict_fields(self, image: Image) -> dict[str, np.ndarray]:
        """Everything the network says about an image.

        Args:
            image: Path, or BGR uint8 array (H, W, 3).

        Returns:
            ``pred_boundary``, ``pred_direction``, ``pred_offset`` and ``pred_votes``,
            channel first, as in ``mmrefine.structures.segfix_fields``.
        """
        array = load_image(image)
        return self._assemble(array, (PRED_BOUNDARY, PRED_DIRECTION, PRED_OFFSET, PRED_VOTES))

    def _assemble(self, array: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Fields of a whole image, from its tiles."""
        size_hw = (array.shape[0], array.shape[1])
        fields: dict[str, np.ndarray] = {}
        for tile in tiles_of(size_hw):
            for name, part in self._predict(array, tile, names).items():
                whole = fields.setdefault(name, np.empty((len(part), *size_hw), part.dtype))
                whole[(slice(None), *tile.core)] = part
        return fields

    @torch.no_grad()
    def _predict(
        self, array: np.ndarray, tile: Tile, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Fields in the core of a tile of an image."""
        seen, whole = array[tile.seen], array.shape[:2]
        # Networks as released resize corner on corner, and were run on images as they are.
        if not getattr(self.model.backbone, 'align_corners', False):
            seen, whole = padded(seen), tuple(-(-side // STRIDE) * STRIDE for side in whole)
        size_hw = seen.shape[:2]
        meta: dict[str, Any] = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), size_hw)
        meta[VOTES_ALONE] = list(names) == [PRED_VOTES]
        if size_hw != whole:
            meta[PART_OF] = (tile.seen[0].start, tile.seen[1].start, *whole)
        tensor = torch.from_numpy(np.ascontiguousarray(seen.transpose(2, 0, 1)))
        sample = SegDataSample(metainfo=meta)
        with torch.autocast(self.device.type, enabled=False):  # the caller may have it on
            result = self.model.test_step(dict(inputs=[tensor], data_samples=[sample]))[0]
        core = (slice(None), *inside(tile.core, tile.seen))
        return {name: result.get(name).data[core].cpu().numpy() for name in names}

    def predict_offset(self, image: Image) -> np.ndarray:
        """Offset field of an image, reusable for all masks of it.

        Args:
            image: Path, or BGR uint8 array (H, W, 3).

        Returns:
            int8 (2, H, W): unit offsets (dy, dx), zero off the boundary.
        """
        return self._assemble(load_image(image), [PRED_OFFSET])[PRED_OFFSET]

    def shift(self, masks: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Refine masks with a known offset field, by the published rule.

        Args:
            masks: As for ``refine``.
            offset: int (2, H, W) as ``predict_offset`` gives it.
        """
        return shift_masks(masks, offset, self.scale, self.steps, self.ignore_index)

    def open(self, image: Image) -> Callable[[np.ndarray], np.ndarray]:
        """Predict the fields of an image; see ``Refiner.open``.

        Of a large image, votes are predicted tile by tile, where masks have boundaries, and only
        the last ones are kept.
        """
        array = load_image(image)
        if not self.min_confidence:
            offset = self.predict_offset(array)
            return lambda masks: self.shift(masks, offset)
        size_hw = (array.shape[0], array.shape[1])
        reach = vote_reach(self.model.decode_head.num_directions, self.scale, self.steps)
        reach = min(reach, MARGIN)  # nothing else is seen
        tiles = list(tiles_of(size_hw))
        windows = [grown(tile.core, reach, size_hw) for tile in tiles]

        @lru_cache(KEPT_TILES)
        def votes_in(index: int) -> np.ndarray:
            tile = Tile(windows[index], tiles[index].seen)
            return self._predict(array, tile, [PRED_VOTES])[PRED_VOTES]

        if len(tiles) == 1:
            votes_in(0)  # needs no masks, so it is done once, now

        def refine(masks: np.ndarray) -> np.ndarray:
            check_masks(masks, size_hw)
            label = ignored_label(self.ignore_index, masks.dtype)
            warn_of_binary_mask(masks, label)
            refined = np.array(masks, order='C')
            for index, (tile, window) in enumerate(zip(tiles, windows, strict=True)):
                part = masks[(..., *window)]
                if not part.size or (part == part[..., :1, :1]).all():
                    continue  # one label: there is no other to take
                voted = self._voted(part, votes_in(index), label)
                refined[(..., *tile.core)] = voted[(..., *inside(tile.core, window))]
            return keep_vanished(masks, refined, label)

        return refine

    def _voted(self, masks: np.ndarray, votes: np.ndarray, label: int | None) -> np.ndarray:
        return apply_votes(masks, votes, self.scale, self.min_confidence, label, self.steps)

    def soft_masks(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refined masks before the threshold; see ``Refiner.soft_masks``.

        Of the published rule, which has no threshold, 0 and 1.
        """
        check_stack(masks)
        if not self.min_confidence:
            return super().soft_masks(image, masks)
        array = load_image(image)
        check_masks(masks, array.shape[:2])
        votes = self._assemble(array, [PRED_VOTES])[PRED_VOTES]
        refined = self._voted(masks != 0, votes, None)
        soft = np.empty(masks.shape, np.float32)
        for mask, values in zip(refined, soft, strict=True):
            spare = self.min_confidence - votes_against(mask, votes, self.scale)
            # What was decided stays on its side, however little there is to spare.
            spare = spare.clip(EPSILON)
            values[:] = 0.5 + np.where(mask, spare, -spare)
        return soft.clip(0, 1)

    def refine(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refine the masks of one image; see ``Refiner.refine``."""
        array = load_image(image)
        check_masks(masks, array.shape[:2])
        return self.open(array)(masks)
