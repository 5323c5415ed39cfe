"""Batch norms as part of the convolutions before them, for networks that only predict."""

import copy
from typing import Any

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

SIDE = 64  # pixels of the drawn input that both forms of a network are compared on
TOLERANCE = 1e-3  # of probabilities


def with_fused_norms(network: nn.Module) -> nn.Module:
    """A network without its batch norms, if its probabilities are the same but for rounding.

    ``fuse_conv_bn`` takes a norm for that of the convolution registered before it. A network that
    is written otherwise gives other answers then, and stays as it is.

    Args:
        network: In eval mode, on the CPU, with ``predict_probabilities``.
    """
    model: Any = network
    channels = getattr(model.data_preprocessor, 'num_channels', 3)
    drawn = torch.randn(2, channels, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    fused: Any = fuse_conv_bn(copy.deepcopy(network))
    with torch.inference_mode():
        expected, found = (part.predict_probabilities(drawn) for part in (model, fused))
    return fused if torch.allclose(expected, found, rtol=0, atol=TOLERANCE) else network
