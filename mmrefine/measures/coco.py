"""Figures of instance results in COCO's format: mask AP, boundary AP, AF.

Matching and average precision are faster-coco-eval's.
"""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..files.json_files import read_json
from ..ops.run_lengths import decode_mask, encode_mask, mask_codec, run_lengths
from .counts import exact_mean, total
from .instances import (
    IOU_THRESHOLDS,
    InstanceBoundaryFScoreCounts,
    instance_boundary_fscore,
    joint_crop,
)
from .upper_bound import correct_near_boundary

try:
    from faster_coco_eval import COCO, COCOeval_faster
except ImportError as error:
    raise ImportError(
        'instance figures need faster-coco-eval; install it with "pip install faster-coco-eval"'
    ) from error

Annotations = str | os.PathLike | dict[str, Any]
Results = str | os.PathLike | Sequence[dict[str, Any]]
RESULT_KEYS = ('image_id', 'category_id', 'score', 'segmentation')
AREAS = ('all', 'small', 'medium', 'large')


def instance_figures(
    annotations: Annotations,
    results: Results,
    measures: Sequence[str] = ('ap', 'boundary_ap', 'af'),
    dilation_ratio: float = 0.02,
    tolerance: float = 1,
    max_detections: int = 100,
    image_ids: Iterable[Any] | None = None,
) -> dict[str, Any]:
    """Mask AP, boundary AP and AF of a dataset.

    Args:
        annotations: COCO annotations: a file, or its content.
        results: COCO instance results with ``segmentation``: a file, or its content.
        measures: Which of ``'ap'``, ``'boundary_ap'`` and ``'af'``.
        dilation_ratio: For boundary AP: 0.02 for COCO and LVIS, 0.005 for Cityscapes.
        tolerance: For AF, as in ``mmrefine.measures.boundary_fscore``.
        max_detections: Best-scored instances counted per image and category.
        image_ids: The images that were predicted; default: all in the annotations.

    Returns:
        Fractions of 1, NaN where there is nothing to judge. ``ap``, ``ap50``, ``ap75``,
        ``ap_small``, ``ap_medium``, ``ap_large``, ``ap_per_category`` (by name, see
        ``category_names``); the same with ``boundary_`` in front; ``af``,
        ``af_per_threshold``, ``af_per_category``.

    Raises:
        ValueError: A measure of another name; results with image or category ids that the
            annotations do not have, without a score or a mask, or with a mask of another
            size than the image.
    """
    unknown = sorted(set(measures) - {'ap', 'boundary_ap', 'af'})
    if unknown:
        raise ValueError(f"measures: must be of 'ap', 'boundary_ap', 'af', got {unknown}")
    truth, predicted = load_pair(annotations, results)
    images = _numbers_of(image_ids, truth)
    figures: dict[str, Any] = {}
    if 'boundary_ap' in measures:
        boundary = _Evaluator(truth, predicted, max_detections, images, 'boundary', dilation_ratio)
        figures |= {f'boundary_{k}': v for k, v in boundary.average_precision().items()}
    masks = _Evaluator(truth, predicted, max_detections, images)
    if 'ap' in measures:
        figures |= masks.average_precision()
    if 'af' in measures:
        found = _matched_fscores(masks, tolerance).figures()
        names = category_names(truth.cats.values())
        per_category = {names[c]: f for c, f in found['af_per_category'].items()}
        figures |= found | {'af_per_category': per_category}
    return figures


def matched_instances(
    annotations: Annotations,
    results: Results,
    iou_threshold: float = 0.5,
    max_detections: int = 100,
    image_ids: Iterable[Any] | None = None,
) -> list[tuple[int, int]]:
    """Which result the evaluator takes for which true instance, crowds left out.

    Args:
        annotations: COCO annotations: a file, or its content.
        results: COCO instance results with ``segmentation``: a file, or its content.
        iou_threshold: Least mask IoU of a pair.
        max_detections: Best-scored instances counted per image and category.
        image_ids: The images that were predicted; default: all in the annotations.

    Returns:
        Places in ``results`` and in ``annotations['annotations']``, in order.

    Raises:
        ValueError: As ``instance_figures``.
    """
    truth, predicted = load_pair(annotations, results)
    images = _numbers_of(image_ids, truth)
    evaluator = _Evaluator(truth, predicted, max_detections, images)
    # Both are numbered from 1.
    return sorted((found - 1, true - 1) for found, true in evaluator.matches(iou_threshold))


def instance_upper_bound(
    annotations: Annotations,
    results: Results,
    distances: Sequence[float] = (1, 2, 3, math.inf),
    max_detections: int = 100,
    image_ids: Iterable[Any] | None = None,
) -> dict[str, np.ndarray]:
    """Mask AP if all pixels near the boundary of predicted instances were right (BPR, Table 1).

    Every instance that matches a true one at IoU 0.5 gets the true labels within a distance
    of its own boundary (``mmrefine.measures.correct_near_boundary``). Missed instances,
    false ones and wrong categories stay, so that ``inf`` does not give AP 1.

    Args:
        annotations: COCO annotations: a file, or its content.
        results: COCO instance results with ``segmentation``: a file, or its content.
        distances: Distances in pixels.
        max_detections: Best-scored instances counted per image and category.
        image_ids: The images that were predicted; default: all in the annotations.

    Returns:
        ``distances`` (K + 1,), starting with 0, "as predicted", and ``ap`` (K + 1,).

    Raises:
        ValueError: As ``instance_figures``.
    """
    truth, predicted = load_pair(annotations, results)
    images = _numbers_of(image_ids, truth)
    matches = _Evaluator(truth, predicted, max_detections, images).matches(IOU_THRESHOLDS[0])
    values = []
    for distance in (0.0, *distances):
        improved = dict(predicted.anns)
        for found, true in matches if distance else ():
            corrected = _corrected(decode(predicted, found), decode(truth, true), distance)
            improved[found] = {**predicted.anns[found], 'segmentation': encode_mask(corrected)}
        evaluator = _Evaluator(
            truth, load_results(truth, improved.values()), max_detections, images
        )
        values.append(evaluator.average_precision()['ap'])
    return {'distances': np.array((0.0, *distances)), 'ap': np.array(values)}


def _corrected(mask: np.ndarray, target: np.ndarray, distance: float) -> np.ndarray:
    crop = joint_crop(mask, target)
    corrected = mask.copy()
    corrected[crop] = correct_near_boundary(mask[crop], target[crop], distance)
    return corrected


def _matched_fscores(evaluator: _Evaluator, tolerance: float) -> InstanceBoundaryFScoreCounts:
    """Boundary F-scores of all true positives, as the evaluator matches them at ten IoUs."""
    truth, predicted = evaluator.cocoGt, evaluator.cocoDt
    none = np.zeros((0, len(IOU_THRESHOLDS)), bool)
    matched: dict[tuple[int, int], np.ndarray] = defaultdict(lambda: np.zeros(none.shape[1], bool))
    for t, threshold in enumerate(IOU_THRESHOLDS):
        for pair in evaluator.matches(threshold):
            matched[pair][t] = True
    parts = [instance_boundary_fscore([], [], none, tolerance)]
    for (found, true), at_thresholds in sorted(matched.items()):
        masks = [decode(predicted, found)], [decode(truth, true)]
        category = [truth.anns[true]['category_id']]
        parts.append(instance_boundary_fscore(*masks, at_thresholds[None], tolerance, category))
    return total(parts)


class _Evaluator(COCOeval_faster):
    """faster-coco-eval's evaluator, which gives figures by name and tells its matches."""

    def __init__(
        self,
        truth: COCO,
        predicted: COCO,
        max_detections: int,
        image_ids: list[int] | None,
        kind: str = 'segm',
        dilation_ratio: float = 0.02,
    ) -> None:
        super().__init__(truth, predicted, kind, boundary_dilation_ratio=dilation_ratio)
        self.params.maxDets = [max_detections]
        if image_ids is not None:
            self.params.imgIds = image_ids
        self._overlaps: dict[tuple[int, int], Any] = {}

    def computeIoU(self, image: int, category: int) -> Any:
        """Overlaps do not depend on the threshold: computed once."""
        key = (image, category)
        if key not in self._overlaps:
            self._overlaps[key] = super().computeIoU(image, category)
        return self._overlaps[key]

    def average_precision(self) -> dict[str, Any]:
        """AP over all IoU thresholds, at 0.5 and 0.75, by size and by category."""
        self.evaluate()
        self.accumulate()
        # (threshold, recall, category, area); -1 where a category has no instance.
        precision = self.eval['precision'][..., -1]
        precision = np.where(precision < 0, np.nan, precision)
        at = [int(np.argmin(np.abs(self.params.iouThrs - t))) for t in (0.5, 0.75)]
        figures = {
            'ap': exact_mean(precision[..., 0]),
            'ap50': exact_mean(precision[at[0], ..., 0]),
            'ap75': exact_mean(precision[at[1], ..., 0]),
        }
        figures |= {f'ap_{AREAS[a]}': exact_mean(precision[..., a]) for a in (1, 2, 3)}
        names = category_names(self.cocoGt.cats.values())
        per_category = {
            names[category]: exact_mean(precision[:, :, k, 0])
            for k, category in enumerate(self.params.catIds)
        }
        return figures | {'ap_per_category': per_category}

    def matches(self, threshold: float) -> list[tuple[int, int]]:
        """Ids (result, annotation) matched at an IoU threshold, crowds left out."""
        self.params.iouThrs = np.array([threshold])
        # One area range: the evaluator lists the matches of all of them together.
        self.params.areaRng, self.params.areaRngLbl = [[0, 1e10]], ['all']
        self.evaluate()
        pairs = [tuple(map(int, key.split('_'))) for key in self.eval['matched']]
        return [(d, g) for d, g in pairs if not self.cocoGt.anns[g].get('iscrowd', 0)]


def load_pair(annotations: Annotations, results: Results) -> tuple[COCO, COCO]:
    """Read and check annotations and results.

    Images and annotations are numbered anew from 1: the evaluator makes numbers of texts (``007``
    and ``7`` are one to it) and takes annotation 0 for "no match". Masks become run lengths,
    whatever they are. Annotations without a mask are passed over; areas that are missing, or 0,
    are those of the masks.

    Raises:
        ValueError: See ``instance_figures``.
    """
    content = _content(annotations)
    missing = {'images', 'annotations', 'categories'} - set(content)
    if missing:
        raise ValueError(f'annotations: {sorted(missing)} missing, not in COCO format')
    numbers = {image['id']: number for number, image in enumerate(content['images'], 1)}
    images = [{**image, 'id': numbers[image['id']]} for image in content['images']]
    true = []
    for number, annotation in enumerate(content['annotations'], 1):
        if annotation.get('segmentation') and annotation['image_id'] in numbers:
            image = images[numbers[annotation['image_id']] - 1]
            mask = _run_lengths(annotation, image, f'annotations: entry {number - 1}')
            area = annotation.get('area') or float(mask_codec().area(mask))
            changed = dict(id=number, image_id=image['id'], segmentation=mask, area=area)
            true.append({**annotation, **changed})
    truth = COCO({**content, 'images': images, 'annotations': true})
    truth.numbers = numbers
    return truth, load_results(truth, _numbered(_content(results), numbers))


def load_results(truth: COCO, results: Iterable[dict[str, Any]]) -> COCO:
    """Check results of images that are numbered as in their annotations, for the evaluator.

    Raises:
        ValueError: See ``instance_figures``.
    """
    entries = list(results)
    strange = {r['category_id'] for r in entries} - set(truth.cats)
    if strange:
        raise ValueError(_strange_text('category_id', strange, truth.cats))
    kept = []
    for index, result in enumerate(entries):
        image, mask = truth.imgs[result['image_id']], result['segmentation']
        size = (image['height'], image['width'])
        if isinstance(mask, dict) and tuple(mask.get('size', size)) != size:
            raise ValueError(
                f'results: mask of {tuple(mask["size"])} (height, width) for image '
                f'{_called(image, truth)} of {size}'
            )
        # Boxes and areas of the masks, whatever the results say.
        found = {key: result[key] for key in RESULT_KEYS}
        found['segmentation'] = _run_lengths(result, image, f'results: entry {index}')
        kept.append(found)
    return truth.loadRes(kept)


def _numbered(results: Iterable[dict[str, Any]], numbers: dict[Any, int]) -> list[dict[str, Any]]:
    """Results with the numbers of their images."""
    entries = list(results)
    for key in RESULT_KEYS:
        lacking = [i for i, r in enumerate(entries) if key not in r]
        if lacking:
            raise ValueError(f'results: entries {_some(lacking)} have no {key!r}')
    strange = {r['image_id'] for r in entries} - set(numbers)
    if strange:
        raise ValueError(_strange_text('image_id', strange, numbers))
    return [{**r, 'image_id': numbers[r['image_id']]} for r in entries]


def _numbers_of(image_ids: Iterable[Any] | None, truth: COCO) -> list[int] | None:
    """Numbers of the images that are judged; None for all."""
    return None if image_ids is None else sorted(truth.numbers[image] for image in image_ids)


def _run_lengths(entry: dict[str, Any], image: dict[str, Any], what: str) -> dict[str, Any]:
    try:
        return run_lengths(entry['segmentation'], (image['height'], image['width']))
    except ValueError as error:
        name = image.get('file_name', image['id'])
        raise ValueError(f'{what}, a mask on {name}: {error}') from error


def _called(image: dict[str, Any], truth: COCO) -> str:
    """An image as its annotations call it."""
    own = next(name for name, number in truth.numbers.items() if number == image['id'])
    return f'{own} ({image.get("file_name", "no file name")})'


def _strange_text(key: str, strange: Iterable[Any], known: Iterable[Any]) -> str:
    return (
        f'results: {key} {_some(sorted(strange, key=str))} not in the annotations, '
        f'which have {_some(sorted(known, key=str))}'
    )


def category_names(categories: Iterable[dict[str, Any]]) -> dict[int, str]:
    """What each category is called in figures, by id: its name, and its id where names repeat."""
    every = list(categories)
    count = Counter(category['name'] for category in every)
    return {
        c['id']: c['name'] if count[c['name']] == 1 else f'{c["name"]} (id {c["id"]})'
        for c in every
    }


def decode(coco: COCO, annotation: int) -> np.ndarray:
    """Mask of an annotation or a result, (H, W) bool."""
    found = coco.anns[annotation]
    image = coco.imgs[found['image_id']]
    return decode_mask(found['segmentation'], (image['height'], image['width']))


def _content(source: Any) -> Any:
    """Content of a JSON file; anything else than a path comes back as it is."""
    return read_json(source) if isinstance(source, str | os.PathLike) else source


def _some(values: Sequence[Any], limit: int = 10) -> str:
    rest = f' and {len(values) - limit} more' if len(values) > limit else ''
    return ', '.join(map(str, values[:limit])) + rest
