"""Files of instance masks, read and written again with other masks.

One class a format (``.coco_masks``, ``.sam_masks``, ``.labelme``, ``.yolo``,
``.det_results``); ``open_mask_file`` takes the one that the content is of. A mask is known
by its *place*: its number among the entries, shapes or lines of the file. Everything but the masks
that are replaced stays as it is.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import cv2
import numpy as np

from ..ops.polygons import TOLERANCE, mask_polygons
from ..ops.run_lengths import decode_mask, encode_mask, whole_polygons

Classes = Literal['ids', 'numbers', 'names']
Replacement = dict[str, Any]
"""What takes the place of a mask: values that JSON can hold."""


@dataclass
class MasksOfImage:
    """The masks of one image.

    Attributes:
        image_id: What the file says that the image is.
        masks: By place.
    """

    image_id: Any
    masks: dict[int, Any] = field(default_factory=dict)


class MaskFile(ABC):
    """A file of instance masks.

    Args:
        path: The file.
        polygons: Whether to write polygons; by default where polygons came in.
        tolerance: Of polygons, pixels; see ``mmrefine.ops.polygons.mask_polygons``.

    Attributes:
        format: What ``--format`` calls it.
        words: What a place is called, one and more.
        classes: What ``described`` calls the class of a mask: a category id, a number from 0, or a
            name; None if masks have no classes.
        names: File names by image id, where the file has them.
        left_alone: What has no mask that could be refined, and how many there are of it.
    """

    format: ClassVar[str]
    words: ClassVar[tuple[str, str]] = ('entry', 'entries')
    classes: ClassVar[Classes | None] = 'ids'

    def __init__(
        self,
        path: str | os.PathLike,
        polygons: bool | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.path = Path(path)
        self.polygons = polygons
        self.tolerance = tolerance
        self.names: Mapping[Any, str] | None = None
        self.left_alone: dict[str, int] = {}

    @abstractmethod
    def images(self) -> list[MasksOfImage]:
        """The masks, by image."""

    def decode(self, mask: Any, size_hw: tuple[int, int], resize: bool = False) -> np.ndarray:
        """A mask as the file has it → bool (H, W).

        Args:
            mask: As in ``MasksOfImage``.
            size_hw: Size of the image.
            resize: Whether a mask of another size is brought to it, instead of being refused.

        Raises:
            ValueError: if it is broken, or of another size.
        """
        own = own_size(mask)
        if resize and own and own != size_hw:
            return resized(decode_mask(mask, own), size_hw)
        return decode_mask(mask, size_hw)

    @abstractmethod
    def described(self, place: int) -> tuple[Any, float]:
        """Class and score of a mask, after ``images``; the score is 1 where there is none."""

    def is_kept(self, mask: Any, changed: int) -> bool:
        """Whether a mask of which so many pixels changed stays as the file has it."""
        of_polygons = isinstance(mask, list)
        return not changed and (self.polygons is None or self.polygons == of_polygons)

    @abstractmethod
    def replacement(self, mask: Any, refined: np.ndarray) -> Replacement:
        """What takes the place of ``mask``: ``refined``, bool (H, W)."""

    @abstractmethod
    def content(self, replacements: Mapping[int, Replacement]) -> bytes:
        """The file, with other masks at some places."""

    @property
    def size_hw(self) -> tuple[int, int] | None:
        """(H, W) of the image of a file of one image, where it says so."""
        return None

    def segmentation(self, mask: Any, refined: np.ndarray) -> Any:
        """``refined`` in the form of ``mask``: COCO's polygons or run lengths."""
        if isinstance(mask, list) if self.polygons is None else self.polygons:
            return mask_polygons(refined, self.tolerance)
        return encode_mask(refined)


def own_size(mask: Any) -> tuple[int, int] | None:
    """(H, W) that run lengths say they have."""
    size = mask.get('size') if isinstance(mask, dict) else None
    if isinstance(size, list | tuple) and len(size) == 2 and all(type(n) is int for n in size):
        return (size[0], size[1])
    return None


def resized(mask: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """A mask, bool or soft (h, w), in another size: interpolated, then cut at 0.5."""
    soft = cv2.resize(mask.astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    return soft > 0.5


def left_out_parts(mask: Any, size_hw: tuple[int, int]) -> int:
    """How many parts of a polygon have no area; see ``whole_polygons``."""
    if not isinstance(mask, list):
        return 0
    try:
        return whole_polygons(mask, size_hw)[1]
    except (ValueError, TypeError):
        return 0


def box_xywh(mask: np.ndarray) -> list[float]:
    """COCO's box of a mask, [x, y, width, height]; zeros for an empty one."""
    return [float(n) for n in cv2.boundingRect(mask.astype(np.uint8))]
