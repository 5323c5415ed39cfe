"""The boundary head of InverseForm (arXiv 2104.02745, Section 3)."""

from collections.abc import Sequence
from typing import Any

from mmseg.models.decode_heads import FCNHead
from torch import Tensor

from ...registry import MODELS

PUBLISHED_WEIGHT = 0.3


@MODELS.register_module()
class BoundaryHead(FCNHead):
    """Auxiliary head with one channel, which learns where labels meet.

    Its losses make their targets from the label map. It shapes the features while the model
    trains, and has no part in predicting.

    ``num_convs=1`` is the released head of HRNet's features (1×1 convolution, norm, ReLU, 1×1),
    ``num_convs=0`` the one behind its last features (1×1 alone).

    Args:
        loss_decode: As in every mmseg head; by default, as published, balanced cross-entropy and
            InverseForm, each with a factor of 0.3. Both end in a sigmoid; the released code takes
            one too many for the first, and for the second a log-softmax over the one channel,
            which is constant.
        num_convs, kernel_size: Of the convolutions before the last.
        **kwargs: Further arguments of mmseg's ``FCNHead``.
    """

    def __init__(
        self,
        loss_decode: dict | Sequence[dict] | None = None,
        num_convs: int = 1,
        kernel_size: int = 1,
        **kwargs: Any,
    ) -> None:
        loss_decode = loss_decode or [
            dict(type='mmrefine.BoundaryCrossEntropyLoss', loss_weight=PUBLISHED_WEIGHT),
            dict(type='mmrefine.InverseFormLoss', loss_weight=PUBLISHED_WEIGHT),
        ]
        super().__init__(
            num_classes=2,
            out_channels=1,
            threshold=0.5,
            loss_decode=loss_decode,
            num_convs=num_convs,
            kernel_size=kernel_size,
            **{'concat_input': False, 'dropout_ratio': 0, **kwargs},
        )

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """Losses; without the accuracy of classes, of which there are none."""
        losses = super().loss_by_feat(seg_logits, batch_data_samples)
        losses.pop('acc_seg')
        return losses
