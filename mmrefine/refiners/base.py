"""What every refiner can do."""

import os
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, cast

import mmengine.fileio as fileio
import numpy as np
import PIL.Image

from ..files.image_windows import ImageWindows
from ..files.images import choose_bands, decode_image, from_array, from_pil
from ..files.sizes import EXIF_HINT
from ..methods import Method
from ..ops.ignored import IGNORED_BYTE

Image = str | os.PathLike | np.ndarray | PIL.Image.Image | ImageWindows


class Refiner(ABC):
    """A trained network and the knowledge of how to make masks better with it.

    A new method of the family subclasses this, registers itself with
    ``mmrefine.registry.REFINERS``, and is then usable from Python, from
    ``mmrefine refine`` and in ``mmrefine.RefinementHook`` alike. Its ``__init__`` takes a
    ``device``, which the hook sets to that of the model it listens to.

    Attributes:
        method: The name that users type and the options on the command line; without one, the
            refiner is named by its class.
        reach: What becomes of a mask depends on so many pixels around it; None where it may depend
            on the whole image.
        by_windows: Whether it looks at a large image window by window, so that the image may be
            ``ImageWindows``.
    """

    method: ClassVar[Method | None] = None
    reach: int | None = None
    by_windows: ClassVar[bool] = False

    @abstractmethod
    def refine(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refine the masks of one image.

        Args:
            image: As for ``load_image``: path, PIL image, or BGR uint8 array (H, W, 3).
            masks: Label map (H, W) of any integer dtype, or stack of masks
                (N, H, W), bool or uint8.

        Returns:
            Refined masks, same shape and dtype. Ignored pixels and everything
            outside the refined region are as they were. None vanishes: a mask of a
            stack, or a label of a map, that would lose its last pixel stays as it is.

        Raises:
            TypeError: if ``masks`` is not of an integer or bool dtype.
            ValueError: if sizes or number of dimensions do not fit.
        """

    def open(self, image: Image) -> Callable[[np.ndarray], np.ndarray]:
        """Do what does not depend on the masks, once for all masks of an image.

        Args:
            image: As for ``refine``.

        Returns:
            A function from masks to refined masks, as ``refine``.
        """
        array = load_image(image)
        return lambda masks: self.refine(array, masks)

    def refine_each(self, pairs: Iterable[tuple[Image, np.ndarray]]) -> Iterator[np.ndarray]:
        """Refine the masks of many images.

        Args:
            pairs: Image and masks, as for ``refine``.

        Yields:
            Refined masks, in the order of ``pairs``.
        """
        for image, masks in pairs:
            yield self.refine(image, masks)

    def soft_masks(self, image: Image, masks: np.ndarray) -> np.ndarray:
        """Refined masks before the threshold, to be averaged over frames.

        Args:
            image: As for ``refine``.
            masks: Stack of masks (N, H, W), bool or uint8.

        Returns:
            float32 (N, H, W), 0 to 1: above 0.5 where ``refine`` finds an object. A refiner
            that has no probabilities gives 0 and 1.

        Raises:
            TypeError, ValueError: as ``refine``; if ``masks`` is no stack.
        """
        check_stack(masks)
        return (self.refine(image, masks) != 0).astype(np.float32)


class OffsetRefiner(Protocol):
    """A refiner that follows an offset field, which serves any number of masks of an image.

    Its method says with which options it does so, in ``follows_offsets``.
    """

    def predict_offset(self, image: Image) -> np.ndarray:
        """Offset field of an image, int (2, H, W): unit offsets (dy, dx)."""

    def shift(self, masks: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Masks refined with a known offset field."""


def refine_through(
    refiners: Sequence[Refiner], image: Image, load: Callable[[Image], np.ndarray] | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Masks of one image through several refiners, one after the other.

    Args:
        refiners: They.
        image: As for ``Refiner.refine``.
        load: What reads the image; ``load_image``.

    Returns:
        A function from masks to refined masks, for any number of masks. The image is read and what
        does not depend on masks is done once, when the first masks come. Empty arrays come back as
        they are: where nothing was found, they may be of any size.
    """
    opened: list[Callable[[np.ndarray], np.ndarray]] = []

    def refine(masks: np.ndarray) -> np.ndarray:
        if not masks.size:
            return masks
        if not opened:
            array = (load or load_image)(image)
            opened.extend(refiner.open(array) for refiner in refiners)
        for step in opened:
            masks = step(masks)
        return masks

    return refine


def load_image(image: Image, bands: Sequence[int] | None = None) -> np.ndarray:
    """BGR uint8 (H, W, 3) of an image, EXIF orientation applied; see ``mmrefine.files.images``.

    Args:
        image: Path; PIL image; or array, BGR (H, W, 3), grey (H, W), or BGR and alpha (H, W, 4).
        bands: Numbers of the bands to take for red, green and blue, counted from 1, for images of
            other bands and types; of an array (H, W, bands) too.

    Raises:
        ValueError: if the file is missing or no image, or the image has bands that are not taken.
        TypeError: if it is something else, or an array of another dtype.
        ImportError: if bands are chosen and nothing that reads them is installed.
    """
    if isinstance(image, np.ndarray):
        return from_array(image) if bands is None else choose_bands(image, bands)
    if isinstance(image, PIL.Image.Image):
        return from_pil(image)
    if isinstance(image, ImageWindows):
        return cast(np.ndarray, image)  # who takes such an image looks at windows of it
    if not isinstance(image, str | os.PathLike):
        raise TypeError(
            'image: expected a path, a PIL image or a BGR uint8 array, got '
            f'{type(image).__module__.split(".")[0]} {type(image).__name__}'
        )
    try:
        content = fileio.get(os.fspath(image))
    except OSError as error:
        raise ValueError(f'image: cannot read {image}: {error.strerror or error}') from error
    return decode_image(content, f'image: {image}', bands)


def check_masks(masks: np.ndarray, size_hw: tuple[int, int]) -> None:
    """Refuse what ``Refiner.refine`` cannot refine; ``size_hw`` is the image's size."""
    if not isinstance(masks, np.ndarray):
        raise TypeError(
            f'masks: expected a numpy array, got {type(masks).__name__}; a label map (H, W) or a '
            'stack of masks (N, H, W)'
        )
    if masks.dtype.kind not in 'iub':
        raise TypeError(
            f'masks: expected integers or bool, got {masks.dtype}; masks > 0.5 makes one'
        )
    if masks.ndim not in (2, 3):
        raise ValueError(f'masks: expected shape (H, W) or (N, H, W), got {masks.shape}')
    if masks.ndim == 3 and masks.dtype not in (np.bool_, np.uint8):
        raise TypeError(f'masks: a stack (N, H, W) must be bool or uint8, got {masks.dtype}')
    if masks.shape[-2:] != size_hw:
        swapped = masks.shape[-2:] == size_hw[::-1]
        raise ValueError(
            f'masks: size {masks.shape[-2]}x{masks.shape[-1]} (height x width) is not the '
            f"image's {size_hw[0]}x{size_hw[1]}; expected shape (H, W) or (N, H, W), got "
            f'{masks.shape}{EXIF_HINT if swapped else ""}'
        )


def check_stack(masks: np.ndarray) -> None:
    """Refuse what is no stack (N, H, W)."""
    if masks.ndim != 3:
        raise ValueError(f'masks: expected a stack (N, H, W), got {masks.shape}')


def is_binary_mask(labels: np.ndarray) -> bool:
    """Whether an 8-bit map holds 0 and 255 only: a mask, or one class and ignored pixels."""
    return bool(
        labels.dtype == np.uint8
        and labels.size
        and labels.max() == 255
        and ((labels == 0) | (labels == 255)).all()
    )


def warn_of_binary_mask(masks: np.ndarray, ignore_index: int | None) -> None:
    """Say so where a binary mask would come back as it is, because 255 is ignored."""
    if masks.ndim == 2 and ignore_index == IGNORED_BYTE and is_binary_mask(masks):
        warnings.warn(
            'masks: a label map of 0 and 255 only comes back unchanged, as 255 is ignored; '
            'pass a binary mask as masks > 0, or build the refiner with ignore_index=None',
            stacklevel=_callers_level(),
        )


def _callers_level() -> int:
    """The level of the line, outside of this package, that a warning is about."""
    package = os.fspath(Path(__file__).parents[1])
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame, level = frame.f_back, level + 1
    return level
