"""Where pictures go: a folder of PNGs, or the frames of a video."""

from __future__ import annotations

import os
import uuid
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .kinds import VIDEO_SUFFIXES
from .whole_files import write_whole_file

if TYPE_CHECKING:
    import av

# x264's constant rate factor: outlines stay sharp, a tenth of the size of PNGs.
QUALITY = '18'


class PictureFolder:
    """Pictures as PNGs.

    Args:
        folder: Where they go; made when the first one comes.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)

    def __enter__(self) -> PictureFolder:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to do."""

    def write(self, name: str, picture: np.ndarray) -> None:
        """Write a picture, BGR uint8 (h, w, 3), to ``name.png``; ``name`` may have folders."""
        content = cv2.imencode('.png', picture)[1]
        write_whole_file(self.folder / f'{name}.png', content.tobytes())


class PictureVideo:
    """Pictures as the frames of an H.264 video that browsers play, in the order they come.

    To be used in a ``with`` statement: the file gets its name at the end. Nothing is written
    where there is no picture, or where the statement ends in an error.

    Args:
        path: The video, ``.mp4``.
        fps: Pictures a second.

    Raises:
        ValueError: if the path does not end with ``.mp4``, ``fps`` is not above 0, or pictures
            differ in size.
        ImportError: if PyAV is not installed.
    """

    def __init__(self, path: str | os.PathLike, fps: float = 25) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(f'{path}: expected a video .mp4')
        if not 0 < fps < float('inf'):
            raise ValueError(f'fps: expected more than 0, got {fps}')
        try:
            import av  # noqa: F401
        except ImportError as error:
            raise ImportError(
                "videos are written by PyAV, which is not installed: pip install 'mmrefine[video]'"
            ) from error
        self.fps = fps
        self._temporary = self.path.with_name(f'.{uuid.uuid4().hex}.mp4')
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._size_hw = (0, 0)

    def __enter__(self) -> PictureVideo:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the video, or remove what there is of it after an error."""
        if self._container is None or self._stream is None:
            return
        if kind is None:
            self._container.mux(self._stream.encode())
        self._container.close()
        self._container = self._stream = None
        if kind is None:
            self._temporary.replace(self.path)
        else:
            self._temporary.unlink(missing_ok=True)

    def write(self, name: str, picture: np.ndarray) -> None:
        """Add a picture, BGR uint8 (h, w, 3); a last odd row or column is left out."""
        from av import VideoFrame

        height, width = (2 * (size // 2) for size in picture.shape[:2])
        if self._container is None or self._stream is None:
            self._size_hw = (height, width)
            self._container, self._stream = self._open()
        if self._size_hw != (height, width):
            raise ValueError(
                f'{name}: expected a picture of {self._size_hw[0]}x{self._size_hw[1]} '
                f'(height x width) as the ones before it in {self.path}, got {height}x{width}; '
                'all frames of a video have one size'
            )
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), 'bgr24')
        self._container.mux(self._stream.encode(frame))

    def _open(self) -> tuple[av.container.OutputContainer, av.VideoStream]:
        import av

        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The index comes first, so that a browser plays what it has so far.
        container = av.open(str(self._temporary), 'w', options={'movflags': 'faststart'})
        rate = Fraction(self.fps).limit_denominator(1001)
        stream = container.add_stream('libx264', rate=rate, options={'crf': QUALITY})
        stream.height, stream.width = self._size_hw
        stream.pix_fmt = 'yuv420p'  # the only one that every browser plays
        return container, stream


def picture_sink(where: str | os.PathLike, fps: float = 25) -> PictureFolder | PictureVideo:
    """Where pictures go: a video if the name ends with ``.mp4``, else a folder."""
    if Path(where).suffix.lower() in VIDEO_SUFFIXES:
        return PictureVideo(where, fps)
    return PictureFolder(where)
