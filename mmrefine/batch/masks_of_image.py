"""The masks of one image in a file: decoded, refined and encoded again, few at a time."""

import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..files.mask_files import MaskFile, MasksOfImage, Replacement, left_out_parts
from ..ops.colour_odds import surroundings
from .source import ImageFile, OpenedImage, Source, Window
from .summary import places_text
from .tasks import Change

# Masks decoded at a time, so that hundreds of them on a large image fit in memory; fewer of larger
# images.
CHUNK, CHUNK_PIXELS = 32, 2**26
WHOLE = slice(None), slice(None)


class Kept(NamedTuple):
    """What is kept of an image until all are finished.

    Attributes:
        replacements: What takes the place of masks, by place.
        broken: A line for each mask that is broken.
        empty: Places of masks without a pixel.
        cut: Places of polygons with parts that have no area.
    """

    replacements: list[tuple[int, Replacement]]
    broken: list[str]
    empty: list[int]
    cut: list[int]


@dataclass(frozen=True)
class MasksToRefine:
    """The masks of one image in a file."""

    file: MaskFile
    masks: MasksOfImage
    image: ImageFile
    resize: bool

    def refine(self, source: Source) -> tuple[Change, Kept]:
        """Refine them; broken ones stay as they are.

        Raises:
            ValueError: if the image cannot be read.
        """
        kept = Kept([], [], [], [])
        with contextlib.ExitStack() as stack:
            try:
                opened = stack.enter_context(source.open(self.image))
            except ValueError as error:
                where = places_text(list(self.masks.masks), *self.file.words)
                raise ValueError(f'{self.file.path}: {where}: {error}') from error
            if opened.refine_parts is not None:
                return self._refine_parts(opened, kept), kept
            return self._refine(opened, kept), kept

    def _refine_parts(self, opened: OpenedImage, kept: Kept) -> Change:
        """Refine each mask in its part of the image and add it to ``kept``."""
        assert opened.refine_parts is not None
        waiting: deque[tuple[int, Window, np.ndarray]] = deque()

        def parts() -> Iterator[tuple[Window, np.ndarray]]:
            for place in self.masks.masks:
                for mask in self._decode([place], opened, kept).values():
                    window = surroundings(mask, opened.reach)
                    part = mask[window].copy()  # the whole is not kept
                    if part.any():
                        waiting.append((place, window, part))
                        yield window, part
                    else:
                        kept.empty.append(place)

        changed = area = 0
        for after in opened.refine_parts(parts()):
            place, window, before = waiting.popleft()
            changed += self._keep(place, window, before, after, opened, kept)
            area += int(np.count_nonzero(before))
        return Change(changed, area)

    def _keep(
        self,
        place: int,
        window: Window,
        before: np.ndarray,
        after: np.ndarray,
        opened: OpenedImage,
        kept: Kept,
    ) -> int:
        """Note what takes the place of a mask, if it changed; how many pixels did."""
        mask, difference = self.masks.masks[place], int(np.count_nonzero(before != after))
        of_other_size = self.resize and not self._fits(mask, opened.size_hw)
        if after.any() and (of_other_size or not self.file.is_kept(mask, difference)):
            whole = np.zeros(opened.size_hw, bool)
            whole[window] = after
            kept.replacements.append((place, self.file.replacement(mask, whole)))
        return difference

    def _refine(self, opened: OpenedImage, kept: Kept) -> Change:
        """Refine a few masks at a time and add them to ``kept``."""
        places = list(self.masks.masks)
        changed = area = 0
        height, width = opened.size_hw
        chunk = max(1, min(CHUNK, CHUNK_PIXELS // (height * width)))
        for start in range(0, len(places), chunk):
            coarse = self._decode(places[start : start + chunk], opened, kept)
            kept.empty.extend(place for place, mask in coarse.items() if not mask.any())
            if not coarse:
                continue
            stack = np.stack(list(coarse.values()))
            for place, before, after in zip(coarse, stack, opened.refine(stack), strict=True):
                changed += self._keep(place, WHOLE, before, after, opened, kept)
            area += int(np.count_nonzero(stack))
        return Change(changed, area)

    def _fits(self, mask: Any, size_hw: tuple[int, int]) -> bool:
        try:
            self.file.decode(mask, size_hw)
        except ValueError:
            return False
        return True

    def _decode(
        self, places: Sequence[int], opened: OpenedImage, kept: Kept
    ) -> dict[int, np.ndarray]:
        found = {}
        for place in places:
            mask = self.masks.masks[place]
            try:
                found[place] = self.file.decode(mask, opened.size_hw, self.resize)
            except ValueError as error:
                kept.broken.append(
                    f'{self.file.path}: {self.file.words[0]} {place}, a mask on {opened.origin}: '
                    f'{error}'
                )
            else:
                if left_out_parts(mask, opened.size_hw):
                    kept.cut.append(place)
        return found
