"""Training on pairs of frames with a loss on their consistency."""

from typing import Any

from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.models.segmentors import EncoderDecoder
from mmseg.utils import SampleList
from torch import Tensor

from ...registry import MODELS


@MODELS.register_module()
class PairDataPreProcessor(SegDataPreProcessor):
    """Takes the batches of ``mmrefine.VideoPairDataset``: all first frames, then all second.

    Takes the arguments of mmseg's ``SegDataPreProcessor``, and its batches.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Join the two lists, then do as mmseg does."""
        if isinstance(data['inputs'][0], list | tuple):
            data = {key: [item for part in data[key] for item in part] for key in data}
        return super().forward(data, training)


@MODELS.register_module()
class VideoPairSegmentor(EncoderDecoder):
    """``EncoderDecoder`` whose predictions for pairs of frames shall be consistent.

    Trains on ``mmrefine.VideoPairDataset`` with ``mmrefine.PairDataPreProcessor``; predicts as any
    ``EncoderDecoder``, of the same weights.

    Args:
        consistency: Config of the loss, by default ``mmrefine.PerceptualConsistencyLoss``.
        features: Config of the feature network, by default ``mmrefine.PerceptualFeatures``.
        **kwargs: Arguments of mmseg's ``EncoderDecoder``.
    """

    def __init__(
        self, consistency: dict | None = None, features: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.consistency = MODELS.build(
            consistency or dict(type='mmrefine.PerceptualConsistencyLoss')
        )
        # In a list: neither trained nor saved with the model.
        self._features = [MODELS.build(features or dict(type='mmrefine.PerceptualFeatures'))]

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """The losses of both frames, and that of their consistency."""
        levels = self.extract_feat(inputs)
        losses = self._decode_head_forward_train(levels, data_samples)
        if self.with_auxiliary_head:
            losses |= self._auxiliary_head_forward_train(levels, data_samples)
        logits = self.decode_head.forward(levels)
        network = self._features[0].to(inputs.device)
        images = inputs * self.data_preprocessor.std + self.data_preprocessor.mean
        features = network(images)
        half = len(inputs) // 2
        losses['loss_consistency'] = self.consistency(
            (logits[:half], logits[half:]), (features[:half], features[half:])
        )
        return losses
