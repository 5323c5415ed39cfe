"""Before and after refinement in one picture.

Legend: H, W = image; N = masks; h, w = the picture or a part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..refiners import check_masks, load_image
from ..refiners.base import Image
from .drawing import (
    BROKEN,
    COARSE,
    FIXED,
    INK,
    OTHER,
    PAPER,
    REFINED,
    WHITE,
    Colour,
    draw_box,
    draw_contours,
    fill,
    resized,
    write,
)

Part = tuple[slice, slice]
GAP = 8  # between panels, in pixels of the picture
HEADING = 30
# Pixels of the image that an inset shows, at a picture of 1000 pixels some four times as large.
INSET_HW = (54, 80)
LEAST_WIDTH = 200


@dataclass(frozen=True)
class Changes:
    """What refinement did to the pixels of an image; each bool (H, W), none in common.

    Attributes:
        fixed: Wrong before, right after.
        broken: Right before, wrong after.
        other: Changed, and neither of them or unknown.
    """

    fixed: np.ndarray
    broken: np.ndarray
    other: np.ndarray

    @property
    def any(self) -> np.ndarray:
        """Pixels that changed, bool (H, W)."""
        return self.fixed | self.broken | self.other

    def inside(self, part: Part) -> 'Changes':
        """What changed in a part of the image."""
        return Changes(self.fixed[part], self.broken[part], self.other[part])

    def kinds(self) -> list[tuple[Colour, str, np.ndarray]]:
        """Colour, name and pixels of each kind."""
        return [
            (FIXED, 'fixed', self.fixed),
            (BROKEN, 'broken', self.broken),
            (OTHER, 'neither', self.other),
        ]


def find_changes(
    before: np.ndarray,
    after: np.ndarray,
    truth: np.ndarray | None = None,
    ignore_index: int | None = 255,
) -> Changes:
    """Find what refinement changed.

    Args:
        before: Label map (H, W) or stack (N, H, W).
        after: The same, refined.
        truth: The same as it should be, if known. In a stack, mask by mask.
        ignore_index: Label of pixels that are not judged in a true label map.
    """
    changed = before != after
    if changed.ndim == 3:
        changed = changed.any(axis=0)
    if truth is None:
        nothing = np.zeros_like(changed)
        return Changes(nothing, nothing, changed)
    worse = (after != truth).astype(np.int32) - (before != truth)
    if worse.ndim == 3:  # a pixel may be right in one mask and wrong in another
        worse = worse.sum(axis=0)
    elif ignore_index is not None:
        worse[truth == ignore_index] = 0
    return changes_of(changed, worse)


def changes_of(changed: np.ndarray, worse: np.ndarray) -> Changes:
    """Tell changed pixels, bool (H, W), apart by how much worse they got, int (H, W)."""
    return Changes(worse < 0, worse > 0, changed & (worse == 0))


def densest_parts(weight: np.ndarray, size_hw: tuple[int, int], count: int) -> list[Part]:
    """Rows and columns of the parts of an image with the largest sums, largest first.

    Args:
        weight: (H, W) float32.
        size_hw: Size of a part; smaller where the image is.
        count: Most parts. They do not overlap, and all but the first have a sum above zero.
    """
    left_over = weight.astype(np.float32)
    h, w = (min(part, whole) for part, whole in zip(size_hw, weight.shape, strict=True))
    parts: list[Part] = []
    blocked = np.zeros((weight.shape[0] - h + 1, weight.shape[1] - w + 1), bool)
    sums = cv2.integral(left_over)
    inside = sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]
    for number in range(count):
        place = np.argmax(np.where(blocked, -np.inf, inside))
        top, left = (int(index) for index in np.unravel_index(place, inside.shape))
        if number and (blocked[top, left] or inside[top, left] <= 0):
            break
        parts.append((slice(top, top + h), slice(left, left + w)))
        blocked[max(top - h + 1, 0) : top + h, max(left - w + 1, 0) : left + w] = True
    return parts


def draw_refinement(
    image: Image,
    before: np.ndarray,
    after: np.ndarray,
    truth: np.ndarray | None = None,
    insets: int = 3,
    width: int = 1000,
    ignore_index: int | None = 255,
    changes: Changes | None = None,
) -> np.ndarray:
    """Draw contours before and after side by side, and the most changed places enlarged.

    Args:
        image: Path, or BGR uint8 (H, W, 3).
        before: Label map (H, W) or stack (N, H, W).
        after: The same, refined.
        truth: The same as it should be, if known: what changed is then told apart into fixed and
            broken, and the true contour is drawn over it.
        insets: Most places that are enlarged; only such where something changed.
        width: Width of the picture in pixels.
        ignore_index: Label of pixels that are not judged in a true label map.
        changes: What changed, where that is more than ``before``, ``after`` and ``truth`` tell.

    Returns:
        BGR uint8 (h, width, 3): before in orange, after in sky blue; what changed in purple, or
        in blue where fixed and vermilion where broken.

    Raises:
        ValueError: if the sizes differ or an option is out of range.
    """
    image = load_image(image)
    _check(image, before, after, truth, insets, width)
    changes = changes or find_changes(before, after, truth, ignore_index)
    weight = changes.any.astype(np.float32)
    parts = densest_parts(weight, INSET_HW, insets) if weight.any() else []
    rows = [_overview(image, before, after, parts, width)]
    if parts:
        rows.append(_legend(changes, truth is not None, width))
    for number, part in enumerate(parts, 1):
        photograph = _fitted(image[part], (width - 2 * GAP) // 3)
        panels = [photograph, photograph.copy(), _pale(photograph)]
        draw_contours(panels[0], before[(..., *part)], COARSE, 2.2, 1.2)
        draw_contours(panels[1], after[(..., *part)], REFINED, 2.2, 1.2)
        cut = None if truth is None else truth[(..., *part)]
        _draw_changes(panels[2], changes.inside(part), cut, ignore_index)
        _write_number(panels[0], number, (0, 0), 16)
        rows.append(_side_by_side(panels, width))
    return np.concatenate(rows)


def _overview(
    image: np.ndarray, before: np.ndarray, after: np.ndarray, parts: list[Part], width: int
) -> np.ndarray:
    """The whole image before and after, with frames around the places that are enlarged."""
    panels = []
    for masks, colour, title in ((before, COARSE, 'before'), (after, REFINED, 'after')):
        panel = _fitted(image, (width - GAP) // 2)
        times = panel.shape[1] / image.shape[1]
        draw_contours(panel, masks, colour)
        for number, (rows, columns) in enumerate(parts, 1):
            left, top = times * columns.start, times * rows.start
            draw_box(panel, (left, top, times * columns.stop, times * rows.stop))
            above = top - 17 if top > 17 else top
            _write_number(panel, number, (left - 1, above), 13)
        panels.append(np.concatenate([_heading(panel.shape[1], title, colour), panel]))
    return _side_by_side(panels, width)


def _draw_changes(
    panel: np.ndarray, changes: Changes, truth: np.ndarray | None, ignore_index: int | None
) -> None:
    if truth is not None and truth.ndim == 2 and ignore_index is not None:
        fill(panel, truth == ignore_index, WHITE, 0.7)
    for colour, _, where in changes.kinds():
        fill(panel, where, colour, 0.85)
    if truth is not None:
        draw_contours(panel, truth, INK, 1.6, casing=0, ignore_index=ignore_index)


def _pale(image: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return cv2.addWeighted(grey, 0.35, grey, 0, 165)


def _heading(width: int, title: str, colour: Colour) -> np.ndarray:
    """A title with a line as that of the contours."""
    heading = np.full((HEADING, width, 3), PAPER, np.uint8)
    middle = HEADING // 2
    for thickness, ink in ((5, INK), (3, colour)):
        cv2.line(heading, (3, middle), (27, middle), ink, thickness)
    write(heading, title, (36, middle))
    return heading


def _legend(changes: Changes, judged: bool, width: int) -> np.ndarray:
    """What the colours of changed pixels mean, and how many there are."""
    legend = np.full((HEADING, width, 3), PAPER, np.uint8)
    middle = HEADING // 2
    x = write(legend, 'changed pixels:', (0, middle)) + 12
    for colour, name, where in changes.kinds():
        if judged or where is changes.other:
            cv2.rectangle(legend, (x, middle - 6), (x + 12, middle + 6), colour, cv2.FILLED)
            text = (
                f'{name} {np.count_nonzero(where):,}' if judged else f'{np.count_nonzero(where):,}'
            )
            x = write(legend, text, (x + 18, middle)) + 20
    if judged:
        cv2.line(legend, (x, middle), (x + 22, middle), INK, 2)
        write(legend, 'true contour', (x + 30, middle))
    return legend


def _write_number(panel: np.ndarray, number: int, place_xy: tuple[float, float], size: int) -> None:
    half = round(0.65 * size)
    write(panel, str(number), (place_xy[0], place_xy[1] + half), size, INK, WHITE)


def _fitted(image: np.ndarray, width: int) -> np.ndarray:
    """An image at a width; portraits smaller, so that no panel is higher than wide."""
    times = width / max(image.shape[:2])
    return resized(image, (round(times * image.shape[0]), round(times * image.shape[1])))


def _side_by_side(panels: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Panels of one size in cells of one width, with paper between and below."""
    height, own_width = panels[0].shape[:2]
    cell = (width - (len(panels) - 1) * GAP) / len(panels)
    row = np.full((height + GAP, width, 3), PAPER, np.uint8)
    for number, panel in enumerate(panels):
        left = int(number * (cell + GAP) + (cell - own_width) / 2)
        row[:height, left : left + own_width] = panel
    return row


def _check(
    image: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
    truth: np.ndarray | None,
    insets: int,
    width: int,
) -> None:
    load_image(image)
    check_masks(before, image.shape[:2])
    for name, masks in (('after', after), ('truth', truth)):
        if masks is not None and masks.shape != before.shape:
            raise ValueError(
                f'{name}: expected the shape of before, {before.shape}, got {masks.shape}'
            )
    if insets < 0:
        raise ValueError(f'insets: expected 0 or more, got {insets}')
    if width < LEAST_WIDTH:
        raise ValueError(f'width: expected {LEAST_WIDTH} or more, got {width}')
