"""Patches of objects on their way through a BPR network, in batches of one size.

Shapes: H, W = rows and columns of the image; N = boxes; S = side of the network's input.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from ..models.segmentors import PatchRefiner
from ..ops import crop_patches
from ..ops.colour_odds import SURROUNDINGS, colour_odds, surroundings
from .patch_rows import PatchRows
from .tiles import Window

# Colour evidence, uint8 (h, w), in a part of the image.
Evidence = Callable[[Window], np.ndarray]
Cut = Callable[[np.ndarray, np.ndarray, Evidence | None], Iterator[Tensor]]


class HasBoxes(Protocol):
    """What patches are cut of: boxes, int (N, 4) xyxy."""

    @property
    def boxes(self) -> np.ndarray:
        """They."""


Item = TypeVar('Item', bound=HasBoxes)


class PatchPredictor:
    """Cuts patches, and asks the network about them.

    Args:
        model: The network.
        device: Where it is.
        input_size: S.
        padding: Pixels around a box that it sees as well.
        batch_size: Patches that it sees together.
        half: Whether it computes in half precision.
    """

    def __init__(
        self,
        model: PatchRefiner,
        device: torch.device,
        input_size: int,
        padding: int,
        batch_size: int,
        half: bool,
    ) -> None:
        self.model = model
        self.device = device
        self.input_size = input_size
        self.padding = padding
        self.batch_size = batch_size
        self.half = half

    def cutter(self, image: np.ndarray) -> Cut:
        """What cuts patches of masks of an image, BGR uint8 (H, W, 3).

        Returns:
            A function of a mask, bool (H, W), of boxes, and of colour evidence where it is not to
            be worked out from image and mask. It gives parts of the network's input.
        """
        array = np.ascontiguousarray(image)
        with_odds = self.model.data_preprocessor.with_odds
        pixels = None if with_odds else self._to_device(array)

        def cut(
            mask: np.ndarray, boxes: np.ndarray, evidence: Evidence | None = None
        ) -> Iterator[Tensor]:
            if with_odds and len(boxes):
                return self._crop_with_odds(array, mask, boxes, evidence)
            return self._crop(pixels, mask, boxes)

        return cut

    def predict(
        self, items: Iterable[tuple[Item, Iterator[Tensor]]]
    ) -> Iterator[tuple[Item, Tensor]]:
        """Items with the probabilities of their patches (N, S, S), in the order they came.

        Never more than two batches of input wait.
        """
        waiting: deque[Item] = deque()
        inputs, outputs = PatchRows(), PatchRows()

        def ready() -> Iterator[tuple[Item, Tensor]]:
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
        self, image: np.ndarray, mask: np.ndarray, boxes: np.ndarray, evidence: Evidence | None
    ) -> Iterator[Tensor]:
        """The same with colour evidence as a fourth channel, in the part of the image around it."""
        reach = max(SURROUNDINGS, int(np.ptp(boxes[:, ::2], axis=1).max()) + self.padding)
        rows, columns = part = surroundings(mask, reach)
        near = np.ascontiguousarray(mask[part])
        odds = colour_odds(image[part], near) if evidence is None else evidence(part)
        pixels = self._to_device(cv2.merge([image[part], odds]))
        yield from self._crop(pixels, near, boxes - [columns.start, rows.start] * 2)

    @torch.inference_mode()
    def _forward(self, inputs: Tensor) -> Tensor:
        kind = torch.bfloat16 if self.device.type == 'cpu' else torch.float16
        with torch.autocast(self.device.type, kind, enabled=self.half):
            return self.model.predict_probabilities(inputs).float()
