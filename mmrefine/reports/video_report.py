"""Consistency over time as ``video.json``, ``video.csv`` and a page ``video.html``."""

import csv
import io
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import cv2
import jinja2
import numpy as np

from ..files.find import FoundFile
from ..files.whole_files import write_whole_file
from ..refiners import load_image
from ..version import __version__
from .classes import ClassList
from .gallery import JPEG_QUALITY, data_uri, draw_labels
from .plots import consistency_plot, legend
from .report import svg_uri, text_cell
from .videos import PairScore, VideoScores

NAMES = ('video.json', 'video.csv', 'video.html')
FIGURES = {
    'perceptual_consistency': 'perceptual consistency',
    'perceptual_consistency_per_video': 'perceptual consistency, mean of videos',
    'flow_miou': 'mIoU along optical flow',
    'flow_miou_per_video': 'mIoU along optical flow, mean of videos',
    'flow_accuracy': 'equal pixels along optical flow',
    'flow_accuracy_per_video': 'equal pixels along optical flow, mean of videos',
}


def write_video_report(
    folder: str | os.PathLike,
    scores: Mapping[str, VideoScores],
    frames: list[FoundFile],
    classes: ClassList,
) -> list[Path]:
    """Write the three files; each gets its name when it is complete.

    Args:
        folder: Where they go; it is made if it is not there.
        scores: What was found, by prediction.
        frames: Those of all videos, for pictures.
        classes: Names and colours.

    Returns:
        The files.
    """
    contents = (
        json.dumps(_content(scores), indent=1),
        _rows(scores),
        _page(scores, {file.name: file.path for file in frames}, classes),
    )
    paths = [Path(folder) / name for name in NAMES]
    for path, content in zip(paths, contents, strict=True):
        write_whole_file(path, content.encode())
    return paths


def _content(scores: Mapping[str, VideoScores]) -> dict:
    def plain(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        name: {
            'figures': {key: plain(value) for key, value in found.figures().items()},
            'pairs': {
                video: [[*pair.names, plain(100 * pair.perceptual)] for pair in pairs]
                for video, pairs in found.videos.items()
            },
        }
        for name, found in scores.items()
    }


def _rows(scores: Mapping[str, VideoScores]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(['prediction', 'video', 'frame', 'next', 'perceptual', 'flow'])
    for name, found in scores.items():
        for video, pairs in found.videos.items():
            for pair in pairs:
                figures = pair.perceptual, pair.flow.figures()['miou']
                names = map(text_cell, (name, video, *pair.names))
                writer.writerow([*names, *(f'{100 * f:.3f}' for f in figures)])
    return text.getvalue()


def _page(scores: Mapping[str, VideoScores], paths: Mapping[str, Path], classes: ClassList) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    figures = {name: found.figures() for name, found in scores.items()}
    lines = [
        [100 * pair.perceptual for pairs in found.videos.values() for pair in pairs]
        for found in scores.values()
    ]
    starts = np.cumsum([0, *(len(p) for p in next(iter(scores.values())).videos.values())])[1:-1]
    palette = np.array(classes.palette, np.uint8)
    pictures = {
        name: [(pair, _panels(pair, paths, palette)) for pair in found.worst]
        for name, found in scores.items()
    }
    return environment.get_template('video_template.html').render(
        names=list(scores),
        labels=FIGURES,
        figures=figures,
        legend=legend(scores),
        plot=svg_uri(consistency_plot(lines, [int(start) for start in starts])),
        pictures=pictures,
        version=__version__,
    )


def _panels(pair: PairScore, paths: Mapping[str, Path], palette: np.ndarray) -> list[str]:
    """Both frames with their labels, and the second with what is inconsistent in red."""
    *maps, consistency = pair.labels
    images = [cv2.cvtColor(load_image(paths[name]), cv2.COLOR_BGR2RGB) for name in pair.names]
    panels = [
        cv2.addWeighted(image, 0.5, _colours(labels, palette), 0.5, 0)
        for labels, image in zip(maps, images, strict=True)
    ]
    size = images[1].shape[1::-1]
    doubt = 1 - np.nan_to_num(consistency, nan=1).clip(0, 1).astype(np.float32)
    full = np.asarray(cv2.resize(doubt, size, interpolation=cv2.INTER_LINEAR))[..., None]
    grey = cv2.cvtColor(cv2.cvtColor(images[1], cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    panels.append((grey * (1 - full) + np.array([213, 94, 0]) * full).astype(np.uint8))
    quality = cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY
    return [data_uri(panel, 'jpeg', *quality) for panel in panels]


def _colours(labels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Labels (H, W) in their colours, at their own size."""
    return draw_labels(labels.astype(np.int64), palette, None, width=labels.shape[1])
