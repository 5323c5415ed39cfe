"""Predicted instances against true ones, in files of any format that is refined.

AP, boundary AP and AF are the evaluator's, over everything. What lies where is looked at in the
instances that every prediction finds, so that the same pixels are compared.

Shape legend: H, W = image; P = predictions; C = categories.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..files.as_coco import of_one_class, results_of
from ..files.coco_annotations import check_segmentations, name_for_people
from ..measures import TrimapCounts, total, trimap_iou
from ..measures.fscore import tolerance_in_pixels
from ..ops.run_lengths import decode_mask
from ..runs.pool import in_processes
from .classes import distinct_colours
from .evaluation import (
    WIDTHS,
    Evaluation,
    Measure,
    bands_of,
    measure,
    tolerance_label,
    tolerance_name,
)
from .scores import ImageCounts, Scene, add_up, score_of
from .truth import Truth, read_truth

# A true instance is found where a result overlaps it so much.
FOUND_IOU = 0.5
NAMES = {
    'ap': 'AP',
    'ap50': 'AP at IoU 0.5',
    'ap75': 'AP at IoU 0.75',
    'ap_small': 'AP, small',
    'ap_medium': 'AP, medium',
    'ap_large': 'AP, large',
}
BACKGROUND = (235, 235, 235)
INSTANCE_COLOURS = 12


@dataclass(frozen=True)
class InstanceRules:
    """How instances are measured.

    Attributes:
        tolerances: Of AF: pixels if at least 1, else shares of the diagonal.
        dilation_ratio: Of boundary AP: 0.02 for COCO and LVIS, 0.005 for Cityscapes.
    """

    tolerances: tuple[float, ...] = (1,)
    dilation_ratio: float = 0.02

    def __post_init__(self) -> None:
        if not self.tolerances:
            raise ValueError('tolerances: expected at least one, got none')
        for tolerance in self.tolerances:
            tolerance_in_pixels(tolerance, (1, 1))
        if not 0 < self.dilation_ratio < 1:
            raise ValueError(f'dilation_ratio: expected between 0 and 1, got {self.dilation_ratio}')


@dataclass(frozen=True)
class _ResultsTask:
    """One result file as a whole."""

    path: Path
    truth: Truth
    rules: InstanceRules

    def run(self) -> tuple[dict[str, Any], dict[int, Any]]:
        """Figures, and the segmentation that was found for each annotation, by its place."""
        from ..measures import coco  # optional: needs faster-coco-eval

        results, annotations = self._results(), self.truth.content
        check_segmentations(results, annotations, self.path)
        first, *others = self.rules.tolerances
        try:
            figures = coco.instance_figures(
                annotations, results, dilation_ratio=self.rules.dilation_ratio, tolerance=first
            )
            afs = [figures]
            for tolerance in others:
                pair = (annotations, results, ['af'])
                afs.append(coco.instance_figures(*pair, tolerance=tolerance))
            matches = coco.matched_instances(annotations, results, FOUND_IOU)
        except ValueError as error:
            raise ValueError(f'{self.path}: {error}') from error
        figures['afs'] = [(af['af'], af['af_per_category']) for af in afs]
        return figures, {true: results[found]['segmentation'] for found, true in matches}

    def _results(self) -> list[dict[str, Any]]:
        results = results_of(self.path, self.truth.given)
        for index, result in enumerate(results):
            for key in ('image_id', 'category_id'):
                if isinstance(result.get(key), list | dict):
                    got = result[key]
                    raise ValueError(f'{self.path}: entry {index}: {key} is no id: {got!r:.60}')
            score = result.get('score', 1.0)
            if isinstance(score, bool) or not isinstance(score, int | float):
                raise ValueError(
                    f'{self.path}: entry {index}: expected a number as score, got {score!r:.60}'
                )
        return of_one_class(results) if self.truth.one_class else results


@dataclass(frozen=True)
class InstancesTask:
    """The instances of one image that every prediction finds.

    Attributes:
        name: File name of the image.
        image_name: The same.
        size_hw: Its size.
        targets: True segmentations.
        predictions: For each of them, the segmentation of each prediction.
    """

    name: str
    image_name: str
    size_hw: tuple[int, int]
    targets: tuple[Any, ...]
    predictions: tuple[tuple[Any, ...], ...]

    def scene(self) -> Scene:
        """Decode the masks and paint them: background 0, then one label for each instance.

        A pixel is wrong if it is wrong in one of the instances.
        """
        number = len(self.predictions[0])
        maps = np.zeros((number + 1, *self.size_hw), np.int64)
        wrong = np.zeros((number, *self.size_hw), bool)
        for label, (target, *masks) in enumerate(self._masks()):
            maps[0][target] = 1 + label % INSTANCE_COLOURS
            for p, mask in enumerate(masks):
                maps[p + 1][mask] = 1 + label % INSTANCE_COLOURS
                wrong[p] |= mask ^ target
        palette = np.array([BACKGROUND, *distinct_colours(INSTANCE_COLOURS)], np.uint8)
        judged = np.ones(self.size_hw, bool)
        return Scene(maps[0], list(maps[1:]), wrong, judged, palette)

    def count(self) -> ImageCounts:
        """Decode the masks and count; the score is relative to the area of the true instances."""
        parts: list[list[TrimapCounts]] = [[] for _ in self.predictions[0]]
        for target, *masks in self._masks():
            crop = _crop([target, *masks])
            for p, mask in enumerate(masks):
                parts[p].append(trimap_iou(mask[crop], target[crop], WIDTHS))
        scene = self.scene()
        score = score_of(self.name, scene, int(np.count_nonzero(scene.target)))
        return ImageCounts(score, [{'trimap': total(found)} for found in parts])

    def _masks(self) -> Iterator[list[np.ndarray]]:
        for target, segmentations in zip(self.targets, self.predictions, strict=True):
            yield [decode_mask(s, self.size_hw) for s in (target, *segmentations)]


def _crop(masks: Sequence[np.ndarray]) -> tuple[slice, slice]:
    """The box around masks and the widest band: what is farther away is right in all of them."""
    x, y, width, height = cv2.boundingRect(np.logical_or.reduce(masks).view(np.uint8))
    margin = WIDTHS[-1] + 1
    rows = slice(max(y - margin, 0), y + height + margin)
    return rows, slice(max(x - margin, 0), x + width + margin)


def evaluate_results(
    predictions: Mapping[str, str | os.PathLike],
    annotations: str | os.PathLike,
    rules: InstanceRules | None = None,
    workers: int = 1,
    progress: Callable[[int], Callable[[], object]] = lambda number: lambda: None,
    truth: Truth | None = None,
) -> Evaluation:
    """Measure predicted instances.

    Args:
        predictions: File or folder of each prediction; others are compared with the first.
        annotations: True instances.
        rules: How is measured.
        workers: Most processes.
        progress: Told how many steps there are, once for the files and once for the images;
            gives what is called after each step.
        truth: ``annotations``, if they are read already.

    Raises:
        ValueError: if a file is broken, or has unknown image or category ids; the text names
            them.
        ImportError: if faster-coco-eval is not installed.
    """
    rules = rules or InstanceRules()
    truth = truth or read_truth(annotations, predictions.values())
    content = truth.content
    files = [_ResultsTask(Path(path), truth, rules) for path in predictions.values()]
    step = progress(len(files))
    figures, found = [], []
    for file_figures, file_found in in_processes(_ResultsTask.run, files, workers):
        figures.append(file_figures)
        found.append(file_found)
        step()
    tasks, common = _image_tasks(content, found)
    scores, counts = add_up(tasks, len(predictions), workers, progress(len(tasks)))
    every = sum(not annotation.get('iscrowd', 0) for annotation in content['annotations'])
    trimaps = [c['trimap'] for c in counts] if tasks else _no_counts(len(predictions))
    return Evaluation(
        kind='instances',
        subject=f'{every} instances in {len(content["images"])} images',
        predictions=predictions,
        ground_truth=annotations,
        classes=list(figures[0]['ap_per_category']),
        palette=None,
        measures=_measures(figures, rules),
        bands=bands_of(trimaps),
        scores=scores,
        tasks=tasks,
        settings={'tolerances': list(rules.tolerances), 'dilation_ratio': rules.dilation_ratio},
        remarks=[
            f'AP, boundary AP and AF judge all {every} true instances. Errors by distance, IoU in '
            f'bands and pictures are of the {common} that every prediction finds (IoU of at least '
            f'{FOUND_IOU:g}); shares of pixels are relative to their area.',
            *truth.remarks,
        ],
    )


def _no_counts(number: int) -> list[TrimapCounts]:
    nothing = np.zeros((2, 2), bool)
    return [trimap_iou(nothing, nothing, WIDTHS)] * number


def _image_tasks(
    content: dict[str, Any], found: Sequence[dict[int, Any]]
) -> tuple[list[InstancesTask], int]:
    """A task for each image with instances that all predictions find, and how many these are."""
    common = sorted(set.intersection(*map(set, found)))
    by_image = defaultdict(list)
    for place in common:
        by_image[content['annotations'][place]['image_id']].append(place)
    tasks = []
    for image in content['images']:
        places = by_image.get(image['id'])
        if places:
            name = name_for_people(image)
            targets = tuple(content['annotations'][k]['segmentation'] for k in places)
            masks = tuple(tuple(segmentation[k] for segmentation in found) for k in places)
            size = (image['height'], image['width'])
            tasks.append(InstancesTask(name, name, size, targets, masks))
    return tasks, len(common)


def _measures(figures: Sequence[dict[str, Any]], rules: InstanceRules) -> list[Measure]:
    categories = list(figures[0]['ap_per_category'])
    measures = []
    for prefix, kind in (('', 'Mask'), ('boundary_', 'Boundary')):
        for key, name in NAMES.items():
            values = [f[prefix + key] for f in figures]
            per_class = None
            if key == 'ap':
                per_class = [list(f[f'{prefix}ap_per_category'].values()) for f in figures]
            measures.append(measure(prefix + key, f'{kind} {name}', values, per_class))
    for index, tolerance in enumerate(rules.tolerances):
        found = [f['afs'][index] for f in figures]
        per_class = [[by_name.get(c, np.nan) for c in categories] for _, by_name in found]
        key = 'af' if len(rules.tolerances) == 1 else f'af_{tolerance_name(tolerance)}'
        label = f'AF, {tolerance_label(tolerance)}'
        measures.append(measure(key, label, [af for af, _ in found], per_class))
    return measures
