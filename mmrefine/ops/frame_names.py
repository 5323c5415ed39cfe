"""Which files are the frames of one video, and in which order, read from their names."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

# The last number of a name counts frames; folder and the rest of the name are the video.
LAST_NUMBER = r'(?P<video>.*?)(?P<frame>\d+)\D*'


def frame_key(path: str | os.PathLike, pattern: str = LAST_NUMBER) -> tuple[str, int]:
    r"""Video and number of a frame.

    ``'dogs/00012.jpg'`` is frame 12 of ``'dogs/'``, ``'val/0016E5_07959.png'`` frame 7959 of
    ``'val/0016E5_'``.

    Args:
        path: File of the frame.
        pattern: Regular expression for the whole path without its suffix, with the groups
            ``video`` and ``frame``, which must be a whole number. For Cityscapes
            ``r'(?P<video>.*)_(?P<frame>\d+)_leftImg8bit'``.

    Raises:
        ValueError: if the pattern lacks a group or the name does not match.
    """
    match = check_pattern(pattern).fullmatch(Path(path).with_suffix('').as_posix())
    if match is None or not match['frame'].isdecimal():
        raise ValueError(
            f'{path}: the name of a frame must match {pattern!r}, whose group frame is a number; '
            'give another pattern for other names'
        )
    return match['video'], int(match['frame'])


def check_pattern(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled.

    Raises:
        ValueError: if it is no regular expression with the groups ``video`` and ``frame``.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f'pattern: {pattern!r} is no regular expression: {error}') from error
    if not {'video', 'frame'} <= set(compiled.groupindex):
        raise ValueError(f"pattern: must have the groups 'video' and 'frame', got {pattern!r}")
    return compiled


def usual_step(steps: Iterable[int]) -> int:
    """By how much the numbers of a video's frames mostly grow; a larger step is a gap.

    Args:
        steps: Differences between the numbers of neighbouring frames, one or more.

    Returns:
        The commonest one; of several, the smallest.
    """
    counts = Counter(steps)
    return max(counts, key=lambda step: (counts[step], -step))


def order_frames(
    paths: Iterable[str | os.PathLike], pattern: str = LAST_NUMBER
) -> dict[str, list[int]]:
    """Positions in ``paths`` of the frames of each video, in the order of their numbers.

    Args:
        paths: Files in any order.
        pattern: As for ``frame_key``.

    Returns:
        From video to positions; videos in the order of their names.

    Raises:
        ValueError: as ``frame_key``; if two files are the same frame.
    """
    frames: dict[str, dict[int, int]] = {}
    names = list(paths)
    for position, path in enumerate(names):
        video, number = frame_key(path, pattern)
        other = frames.setdefault(video, {}).setdefault(number, position)
        if other != position:
            raise ValueError(
                f'{names[other]} and {path} are both frame {number} of {video!r}; '
                'give another pattern'
            )
    return {video: [frames[video][n] for n in sorted(frames[video])] for video in sorted(frames)}
