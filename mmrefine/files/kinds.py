"""What kind of input a path holds, seen from its name; no file is read."""

import os
from pathlib import Path

from .find import files_below

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')
# How the list of an image's instances ends in a Cityscapes result folder.
LIST_END = '_pred.txt'


def kind_of_input(images: str | os.PathLike, masks: str | os.PathLike) -> str:
    """What there is to refine: ``label-maps``, ``coco``, ``cityscapes`` or ``video``.

    Args:
        images: Folder, file or pattern of images, or a video.
        masks: What was predicted for them.
    """
    if is_video(images):
        return 'video'
    if Path(masks).suffix.lower() == '.json':
        return 'coco'
    return 'cityscapes' if is_cityscapes_folder(masks) else 'label-maps'


def is_video(path: str | os.PathLike) -> bool:
    """Whether a name is that of a video."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def is_cityscapes_folder(path: str | os.PathLike) -> bool:
    """Whether a folder has lists of instances."""
    return Path(path).is_dir() and any(found.name.endswith(LIST_END) for found in files_below(path))
