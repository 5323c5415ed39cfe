"""Folders of label maps against a folder of ground truth.

Shape legend: H, W = image; P = predictions; C = classes.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files.find import FoundFile, find_files
from ..files.label_maps import LABEL_SUFFIXES
from ..files.pairs import counterparts, missing_text
from ..measures import (
    BoundaryDistance,
    Counts,
    boundary_fscore,
    boundary_iou,
    mean_boundary_accuracy,
    region_iou,
    trimap_iou,
    true_boundary_distance,
)
from .binary_masks import Maps, refuse_binary
from .evaluation import (
    WIDTHS,
    Evaluation,
    Measure,
    bands_of,
    measure,
    tolerance_label,
    tolerance_name,
)
from .label_map_rules import LabelMapRules
from .scores import ImageCounts, Scene, add_up, score_of

# Bands whose mIoU is in the table; the curve has them all.
TABLE_WIDTHS = (1, 3, 5, 10)


@dataclass(frozen=True)
class ComparedLabelMaps:
    """One image.

    Attributes:
        name: Name of the ground truth below its folder, without suffix.
        target: Ground truth.
        predictions: P label maps.
        rules: What the labels mean.
    """

    name: str
    target: Path
    predictions: tuple[Path, ...]
    rules: LabelMapRules

    @property
    def image_name(self) -> str:
        """The same as ``name``: a photograph is called as its label map."""
        return self.name

    def scene(self) -> Scene:
        """Read the label maps.

        Raises:
            ValueError: if one cannot be read, has a label that is no class or another size than
                the ground truth.
        """
        target = self.rules.read(self.target, is_target=True)
        predictions = []
        for path in self.predictions:
            labels = self.rules.read(path, is_target=False)
            if labels.shape != target.shape:
                raise ValueError(
                    f'{path}: expected the size of {self.target}, {_size(target)} '
                    f'(height x width), got {_size(labels)}'
                )
            predictions.append(labels)
        judged = target != self.rules.no_class
        wrong = np.stack([(labels != target) & judged for labels in predictions])
        palette = np.array(self.rules.classes.palette, np.uint8)
        return Scene(target, predictions, wrong, judged, palette)

    def count(self) -> ImageCounts:
        """Read the label maps and count."""
        scene = self.scene()
        distance = true_boundary_distance(scene.target, WIDTHS[-1], **self._common)
        counts = [self._counts(labels, scene.target, distance) for labels in scene.predictions]
        pixels = int(np.count_nonzero(scene.judged))
        classes = len(self.rules.classes.names)
        return ImageCounts(score_of(self.name, scene, pixels, classes), counts)

    @property
    def _common(self) -> dict[str, Any]:
        return dict(
            num_classes=len(self.rules.classes.names),
            ignore_index=self.rules.no_class,
            void_boundary=self.rules.void_boundary,
        )

    def _counts(
        self, labels: np.ndarray, target: np.ndarray, distance: BoundaryDistance
    ) -> dict[str, Counts]:
        pair, common, rules = (labels, target), self._common, self.rules
        counts: dict[str, Counts] = {
            'region': region_iou(*pair, common['num_classes'], rules.no_class),
            'boundary_iou': boundary_iou(*pair, rules.dilation_ratio, **common),
            'mba': mean_boundary_accuracy(*pair, **common),
            'trimap': trimap_iou(*pair, WIDTHS, **common, distance=distance),
        }
        for tolerance in rules.tolerances:
            counts[_fscore_key(tolerance)] = boundary_fscore(*pair, tolerance, **common)
        return counts


def _size(labels: np.ndarray) -> str:
    return f'{labels.shape[0]}x{labels.shape[1]}'


def _fscore_key(tolerance: float) -> str:
    return f'fscore_{tolerance_name(tolerance)}'


def compared_label_maps(
    predictions: Mapping[str, str | os.PathLike],
    ground_truth: str | os.PathLike,
    rules: LabelMapRules,
    prediction_suffix: str = '',
    gt_suffix: str = '',
) -> list[ComparedLabelMaps]:
    """Bring ground truth and predictions together by name.

    Args:
        predictions: Folder of each prediction.
        ground_truth: Folder of the ground truth.
        rules: What the labels mean.
        prediction_suffix: How the stems of predictions end after the name they share with the
            ground truth, for example ``_leftImg8bit``.
        gt_suffix: The same for the ground truth, for example ``_gtFine_labelTrainIds``.

    Raises:
        ValueError: if a folder is empty, or a file has no counterpart; the text names all of
            them.
    """
    targets = find_files(ground_truth, LABEL_SUFFIXES, gt_suffix)
    columns: list[list[FoundFile]] = []
    missing: list[str] = []
    for folder in predictions.values():
        files = find_files(folder, LABEL_SUFFIXES, prediction_suffix)
        column, without = counterparts(targets, [(file.name, file) for file in files], folder)
        columns.append(column)
        missing += without
        used = {file.path for file in column}
        missing += [
            f'{file.path}: no ground truth of that name in {ground_truth}'
            for file in files
            if file.path not in used
        ]
    if missing:
        raise ValueError(missing_text(missing))
    rows = zip(targets, *columns, strict=True)
    return [
        ComparedLabelMaps(target.name, target.path, tuple(file.path for file in files), rules)
        for target, *files in rows
    ]


def evaluate_label_maps(
    predictions: Mapping[str, str | os.PathLike],
    ground_truth: str | os.PathLike,
    rules: LabelMapRules,
    tasks: Sequence[ComparedLabelMaps],
    workers: int = 1,
    progress: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Measure label maps.

    Args:
        predictions: Folder of each prediction; others are compared with the first.
        ground_truth: Folder of the ground truth.
        rules: What the labels mean and how is measured.
        tasks: The images, from ``compared_label_maps``.
        workers: Most processes.
        progress: Called after each image.

    Raises:
        ValueError: if a file is broken, has labels that are no classes or the wrong size. The
            text names it.
    """
    places = [ground_truth, *predictions.values()]
    files = zip(*([task.target, *task.predictions] for task in tasks), strict=True)
    truth, *judged = [Maps(place, paths) for place, paths in zip(places, files, strict=True)]
    refuse_binary(truth, judged, len(rules.classes.names), rules.ignore_index)
    scores, counts = add_up(tasks, len(predictions), workers, progress)
    bands = bands_of([found['trimap'] for found in counts])
    measures = [*_region_measures(counts), *_boundary_measures(counts, rules)]
    for side, of in (('inside', 'within'), ('outside', 'beyond')):
        for width in TABLE_WIDTHS:
            values = getattr(bands, side)[:, WIDTHS.index(width)] / 100
            measures.append(measure(f'miou_{side}_{width}px', f'mIoU {of} {width} px', values))
    return Evaluation(
        kind='label maps',
        subject=f'{len(tasks)} label maps',
        predictions=predictions,
        ground_truth=ground_truth,
        classes=rules.classes.names,
        palette=rules.classes.palette,
        measures=measures,
        bands=bands,
        scores=scores,
        tasks=tasks,
        settings={
            'tolerances': list(rules.tolerances),
            'average': rules.average,
            'dilation_ratio': rules.dilation_ratio,
            'ignore_index': rules.ignore_index,
            'reduce_zero_label': rules.reduce_zero_label,
            'void_boundary': rules.void_boundary,
        },
    )


def _region_measures(counts: Sequence[dict[str, Any]]) -> list[Measure]:
    figures = [found['region'].figures() for found in counts]
    miou = measure(
        'miou', 'mIoU', [f['miou'] for f in figures], [f['iou_per_class'] for f in figures]
    )
    accuracy = [
        measure(key, label, [f[key] for f in figures])
        for key, label in (('accuracy', 'Pixel accuracy'), ('mean_accuracy', 'Mean accuracy'))
    ]
    return [miou, *accuracy]


def _boundary_measures(counts: Sequence[dict[str, Any]], rules: LabelMapRules) -> list[Measure]:
    measures = []
    for tolerance in rules.tolerances:
        key = _fscore_key(tolerance)
        figures = [found[key].figures(rules.average) for found in counts]
        label = f'Boundary F-score, {tolerance_label(tolerance)}'
        values = [f['fscore'] for f in figures]
        measures.append(measure(key, label, values, [f['fscore_per_class'] for f in figures]))
    figures = [found['boundary_iou'].figures() for found in counts]
    values = [f['boundary_iou'] for f in figures]
    per_class = [f['boundary_iou_per_class'] for f in figures]
    measures.append(measure('boundary_iou', 'Boundary IoU', values, per_class))
    values = [found['mba'].figures()['mba'] for found in counts]
    return [*measures, measure('mba', 'Mean boundary accuracy', values)]
