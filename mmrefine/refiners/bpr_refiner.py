"""BPR at work: patches along the boundary are segmented again and put back.

BPR, arXiv 2104.05239, Section 3. No ground truth, no files in between; patches of all masks and
images go through the network in batches of one size. Kept are the probabilities of one object's
patches, besides two batches of input.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar, Literal, overload

import numpy as np
import torch

from ..methods.bpr import BPR
from ..models.segmentors import PatchRefiner
from ..ops.colour_odds import SURROUNDINGS
from ..ops.ignored import IgnoreIndex, ignored_label
from ..registry import REFINERS
from .base import Image, check_masks, check_stack, load_image, warn_of_binary_mask
from .bpr_blocks import is_large
from .bpr_pass import OnePass, View
from .bpr_patches import PatchPredictor
from .confidence import ObjectConfidence, Refined, changes
from .leave_alone import weights_of
from .network import Model, NetworkRefiner, checked_number, checked_share

# Above 0.5 in half precision, too.
EPSILON = 0.001


@REFINERS.register_module()
class BPRRefiner(NetworkRefiner):
    """Refines instance masks and label maps of any model with a BPR network.

    Args:
        model: Path of a config file, a model config, or a
            ``mmrefine.PatchRefiner``; ``None`` takes the config from a published
            ``checkpoint``.
        checkpoint: Weights of ``model``. With both ``None``, ``weights``.
        device: Where the network runs; a GPU by default if there is one.
        iou_threshold: NMS threshold of the boxes: more boxes, better masks and
            more time when higher. By default that in the model's ``test_cfg``,
            else 0.25. Published: 0.25, at its best 0.55; COCO 0.25.
        min_score_gain: A pixel changes only if the network gives its new label
            this much more probability than its old one, 0 to 1: higher leaves
            masks alone where the network is unsure. By default that in the
            model's ``test_cfg``, else 0, as published; the weights that come
            with the package leave good masks alone by themselves.
        patch_size: Side of a patch; by default that in the model's ``test_cfg``, else 64. With
            several sizes, masks are refined once with each, one after the other.
        padding: Pixels around a patch that the network sees as well; by default as in
            ``test_cfg``, else 0.
        input_size: Side of the network's input; by default as in ``test_cfg``, else 128.
        leave_alone: Whether a change is believed the less, the less the whole mask
            seems to be off (``mmrefine.refiners.leave_alone``), with weights in
            the model's ``test_cfg``; ``False`` believes every change.
        second_look: Whether a mask that is off all around is moved as a whole, as its edges tell,
            and looked at once more (``mmrefine.refiners.second_look``). Needs ``leave_alone``.
        weights: Which of those that come with the package: ``'research'`` (the default), trained on
            all images at hand, many of which are for research alone, or ``'open'``, trained on
            openly licensed ones: free for any use, and weaker.
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
    by_windows = True
    shipped = Path(__file__).parents[1] / 'weights' / 'bpr_lite0.pth'
    shipped_weights: ClassVar = dict(research=shipped, open=shipped.with_stem('bpr_lite0-open'))

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
        second_look: bool = True,
        weights: str | None = None,
        batch_size: int = 32,
        half: bool | None = None,
        ignore_index: IgnoreIndex = 'auto',
    ) -> None:
        super().__init__(model, checkpoint, device, ignore_index, weights)

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
        evidence = weights_of(self.trained.get('leave_alone'))
        self.leave_alone = evidence if leave_alone else None
        self.second_look = second_look
        # Masks may grow by a patch in each pass; colours are looked at around the last patches.
        self.reach = sum(self.patch_sizes) + max(self.patch_sizes) + self.padding + SURROUNDINGS
        self.patches = PatchPredictor(
            self.model,
            self.device,
            self.input_size,
            self.padding,
            self.batch_size,
            self.device.type == 'cuda' if half is None else half,
        )

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
    ) -> Iterator[View]:
        def large(view: View) -> bool:
            return not with_confidence and is_large(view.image)

        for by_blocks, passed in groupby(self._loaded(pairs), large):
            for patch_size in self.patch_sizes:
                one = self._one_pass(patch_size, with_confidence)
                passed = map(one.refine_by_blocks, passed) if by_blocks else one.refine(passed)
            yield from passed

    def _one_pass(self, patch_size: int, with_confidence: bool) -> OnePass:
        return OnePass(
            self.patches,
            patch_size,
            self.iou_threshold,
            self.min_score_gain,
            self.ignore_index,
            self.leave_alone,
            self.second_look,
            with_confidence,
        )

    def _loaded(self, pairs: Iterable[tuple[Image, np.ndarray]]) -> Iterator[View]:
        for image, masks in pairs:
            array = load_image(image)
            check_masks(masks, array.shape[:2])
            warn_of_binary_mask(masks, ignored_label(self.ignore_index, masks.dtype))
            yield View(array, masks, None, {})
