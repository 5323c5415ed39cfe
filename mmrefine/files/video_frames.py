"""Frames of a video, each with the label map that was predicted for it."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from .find import FoundFile, find_files
from .label_maps import LABEL_SUFFIXES


class VideoFrames:
    """The frames of a video and label maps, of which there is one for each, in order.

    Args:
        video: The video file.
        masks: Its label maps, in the order of the frames.
        where: Where these come from, for messages.

    Attributes:
        fps: Frames a second, or ``None`` if the video does not say.

    Raises:
        ValueError: if OpenCV cannot read the video.
    """

    def __init__(
        self, video: str | os.PathLike, masks: Sequence[FoundFile], where: str | os.PathLike
    ) -> None:
        self._video, self._masks, self._where = video, masks, where
        self._capture = cv2.VideoCapture(str(video))
        if not self._capture.isOpened():
            raise ValueError(f'{video}: no such video, or one that OpenCV cannot read')
        self.fps: float | None = self._capture.get(cv2.CAP_PROP_FPS) or None

    def __iter__(self) -> Iterator[tuple[FoundFile, np.ndarray]]:
        """Label maps with their frames, BGR uint8 (H, W, 3), read when it is their turn, once.

        Raises:
            ValueError: if there are more frames than label maps, or fewer.
        """
        for number, mask in enumerate(self._masks):
            read, frame = self._capture.read()
            if not read:
                raise ValueError(
                    f'{self._video}: {number} frames, and {len(self._masks)} label maps in '
                    f'{self._where}; expected one for each frame'
                )
            yield mask, frame
        if self._capture.grab():
            raise ValueError(
                f'{self._video}: more frames than label maps in {self._where}, of which there are '
                f'{len(self._masks)}; expected one for each frame'
            )


def unpack_frames(
    video: str | os.PathLike,
    masks: str | os.PathLike,
    folder: str | os.PathLike,
    mask_suffix: str = '',
) -> float | None:
    """Write the frames of a video as images with the names of their label maps.

    Args:
        video: The video file.
        masks: Folder of label maps, one for each frame in the order of their names.
        folder: Where the frames go, as PNGs.
        mask_suffix: How the stems of label maps end after the name that the frame gets.

    Returns:
        Frames a second, if the video says.

    Raises:
        ValueError: if the video cannot be read, or has more or fewer frames.
    """
    frames = VideoFrames(video, find_files(masks, LABEL_SUFFIXES, mask_suffix), masks)
    fastest = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    for mask, frame in frames:
        content = cv2.imencode('.png', frame, fastest)[1]
        path = Path(folder) / f'{mask.name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())
    return frames.fps
