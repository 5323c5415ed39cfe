"""Refining the frames of videos steadily: each frame listens to its neighbours."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..files.label_ids import IGNORED_MARK, with_ignored
from ..ops import order_frames
from ..ops.frame_names import LAST_NUMBER
from ..refiners import Refiner, load_image
from ..refiners.loaders import Loader
from ..refiners.steady import SoftFrame, soft_frame, steady_masks
from .label_maps import LabelMapTask
from .source import ImageFile, OpenedImage


class SteadySource:
    """Refines label maps of frames with those of neighbouring frames in mind.

    What a refiner finds is kept for as many frames as one listens to. So each frame is looked at
    once where frames come in order, and memory does not grow with the video.

    Args:
        refiner: Any refiner.
        tasks: All frames of all videos.
        reach: Neighbours on each side that are listened to.
        one_video: Whether all tasks are one video, in the order they have; else videos and order
            are read from the names of images, without what all of them end with.
        pattern: How they are read, see ``mmrefine.ops.frame_key``.
        load: What reads images; see ``mmrefine.refiners.loaders.image_loader``.

    Raises:
        ValueError: if ``reach`` is negative, names do not tell videos and order, or each of
            several frames would be a video of its own.
    """

    def __init__(
        self,
        refiner: Refiner,
        tasks: Sequence[LabelMapTask],
        reach: int = 1,
        one_video: bool = False,
        pattern: str = LAST_NUMBER,
        load: Loader = load_image,
    ) -> None:
        if reach < 0:
            raise ValueError(f'reach: must be 0 or more, got {reach}')
        self.refiner, self.reach, self.load = refiner, reach, load
        orders = [list(range(len(tasks)))] if one_video else _orders(tasks, pattern)
        videos = [[tasks[place] for place in order] for order in orders]
        self._places = {
            task.image.path: (video, at) for video in videos for at, task in enumerate(video)
        }
        self._soft: OrderedDict[Path, SoftFrame] = OrderedDict()

    @contextmanager
    def open(self, image: ImageFile) -> Iterator[OpenedImage]:
        """Look at the frame and at its neighbours."""
        video, at = self._places[image.path]
        frame = self._look(video[at])
        near = video[max(at - self.reach, 0) : at] + video[at + 1 : at + 1 + self.reach]
        size_hw = (frame.image.shape[0], frame.image.shape[1])

        def refine(masks: np.ndarray) -> np.ndarray:
            return steady_masks(frame, self._readable(near), IGNORED_MARK)

        yield OpenedImage(size_hw, image.path, refine)

    def _readable(self, tasks: Sequence[LabelMapTask]) -> Iterator[SoftFrame]:
        """What is found in neighbours; one that cannot be read is reported in its own turn."""
        for task in tasks:
            try:
                found = self._look(task)
            except ValueError:
                continue
            yield found

    def _look(self, task: LabelMapTask) -> SoftFrame:
        path = task.image.path
        if path not in self._soft:
            image = self.load(path)
            form, ignored = task.read((image.shape[0], image.shape[1]))
            coarse = with_ignored(form.labels, ignored)
            self._soft[path] = soft_frame(self.refiner, image, coarse, IGNORED_MARK)
            while len(self._soft) > 2 * self.reach + 1:
                self._soft.popitem(last=False)
        self._soft.move_to_end(path)
        return self._soft[path]

    def is_done(self, image: ImageFile) -> bool:
        """Nothing else is kept."""
        return True


def _orders(tasks: Sequence[LabelMapTask], pattern: str) -> list[list[int]]:
    """Places of the frames of each video, in order."""
    # The name that image and label map share: the numbers in _leftImg8bit count nothing.
    names = [f'{task.image.names[1]}{task.image.path.suffix}' for task in tasks]
    orders = list(order_frames(names, pattern).values())
    if len(tasks) > 1 and len(orders) == len(tasks):
        raise ValueError(
            f'{names[0]} and {names[1]}: no two frames are of one video by their names; the '
            'pattern says where video and number of a frame stand'
        )
    return orders
