"""What kind of input a path holds, seen from its name; no file is read."""

import os
from pathlib import Path

from .find import files_below

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v')
# How the list of an image's instances ends in a Cityscapes result folder.
LIST_END = '_pred.txt'
# Files of instances that are no COCO file: YOLO's labels, mmdet's results.
INSTANCE_SUFFIXES = ('.txt', '.pkl', '.pickle')


def kind_of_input(images: str | os.PathLike, masks: str | os.PathLike) -> str:
    """What there is to refine: ``label-maps``, ``coco``, ``instances``, ``cityscapes``, ``video``.

    Args:
        images: Folder, file or pattern of images, or a video.
        masks: What was predicted for them.
    """
    if is_video(images):
        return 'video'
    if Path(masks).suffix.lower() == '.json':
        return 'coco'
    if Path(masks).suffix.lower() in INSTANCE_SUFFIXES:
        return 'instances'
    if is_cityscapes_folder(masks):
        return 'cityscapes'
    return 'instances' if is_folder_of_instances(masks) else 'label-maps'


def is_video(path: str | os.PathLike) -> bool:
    """Whether a name is that of a video."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def is_cityscapes_folder(path: str | os.PathLike) -> bool:
    """Whether a folder has lists of instances."""
    return Path(path).is_dir() and any(found.name.endswith(LIST_END) for found in files_below(path))


def is_folder_of_instances(path: str | os.PathLike) -> bool:
    """Whether a folder has a file of instances for each image, and no label maps."""
    if not Path(path).is_dir():
        return False
    suffixes = {file.suffix.lower() for file in files_below(path)}
    return bool({'.json', '.txt'} & suffixes) and not {'.png', '.npy', '.tif', '.tiff'} & suffixes


def holds_instances(path: str | os.PathLike) -> bool:
    """Whether a file or folder is of instances, and not of label maps."""
    suffix = Path(path).suffix.lower()
    return suffix == '.json' or suffix in INSTANCE_SUFFIXES or is_folder_of_instances(path)
