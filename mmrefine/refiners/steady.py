"""Videos refined steadily: what is decided at boundaries is averaged over frames.

Frame by frame, a boundary whose pixels are near the threshold flickers. Here a refiner says what
it finds before the threshold (``Refiner.soft_masks``), neighbouring frames are averaged along
optical flow (``mmrefine.ops.average_along_flow``), and then the threshold decides.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from ..ops import average_along_flow
from ..ops.vanished import keep_vanished
from .base import Image, Refiner, check_masks, load_image


class SoftFrame(NamedTuple):
    """A frame, and what a refiner finds in it.

    Attributes:
        image: BGR uint8 (H, W, 3).
        masks: Coarse masks: label map (H, W), or stack (N, H, W).
        soft: Each label or mask of the stack before the threshold, float16 (H, W), by label or
            place.
    """

    image: np.ndarray
    masks: np.ndarray
    soft: dict[Hashable, np.ndarray]


def soft_frame(
    refiner: Refiner, image: Image, masks: np.ndarray, ignore_index: int | None = 255
) -> SoftFrame:
    """Let a refiner look at a frame.

    Args:
        refiner: Any refiner.
        image: As for ``Refiner.refine``.
        masks: As for ``Refiner.refine``.
        ignore_index: Label of label maps that is left as it is, if any.
    """
    array = load_image(image)
    check_masks(masks, array.shape[:2])
    names: list[Hashable] = list(range(len(masks)))
    stack = masks
    if masks.ndim == 2:
        names = [label for label in np.unique(masks).tolist() if label != ignore_index]
        stack = np.stack([masks == label for label in names]) if names else masks[None][:0]
    soft = refiner.soft_masks(array, stack).astype(np.float16) if names else ()
    return SoftFrame(array, masks, dict(zip(names, soft, strict=True)))


def steady_masks(
    frame: SoftFrame, neighbours: Iterable[SoftFrame], ignore_index: int | None = 255
) -> np.ndarray:
    """Refined masks of one frame, by what was found in it and in its neighbours.

    A mask of a stack is where its average is above 0.5; a pixel of a label map gets the label
    with the highest average. None vanishes.

    Args:
        frame: The frame.
        neighbours: Others of the same video. Stacks hold the same objects in the same order.
        ignore_index: Label of label maps that is left as it is, if any.

    Returns:
        Like ``frame.masks``.

    Raises:
        ValueError: if frames differ in size.
    """
    others = ((other.image, other.soft) for other in neighbours)
    means = average_along_flow(frame.image, frame.soft, others)
    if not means:
        return frame.masks.copy()
    refined = frame.masks.copy()
    if refined.ndim == 3:
        for mask, mean in zip(refined, means.values(), strict=True):
            mask[...] = (mean > 0.5) * max(mask.max(), 1)
        return keep_vanished(frame.masks, refined)
    labels = np.array(list(means), refined.dtype)
    chosen = labels[np.stack(list(means.values())).argmax(0)]
    seen = refined != ignore_index
    refined[seen] = chosen[seen]
    return keep_vanished(frame.masks, refined, ignore_index)


def refine_video(
    refiner: Refiner,
    frames: Iterable[tuple[Image, np.ndarray]],
    reach: int = 1,
    ignore_index: int | None = 255,
) -> Iterator[np.ndarray]:
    """Refine the frames of a video steadily, as a stream.

    Args:
        refiner: Any refiner.
        frames: Image and masks of each frame, in order; masks as for ``Refiner.refine``.
        reach: Neighbours on each side that are listened to. So many frames are read ahead, and
            ``2 * reach + 1`` are held; 0 is frame by frame.
        ignore_index: Label of label maps that is left as it is, if any.

    Yields:
        Refined masks, like those of each frame.

    Raises:
        ValueError: if ``reach`` is negative; if frames differ in size.
    """
    if reach < 0:
        raise ValueError(f'reach: must be 0 or more, got {reach}')
    window: deque[SoftFrame | None] = deque([None] * reach, 2 * reach + 1)
    soft = (soft_frame(refiner, image, masks, ignore_index) for image, masks in frames)
    for frame in chain(soft, [None] * reach):
        window.append(frame)
        if len(window) == 2 * reach + 1 and window[reach] is not None:
            yield _centre(window, reach, ignore_index)


def _centre(window: Sequence[SoftFrame | None], at: int, ignore_index: int | None) -> np.ndarray:
    frame = window[at]
    assert frame is not None
    others = [other for k, other in enumerate(window) if k != at and other is not None]
    return steady_masks(frame, others, ignore_index)
