"""Where pictures go: a folder of PNGs, or the frames of a video."""

import os
import uuid
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from .whole_files import write_whole_file

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')


class PictureFolder:
    """Pictures as PNGs.

    Args:
        folder: Where they go; made when the first one comes.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)

    def __enter__(self) -> 'PictureFolder':
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""

    def write(self, name: str, picture: np.ndarray) -> None:
        """Write a picture, BGR uint8 (h, w, 3), to ``name.png``; ``name`` may have folders."""
        content = cv2.imencode('.png', picture)[1]
        write_whole_file(self.folder / f'{name}.png', content.tobytes())


class PictureVideo:
    """Pictures as the frames of an MPEG-4 video, in the order in which they come.

    To be used in a ``with`` statement: the file gets its name at the end. Nothing is written
    where there is no picture, or where the statement ends in an error.

    Args:
        path: The video, ``.mp4``.
        fps: Pictures a second.

    Raises:
        ValueError: if the path does not end with ``.mp4``, ``fps`` is not above 0, OpenCV cannot
            write videos here, or pictures differ in size.
    """

    def __init__(self, path: str | os.PathLike, fps: float = 25) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(f'{path}: expected a video .mp4')
        if not fps > 0:
            raise ValueError(f'fps: expected more than 0, got {fps}')
        self.fps = fps
        self._temporary = self.path.with_name(f'.{uuid.uuid4().hex}.mp4')
        self._writer: cv2.VideoWriter | None = None
        self._size_hw = (0, 0)

    def __enter__(self) -> 'PictureVideo':
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the video, or remove what there is of it after an error."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if kind is None:
            self._temporary.replace(self.path)
        else:
            self._temporary.unlink(missing_ok=True)

    def write(self, name: str, picture: np.ndarray) -> None:
        """Add a picture, BGR uint8 (h, w, 3); a last odd row or column is left out."""
        height, width = (2 * (size // 2) for size in picture.shape[:2])
        if self._writer is None:
            self._size_hw = (height, width)
            self._writer = self._open()
        if self._size_hw != (height, width):
            raise ValueError(
                f'{name}: expected a picture of {self._size_hw[0]}x{self._size_hw[1]} '
                f'(height x width) as the ones before it in {self.path}, got {height}x{width}; '
                'all frames of a video have one size'
            )
        self._writer.write(np.ascontiguousarray(picture[:height, :width]))

    def _open(self) -> cv2.VideoWriter:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        code = cv2.VideoWriter.fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(self._temporary), code, self.fps, self._size_hw[::-1])
        if not writer.isOpened():
            raise ValueError(f'{self.path}: OpenCV cannot write this video here')
        return writer


def picture_sink(where: str | os.PathLike, fps: float = 25) -> PictureFolder | PictureVideo:
    """Where pictures go: a video if the name ends with ``.mp4``, else a folder."""
    if Path(where).suffix.lower() in VIDEO_SUFFIXES:
        return PictureVideo(where, fps)
    return PictureFolder(where)
