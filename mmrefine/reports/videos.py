"""Consistency of predictions over the frames of videos: figures, and the pairs behind them.

Legend: H, W = frame; h, w = feature grid.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..files.find import IMAGE_SUFFIXES, FileIndex, FoundFile, find_files
from ..files.label_maps import LABEL_SUFFIXES, read_label_map
from ..measures import RegionCounts, consistency_maps, perceptual_consistency, region_iou, total
from ..measures.counts import exact_mean
from ..ops import optical_flow, order_frames, warp_labels
from ..ops.frame_names import LAST_NUMBER, frame_key, usual_step
from ..ops.ignored import IGNORED_BYTE
from ..refiners import load_image
from ..registry import MODELS
from .binary_masks import Maps


@dataclass(frozen=True, order=True)
class PairScore:
    """Two neighbouring frames.

    Attributes:
        perceptual: Perceptual consistency, a fraction; NaN where nothing is to be judged.
        names: Of both frames.
        flow: What agrees along optical flow.
        labels: Label maps (H, W) of both, and the consistency (h, w) of the second; kept for the
            worst pairs only.
    """

    perceptual: float
    names: tuple[str, str] = field(compare=False)
    flow: RegionCounts = field(compare=False)
    labels: tuple[np.ndarray, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class VideoScores:
    """One prediction of all videos.

    Attributes:
        videos: Pairs of neighbouring frames, in order, by video.
        worst: The least consistent pairs, the worst first, with what pictures need.
    """

    videos: dict[str, list[PairScore]]
    worst: list[PairScore]

    def figures(self) -> dict[str, float]:
        """Per cent: means over all pairs, and means of the means of videos."""
        pooled = [pair for pairs in self.videos.values() for pair in pairs]
        each = [_figures(pairs) for pairs in self.videos.values()]
        found = _figures(pooled)
        for name in list(found):
            found[f'{name}_per_video'] = exact_mean(np.array([video[name] for video in each]))
        return {name: 100 * value for name, value in found.items()}


def _figures(pairs: Sequence[PairScore]) -> dict[str, float]:
    along = total(pair.flow for pair in pairs).figures()
    return {
        'perceptual_consistency': exact_mean(np.array([pair.perceptual for pair in pairs])),
        'flow_miou': along['miou'],
        'flow_accuracy': along['accuracy'],
    }


class Videos:
    """Frames below a folder, and the predictions of each.

    Args:
        frames: Folder of images, videos and order by their names.
        predictions: Folders of label maps named as the images, by name of the prediction.
        num_classes: Labels from this number on are no class.
        ignore_index: Label that is left out; None for masks, of 0 and 255 or of 0 and 1.
        pattern: How names are read, see ``mmrefine.ops.frame_key``.
        image_suffix, prediction_suffix: How the stems of files end after the common name.

    Attributes:
        videos: Frames of each video, in order.
        gaps: Pairs of frames with missing frames between them: they are not compared.

    Raises:
        ValueError: if nothing is found, names cannot be read, a prediction lacks a frame or holds
            masks of 0 and 255 where 255 is left out, or no video has two frames.
    """

    def __init__(
        self,
        frames: str | os.PathLike,
        predictions: Mapping[str, str | os.PathLike],
        num_classes: int,
        ignore_index: int | None = 255,
        pattern: str = LAST_NUMBER,
        image_suffix: str = '',
        prediction_suffix: str = '',
    ) -> None:
        found = find_files(frames, IMAGE_SUFFIXES, image_suffix)
        orders = order_frames(map(_frame_name, found), pattern)
        self.videos = {
            video.rstrip('/_-') or Path(frames).name: [found[place] for place in order]
            for video, order in orders.items()
            if len(order) > 1
        }
        if not self.videos:
            raise ValueError(f'{frames}: expected videos of two frames or more, found none')
        self.num_classes, self._of_masks = num_classes, ignore_index is None
        self.ignore_index = IGNORED_BYTE if ignore_index is None else ignore_index
        self._after_gap = {
            later.path for files in self.videos.values() for later in _after_gaps(files, pattern)
        }
        self.gaps = len(self._after_gap)
        self._labels = {
            name: FileIndex(
                [(file.name, file) for file in find_files(where, LABEL_SUFFIXES, prediction_suffix)]
            )
            for name, where in predictions.items()
        }
        for name, index in self._labels.items():
            where = str(predictions[name])
            files = [_label_file(index, file, where) for file in self.frames]
            if ignore_index == IGNORED_BYTE and Maps(where, [f.path for f in files]).are_binary():
                raise ValueError(
                    f'{where}: all label maps hold only 0 and 255, and 255 counts as ignored; '
                    'without --classes and --dataset they are read as background and object'
                )
        self._network: Any = MODELS.build(dict(type='mmrefine.PerceptualFeatures'))

    @property
    def frames(self) -> list[FoundFile]:
        """Those of all videos."""
        return [file for files in self.videos.values() for file in files]

    def score(
        self, pictures: int = 3, progress: Callable[[], object] = lambda: None
    ) -> dict[str, VideoScores]:
        """Measure all predictions, reading each frame once.

        Args:
            pictures: How many of the worst pairs keep what pictures need.
            progress: Called after each frame.

        Raises:
            ValueError: if a file is broken or of another size than the frames before.
        """
        scores = {name: VideoScores({}, []) for name in self._labels}
        for video, files in self.videos.items():
            before: Any = None
            for file in files:
                image = load_image(file.path)
                labels = {name: self._read(name, file, image) for name in self._labels}
                now = file, image, self._network.of_image(image), labels
                if before is not None and file.path not in self._after_gap:
                    self._score_pair(scores, video, before, now, pictures)
                before = now
                progress()
        for found in scores.values():
            found.worst.sort()
        return scores

    def _read(self, name: str, file: FoundFile, image: np.ndarray) -> np.ndarray:
        path = _label_file(self._labels[name], file, name).path
        labels = read_label_map(path).labels
        if labels.shape != image.shape[:2]:
            raise ValueError(f'{path}: {labels.shape}, its frame is {image.shape[:2]}')
        return (labels != 0).astype(np.uint8) if self._of_masks else labels

    def _score_pair(
        self,
        scores: dict[str, VideoScores],
        video: str,
        before: tuple[FoundFile, np.ndarray, Any, dict[str, np.ndarray]],
        now: tuple[FoundFile, np.ndarray, Any, dict[str, np.ndarray]],
        pictures: int,
    ) -> None:
        if before[1].shape != now[1].shape:
            raise ValueError(
                f'{now[0].path}: {now[1].shape[:2]}, the frame before is {before[1].shape[:2]}; '
                'the frames of a video must be of one size'
            )
        flow = optical_flow(now[1], before[1])
        features = before[2], now[2]
        for name, found in scores.items():
            maps = before[3][name], now[3][name]
            counts = perceptual_consistency(features, maps, self.ignore_index)
            warped = warp_labels(maps[0].astype(np.int64), flow, self.ignore_index)
            warped[maps[1] == self.ignore_index] = self.ignore_index
            warped[warped >= self.num_classes] = self.ignore_index
            along = region_iou(maps[1], warped, self.num_classes, self.ignore_index)
            score = float(counts.scores()[0])
            names = before[0].name, now[0].name
            found.videos.setdefault(video, []).append(PairScore(score, names, along))
            worst = heapq.nsmallest(pictures, [*found.worst, PairScore(score, names, along)])
            if pictures and not np.isnan(score) and any(pair.names == names for pair in worst):
                shown = consistency_maps(features, maps, self.ignore_index)[1].cpu().numpy()
                kept = PairScore(score, names, along, (*maps, shown))
                found.worst[:] = heapq.nsmallest(pictures, [*found.worst, kept])


def _frame_name(file: FoundFile) -> str:
    """The name of a frame with its suffix, which is no part of the number."""
    return f'{file.name}{file.path.suffix}'


def _after_gaps(files: Sequence[FoundFile], pattern: str) -> list[FoundFile]:
    """Frames before which others are missing."""
    numbers = [frame_key(_frame_name(file), pattern)[1] for file in files]
    steps = [after - before for before, after in pairwise(numbers)]
    usual = usual_step(steps)
    return [file for file, step in zip(files[1:], steps, strict=True) if step > usual]


def _label_file(index: FileIndex, file: FoundFile, where: str) -> FoundFile:
    try:
        return index.find(file.name)
    except LookupError as error:
        raise ValueError(f'{where}: no label map for the frame {file.path}: {error}') from error
