"""Refining the frames of videos steadily: each frame listens to its neighbours."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..files.label_ids import IGNORED, with_ignored
from ..ops import order_frames
from ..refiners import Refiner, load_image
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
            are read from the names of images, see ``mmrefine.ops.order_frames``.

    Raises:
        ValueError: if ``reach`` is negative, or names do not tell videos and order.
    """

    def __init__(
        self,
        refiner: Refiner,
        tasks: Sequence[LabelMapTask],
        reach: int = 1,
        one_video: bool = False,
    ) -> None:
        if reach < 0:
            raise ValueError(f'reach: must be 0 or more, got {reach}')
        self.refiner, self.reach = refiner, reach
        paths = [task.image.path for task in tasks]
        orders = [list(range(len(tasks)))] if one_video else order_frames(paths).values()
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
            return steady_masks(frame, self._readable(near), IGNORED)

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
            image = load_image(path)
            form, ignored = task.read((image.shape[0], image.shape[1]))
            coarse = with_ignored(form.labels, ignored)
            self._soft[path] = soft_frame(self.refiner, image, coarse, IGNORED)
            while len(self._soft) > 2 * self.reach + 1:
                self._soft.popitem(last=False)
        self._soft.move_to_end(path)
        return self._soft[path]

    def is_done(self, image: ImageFile) -> bool:
        """Nothing else is kept."""
        return True
