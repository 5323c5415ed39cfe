"""How consistent mmseg's predictions are over the frames of videos."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import mmengine.fileio as fileio
import numpy as np
from mmengine.logging import MMLogger
from torch import Tensor

from ..files.images import decode_image
from ..measures import RegionCounts, perceptual_consistency, region_iou, total
from ..measures.counts import exact_mean
from ..ops import frame_key, optical_flow, warp_labels
from ..ops.frame_names import LAST_NUMBER, check_pattern, usual_step
from ..registry import METRICS, MODELS
from .whole_videos import WholeVideoMetric


class _Frame(NamedTuple):
    """What is kept of the previous frame."""

    video: str
    number: int
    path: str
    image: np.ndarray
    labels: np.ndarray
    features: Tensor


class _Pair(NamedTuple):
    """What is known of two neighbouring frames; the result of the later one."""

    video: str
    numbers: tuple[int, int]
    perceptual: float
    flow: RegionCounts | None


@METRICS.register_module()
class PerceptualConsistencyMetric(WholeVideoMetric):
    """Perceptual consistency of predictions over time, and that along optical flow.

    Each frame is compared with the one before it in its video (see
    ``mmrefine.measures.perceptual_consistency``). No ground truth is needed; where there is
    one, pixels that it ignores are left out. Frames must come in order: ``shuffle=False`` on one
    process, or ``mmrefine.VideoSampler`` on any number.

    Figures, per cent: ``video/perceptual_consistency``, mean over all pairs, and
    ``video/perceptual_consistency_per_video``, mean of the means of videos; ``video/flow_miou``
    (pairs pooled) and ``video/flow_miou_per_video``: mIoU between the prediction and the previous
    one warped by OpenCV's DIS flow; ``video/flow_accuracy`` and its mean of videos: the share of
    pixels in which both agree. A class that is predicted in a few pixels weighs much in the first,
    and not at all once it is never predicted; so read both. Where frames are missing in a video,
    the pair around the gap does not count: the step is larger than the video's usual one.

    Args:
        features: Config of the feature network; by default ``mmrefine.PerceptualFeatures``, which
            needs no download. Scores of different networks do not compare.
        pattern: How video and number of a frame are read from its path, as for
            ``mmrefine.ops.frame_key``.
        flow: Whether to measure along optical flow, too.
        ignore_index: Label that is left out, in predictions and ground truth.
        device: Where the feature network runs and frames are compared.
        collect_device, prefix: As in every mmengine metric.

    Raises:
        ValueError: While testing, if a sample has no ``img_path``, frames are out of order or of
            different sizes within a video; at the end, if frames were spread over processes or
            there is no pair.
    """

    default_prefix = 'video'

    def __init__(
        self,
        features: dict | None = None,
        pattern: str = LAST_NUMBER,
        flow: bool = True,
        ignore_index: int = 255,
        device: str = 'cpu',
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        check_pattern(pattern)
        self.network = MODELS.build(features or dict(type='mmrefine.PerceptualFeatures'))
        self.network.to(device)
        self.pattern, self.flow, self.ignore_index = pattern, flow, ignore_index
        self._previous: _Frame | None = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Compare each frame with the one before; one entry of ``results`` for each pair."""
        for sample in data_samples:
            frame = self._frame(sample)
            before, self._previous = self._previous, frame
            if before is None or before.video != frame.video:
                continue
            self.results.append(self._compare(before, frame))

    def _frame(self, sample: dict) -> _Frame:
        path = sample.get('img_path')
        if path is None:
            raise ValueError(
                'mmrefine.PerceptualConsistencyMetric needs img_path in every data sample: the '
                "pipeline must keep 'img_path' in the meta_keys of its packing step"
            )
        video, number = frame_key(path, self.pattern)
        image = decode_image(fileio.get(path), path)
        labels = sample['pred_sem_seg']['data'].squeeze(0).long().cpu().numpy()
        if labels.shape != image.shape[:2]:
            raise ValueError(
                f'{path}: the prediction is {labels.shape}, the frame {image.shape[:2]}'
            )
        if 'gt_sem_seg' in sample:
            truth = sample['gt_sem_seg']['data'].squeeze(0).cpu().numpy()
            labels = np.where(truth == self.ignore_index, self.ignore_index, labels)
        return _Frame(video, number, path, image, labels, self.network.of_image(image))

    def _compare(self, before: _Frame, frame: _Frame) -> _Pair:
        if frame.number <= before.number:
            raise ValueError(
                f'{frame.path} came after {before.path}: frames must come in order; use '
                "sampler=dict(type='mmrefine.VideoSampler')"
            )
        if frame.image.shape != before.image.shape:
            raise ValueError(
                f'{frame.path} is {frame.image.shape[:2]}, {before.path} {before.image.shape[:2]}: '
                'frames of one video must be of one size'
            )
        score = perceptual_consistency(
            (before.features, frame.features), (before.labels, frame.labels), self.ignore_index
        ).figures()['perceptual_consistency']
        return _Pair(frame.video, (before.number, frame.number), score, self._along(before, frame))

    def _along(self, before: _Frame, frame: _Frame) -> RegionCounts | None:
        if not self.flow:
            return None
        warped = warp_labels(
            before.labels, optical_flow(frame.image, before.image), self.ignore_index
        )
        num_classes = len(self.dataset_meta['classes'])
        warped[frame.labels == self.ignore_index] = self.ignore_index
        return region_iou(frame.labels, warped, num_classes, self.ignore_index)

    def evaluate(self, size: int) -> dict:
        """Figures of all pairs; the next run starts anew."""
        self._previous = None
        return super().evaluate(size)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Figures of all pairs of neighbouring frames, in per cent."""
        videos: dict[str, list[_Pair]] = {}
        for pair in results:
            videos.setdefault(pair.video, []).append(pair)
        if not videos:
            raise ValueError(
                'mmrefine.PerceptualConsistencyMetric: no two frames of one video were seen; '
                f'pattern={self.pattern!r} must give the frames of a video one name'
            )
        kept = {name: _neighbours(name, pairs) for name, pairs in videos.items()}
        gaps = sum(map(len, videos.values())) - sum(map(len, kept.values()))
        if gaps:
            logger = MMLogger.get_current_instance()
            logger.warning(f'{gaps} pairs of frames with missing frames between them: left out')
        pooled = [pair for pairs in kept.values() for pair in pairs]
        return {name: 100 * value for name, value in _figures(pooled, list(kept.values())).items()}


def _neighbours(video: str, pairs: list[_Pair]) -> list[_Pair]:
    """The pairs with the video's usual step between them."""
    pairs = sorted(pairs, key=lambda pair: pair.numbers)
    for first, second in itertools.pairwise(pairs):
        if second.numbers[0] < first.numbers[1]:
            raise ValueError(
                f'frames of {video!r} were spread over processes: use '
                "sampler=dict(type='mmrefine.VideoSampler')"
            )
    usual = usual_step(pair.numbers[1] - pair.numbers[0] for pair in pairs)
    return [pair for pair in pairs if pair.numbers[1] - pair.numbers[0] <= usual]


def _figures(pooled: list[_Pair], videos: list[list[_Pair]]) -> dict[str, float]:
    together, each = _measured(pooled), [_measured(pairs) for pairs in videos]
    means = {
        f'{name}_per_video': exact_mean(np.array([v[name] for v in each])) for name in together
    }
    return together | means


def _measured(pairs: list[_Pair]) -> dict[str, float]:
    found = {'perceptual_consistency': exact_mean(np.array([pair.perceptual for pair in pairs]))}
    along = [pair.flow for pair in pairs if pair.flow is not None]
    if along:
        agreement = total(along).figures()
        found |= {'flow_miou': agreement['miou'], 'flow_accuracy': agreement['accuracy']}
    return found
