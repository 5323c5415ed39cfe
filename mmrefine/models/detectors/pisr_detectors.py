"""mmdet's panoptic models with the relations of PISR. Needs mmdet."""

from typing import Any

import torch
from mmdet.models.detectors import MaskFormer, PanopticFPN
from torch import Tensor

from ...registry import MODELS
from ..necks.pisr_neck import FirstPass, PISRNeck


def first_pass_loss(relations: PISRNeck, first: FirstPass, data_samples: list) -> dict[str, Tensor]:
    """Losses of the first pass against mmdet's data samples, padded to one size."""
    device = first.logits.device
    labels = torch.cat([sample.gt_sem_seg.sem_seg for sample in data_samples])
    masks = [s.gt_instances.masks.to_tensor(torch.bool, device) for s in data_samples]
    return relations.loss(first, labels, masks)


@MODELS.register_module()
class PISRPanopticFPN(PanopticFPN):
    """mmdet's Panoptic FPN; all heads see the related levels of its FPN.

    Args:
        relations: A ``mmrefine.PISRNeck``.
        **kwargs: As of mmdet's ``PanopticFPN``.
    """

    def __init__(self, relations: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.relations = MODELS.build(relations)
        self._first: FirstPass | None = None

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) → related levels."""
        features, first = self.relations.relate(super().extract_feat(batch_inputs))
        # The loss is computed by mmdet, which asks for features only: kept for it until then.
        self._first = first if self.training else None
        return features

    def loss(self, batch_inputs: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """Mmdet's losses, and those of the first pass."""
        losses = super().loss(batch_inputs, batch_data_samples)
        first, self._first = self._first, None
        if first is not None:
            losses.update(first_pass_loss(self.relations, first, batch_data_samples))
        return losses


@MODELS.register_module()
class PISRMaskFormer(MaskFormer):
    """mmdet's MaskFormer or Mask2Former; masks are read off related pixel features.

    Which of the two it is, its ``panoptic_head`` says.

    Args:
        relations: A ``mmrefine.PISRNeck`` with ``level=0`` and ``related_levels=None``.
        **kwargs: As of mmdet's ``MaskFormer`` and ``Mask2Former``.
    """

    def __init__(self, relations: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.relations = MODELS.build(relations)
        self._first: FirstPass | None = None
        self.panoptic_head.pixel_decoder.register_forward_hook(self._relate)

    def _relate(self, module: torch.nn.Module, inputs: tuple, outputs: tuple) -> tuple:
        """Every pixel decoder gives the features of the masks first."""
        (pixels,), first = self.relations.relate(outputs[:1])
        self._first = first if self.training else None
        return (pixels, *outputs[1:])

    def loss(self, batch_inputs: Tensor, batch_data_samples: list) -> dict[str, Tensor]:
        """Mmdet's losses, and those of the first pass."""
        losses = super().loss(batch_inputs, batch_data_samples)
        first, self._first = self._first, None
        if first is not None:
            losses.update(first_pass_loss(self.relations, first, batch_data_samples))
        return losses
