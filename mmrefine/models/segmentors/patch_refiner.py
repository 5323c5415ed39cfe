"""The refinement network of BPR as an mmseg segmentor (arXiv 2104.05239, Section 3.2)."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn

from ...registry import MODELS
from ..decode_heads import PatchHead
from ..quiet import without_warning

# mmseg's advice on other tasks: patches have two classes and no ignored pixels.
OTHER_TASKS = ('Default ``avg_non_ignore`` is False', 'For binary segmentation, we suggest')


@MODELS.register_module()
class PatchRefiner(EncoderDecoder):
    """Segments small patches into object and background, given a coarse mask.

    Takes the arguments of mmseg's ``EncoderDecoder``: any backbone with
    ``in_channels=4`` and any head with two classes (or one, with a sigmoid).
    ``data_preprocessor`` is a ``mmrefine.PatchDataPreProcessor``, which appends
    the mask to the image.

    Weights of a backbone for RGB images, ImageNet's for example, are widened
    when loaded: the mask's channel starts at zero, so that the function of the
    first three stays the same. In weights of the released BPR code the mask has
    a convolution of its own, ``conv_mask``, added to the stem's; the two become
    the one convolution they are.
    """

    def __init__(
        self, backbone: dict, decode_head: dict, test_cfg: Mapping | None = None, **kwargs: Any
    ) -> None:
        # mmseg asks for test_cfg.mode, which a plain dict does not know.
        test_cfg = None if test_cfg is None else ConfigDict(test_cfg)
        with without_warning(*OTHER_TASKS):
            super().__init__(
                backbone=backbone, decode_head=decode_head, test_cfg=test_cfg, **kwargs
            )
        # torch < 2.5 has no public name for it.
        self.backbone._register_load_state_dict_pre_hook(_widen_stem, with_module=True)

    def predict_probabilities(self, inputs: Tensor) -> Tensor:
        """Probabilities of one batch at once: (N, C, S, S) → (N, S, S), of the object.

        With a ``PatchHead``, (N, 2, S, S): of the object, and that the coarse mask is off nearby.
        """
        if isinstance(self.decode_head, PatchHead):
            return self.decode_head(self.extract_feat(inputs)).sigmoid()
        meta = dict.fromkeys(('ori_shape', 'img_shape', 'pad_shape'), inputs.shape[2:])
        logits = self.encode_decode(inputs, [meta] * len(inputs))
        if self.out_channels == 1:
            return logits[:, 0].sigmoid()
        return logits.softmax(dim=1)[:, 1]


def _widen_stem(
    backbone: nn.Module, state_dict: dict[str, Tensor], prefix: str, *args: Any
) -> None:
    """Make a stem convolution for images fit one for images and masks."""
    name, stem = next((n, m) for n, m in backbone.named_modules() if isinstance(m, nn.Conv2d))
    weight = state_dict.get(f'{prefix}{name}.weight')
    if weight is None or weight.shape[1] >= stem.in_channels:
        return
    missing = stem.in_channels - weight.shape[1]
    of_mask = state_dict.pop(
        f'{prefix}conv_mask.weight',
        weight.new_zeros(len(weight), missing, *weight.shape[2:]),
    )
    state_dict[f'{prefix}{name}.weight'] = torch.cat([weight, of_mask], dim=1)
