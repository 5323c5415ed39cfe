"""The SegFix network as an mmseg segmentor (arXiv 2007.04269, Section 3)."""

from collections.abc import Sequence

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from torch import Tensor

from ...ops import direction_to_offset
from ...registry import MODELS
from ...structures.segfix_fields import (
    PART_OF,
    PRED_BOUNDARY,
    PRED_DIRECTION,
    PRED_OFFSET,
    PRED_VOTES,
    VOTES_ALONE,
)


@MODELS.register_module()
class SegFix(EncoderDecoder):
    """Predicts boundary probability, direction and offset field of an image.

    Takes the arguments of mmseg's ``EncoderDecoder``; ``decode_head`` must be a
    ``mmrefine.SegFixHead``. ``test_cfg`` may be ``dict(mode='whole')`` or
    ``dict(mode='slide', crop_size=(h, w), stride=(h, w))``; windows overlap by
    averaging probabilities.
    ``min_confidence`` and ``scale`` in it are defaults of ``SegFixRefiner``.

    ``predict`` puts ``pred_boundary``, ``pred_direction``, ``pred_offset`` and
    ``pred_votes`` (see ``mmrefine.structures.segfix_fields``) into each data sample, at the
    image's original size. With all offsets zero outside predicted boundaries,
    ``mmrefine.ops.apply_offset`` needs nothing else.
    """

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Features of (N, 3, H, W) images, in channels-last layout, which is faster."""
        return super().extract_feat(inputs.contiguous(memory_format=torch.channels_last))

    def predict_probabilities(self, inputs: Tensor, part_of: Sequence[int] | None = None) -> Tensor:
        """Interior, boundary, then the directions: (N, 3, H, W) → (N, 2 + m, H, W).

        Args:
            inputs: Normalised images.
            part_of: What part of a larger image they are, see ``PART_OF``.
        """
        meta: dict = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), inputs.shape[2:])
        return super().encode_decode(inputs, [meta | {PART_OF: part_of}])

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Probabilities of whole images, of a part of one, or of one window each."""
        part = batch_img_metas[0].get(PART_OF)
        if part is None or self.test_cfg.get('mode') == 'slide':
            return self.predict_probabilities(inputs)
        return self.predict_probabilities(inputs, part)

    def postprocess_result(
        self, seg_logits: Tensor, data_samples: Sequence[SegDataSample] | None = None
    ) -> list[SegDataSample]:
        """Probabilities (N, 2 + m, H, W) of the padded batch → data samples.

        Raises:
            ValueError: for an image that the pipeline flipped: directions do
                not survive flipping back. Test pipelines must not flip.
        """
        if data_samples is None:
            data_samples = [SegDataSample() for _ in range(len(seg_logits))]
        for probabilities, sample in zip(seg_logits, data_samples, strict=True):
            meta = sample.metainfo
            if meta.get('flip'):
                raise ValueError(
                    f'{meta.get("img_path", "an image")} was flipped by the test pipeline; '
                    'SegFix directions are only valid for images as they are: remove the flip'
                )
            probabilities = _remove_padding(probabilities, meta)
            size_hw = tuple(meta.get('ori_shape', probabilities.shape[1:])[:2])
            if size_hw != tuple(probabilities.shape[1:]):
                probabilities = resize(
                    probabilities[None],
                    size_hw,
                    mode='bilinear',
                    align_corners=self.align_corners,
                    warning=False,
                )[0]
            self._write_fields(probabilities, sample)
        return list(data_samples)

    def _write_fields(self, probabilities: Tensor, sample: SegDataSample) -> None:
        head, boundary = self.decode_head, probabilities[1:2]
        votes = (boundary * probabilities[2:]).half()
        sample.set_data({PRED_VOTES: PixelData(data=votes)})
        if sample.metainfo.get(VOTES_ALONE):
            return
        direction = probabilities[2:].argmax(0, keepdim=True).to(torch.uint8)
        offset = direction_to_offset(direction[0], head.num_directions).to(torch.int8)
        offset *= boundary > head.boundary_threshold
        sample.set_data(
            {
                PRED_BOUNDARY: PixelData(data=boundary),
                PRED_DIRECTION: PixelData(data=direction),
                PRED_OFFSET: PixelData(data=offset),
            }
        )


def _remove_padding(probabilities: Tensor, meta: dict) -> Tensor:
    """Cut off what the data preprocessor added (left, right, top, bottom)."""
    left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0,) * 4))
    height, width = probabilities.shape[1:]
    return probabilities[:, top : height - bottom, left : width - right]
