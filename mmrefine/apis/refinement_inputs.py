"""Images and what was predicted for them, brought together: one by one, lists, folders, videos."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files.find import find_files, find_images
from ..files.kinds import is_video
from ..files.label_maps import LABEL_SUFFIXES
from ..files.pairs import counterparts, missing_text
from ..files.video_frames import VideoFrames
from ..refiners import Image


@dataclass(frozen=True)
class RefinementInput:
    """One image and what was predicted for it.

    Attributes:
        name: What its files are called, without suffix; may have folders.
        image: Path, or BGR uint8 (H, W, 3).
        predictions: As for ``mmrefine.apis.refine``.
        truth: What they should be, of any of these kinds, if known.
    """

    name: str
    image: Image
    predictions: Any
    truth: Any = None


@dataclass(frozen=True)
class RefinementInputs:
    """All images of one call.

    Attributes:
        number: How many there are.
        entries: They, one after the other; frames of a video are read when it is their turn.
        folders: Folders they come from.
        fps: Frames a second, if they are those of a video.
    """

    number: int
    entries: Iterator[RefinementInput]
    folders: tuple[Path, ...] = ()
    fps: float | None = None


def pair_inputs(images: Any, predictions: Any, truths: Any = None) -> RefinementInputs:
    """Bring images, predictions and, if given, ground truths together.

    Args:
        images: One image, path or BGR uint8 (H, W, 3); a list of them; a folder of images; or a
            video file.
        predictions: What was predicted for it; a list of the same length; a folder of label maps
            with the names of the images; or a folder with one label map for each frame, in the
            order of their names.
        truths: Like ``predictions``.

    Raises:
        ValueError: if anything has no counterpart, or a video cannot be read.
    """
    if isinstance(images, str | os.PathLike):
        path = Path(images)
        if path.is_dir():
            return _from_folders(path, predictions, truths)
        if is_video(path):
            return _from_video(path, predictions, truths)
    if not isinstance(images, list | tuple):
        images, predictions = [images], [predictions]
        truths = None if truths is None else [truths]
    for name, values in (('masks', predictions), ('ground_truth', truths)):
        if values is not None and (
            not isinstance(values, list | tuple) or len(values) != len(images)
        ):
            got = len(values) if isinstance(values, list | tuple) else type(values).__name__
            raise ValueError(f'{name}: expected a list of {len(images)}, one an image, got {got}')
    truths = [None] * len(images) if truths is None else truths
    names = _names(images)
    found = map(RefinementInput, names, images, predictions, truths)
    return RefinementInputs(len(images), found)


def _names(images: Sequence[Image]) -> list[str]:
    """Names of files, or numbers; none twice."""
    names: list[str] = []
    for number, image in enumerate(images):
        name = Path(image).stem if isinstance(image, str | os.PathLike) else f'{number:08d}'
        names.append(f'{name}_{number:08d}' if name in names else name)
    return names


def _from_folders(images: Path, predictions: Any, truths: Any) -> RefinementInputs:
    found = find_images(images)
    missing: list[str] = []
    columns: list[Sequence[Any]] = []
    folders = [images]
    for name, folder in (('masks', predictions), ('ground_truth', truths)):
        if folder is None:
            columns.append([None] * len(found))
            continue
        folders.append(_folder(name, folder))
        files = [(file.name, file) for file in find_files(folder, LABEL_SUFFIXES)]
        paired, lines = counterparts(found, files, folder)
        columns.append([file.path for file in paired])
        missing += lines
    if missing:
        raise ValueError(missing_text(missing))
    entries = (
        RefinementInput(file.full_name, file.path, mask, truth)
        for file, mask, truth in zip(found, *columns, strict=True)
    )
    return RefinementInputs(len(found), entries, tuple(folders))


def _from_video(video: Path, predictions: Any, truths: Any) -> RefinementInputs:
    masks = find_files(_folder('masks', predictions), LABEL_SUFFIXES)
    frames = VideoFrames(video, masks, predictions)
    true: Sequence[Path | None] = [None] * len(masks)
    if truths is not None:
        files = [(file.name, file) for file in find_files(truths, LABEL_SUFFIXES)]
        paired, missing = counterparts(masks, files, truths)
        if missing:
            raise ValueError(missing_text(missing))
        true = [file.path for file in paired]
    entries = (
        RefinementInput(file.full_name, frame, file.path, truth)
        for (file, frame), truth in zip(frames, true, strict=True)
    )
    return RefinementInputs(len(masks), entries, (Path(predictions),), frames.fps)


def _folder(name: str, given: Any) -> Path:
    if not isinstance(given, str | os.PathLike) or not Path(given).is_dir():
        what = given if isinstance(given, str | os.PathLike) else type(given).__name__
        raise ValueError(f'{name}: expected a folder of label maps, got {what}')
    return Path(given)
