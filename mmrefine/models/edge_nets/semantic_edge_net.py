"""The edge network of SEMEDA (arXiv 1905.01892, Section 3): class probabilities to edges.

Legend: N batch, C ``num_classes``, H W size.
"""

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from torch import Tensor, nn

from ...ops import semantic_edge_map
from ...registry import MODELS
from ..class_labels import check_labels

CHANNELS = (16, 32, 2)


@MODELS.register_module()
class SemanticEdgeNet(BaseModel):
    """Three 3×3 convolutions, 16 → 32 → 2, ReLU between, softmax last.

    It learns from label maps alone. In training a label map becomes one-hot, gets Gaussian noise
    and goes through a softmax, so that it looks like what a segmentation network predicts; the
    target is the semantic edge map of the clean labels. Edges are rare (a few per cent of the
    pixels of a street scene), and a net that finds none would be right nearly everywhere: the
    default loss weights edge and interior by one minus their share of the batch.

    The first layer starts with differences between neighbours, of random codes of the classes
    (``differences``): what an edge is does not depend on the class, which 150 sets of random
    kernels would have to find out 150 times.

    Pixels whose edge the network would find with the help of ignored pixels, those within 3 of one,
    are neither learned nor judged: the losses that use the network leave them out, too. The
    borders of maps are continued outwards, so that the image border is no edge, as in
    ``mmrefine.ops.semantic_edge_map``. The paper does not tell how strong the noise is, and
    the softmax of a plain one-hot vector of 150 classes gives the right one 2 %; here the vector
    is multiplied by a ``sharpness`` drawn for each map, from blurred to nearly one-hot.

    Args:
        num_classes: C.
        noise: Standard deviation of the noise on the one-hot vector is drawn for each map from
            0 to this.
        sharpness: Least and greatest factor before the softmax; log C is added, so that the
            right class gets the same probability whatever C.
        loss_edge: Loss taking (logits, target, ignore_index).
        ignore_index: Label of ignored pixels.
        data_preprocessor, init_cfg: As in every mmengine model.

    Raises:
        ValueError: if ``num_classes`` is less than 2.
    """

    def __init__(
        self,
        num_classes: int,
        noise: float = 0.2,
        sharpness: tuple[float, float] = (1.0, 12.0),
        loss_edge: dict | None = None,
        ignore_index: int = 255,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if num_classes < 2:
            raise ValueError(f'num_classes must be at least 2, got {num_classes}')
        super().__init__(data_preprocessor, init_cfg)
        self.num_classes = num_classes
        self.noise = noise
        self.sharpness = sharpness
        self.ignore_index = ignore_index
        widths = itertools.pairwise((num_classes, *CHANNELS))
        convs: Any = [nn.Conv2d(before, after, 3) for before, after in widths]
        nn.init.zeros_(convs[0].bias)
        convs[0].weight.data = differences(num_classes)
        self.convs = nn.ModuleList(convs)
        self.loss_edge = MODELS.build(loss_edge or dict(type='mmrefine.BalancedCrossEntropyLoss'))

    def forward(
        self, inputs: Tensor, data_samples: None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[dict[str, Tensor]]:
        """Run the network.

        Args:
            inputs: Class probabilities (N, C, H, W) in mode ``'tensor'``; in the other modes
                label maps (N, H, W), any integer dtype.
            data_samples: Nothing is needed of them.
            mode: ``'tensor'``, ``'loss'`` or ``'predict'``.

        Returns:
            ``'tensor'``: probabilities (N, 2, H, W) of interior and edge. ``'loss'``: losses.
            ``'predict'``: for each map the edges found in its one-hot form and the true ones,
            ``pred_edge_map`` and ``gt_edge_map``, uint8 (H, W), 255 near ignored pixels in the
            latter.
        """
        if mode == 'tensor':
            return self.edge_logits(inputs).softmax(1)
        labels = inputs.long()
        check_labels(labels, self.num_classes, self.ignore_index)
        unseen = reached(labels == self.ignore_index, len(self.convs))
        target = semantic_edge_map(labels, self.ignore_index).masked_fill(unseen, 255)
        if mode == 'loss':
            logits = self.edge_logits(self.look_predicted(labels))
            return dict(loss_edge=self.loss_edge(logits, target.long(), ignore_index=255))
        found = self.edge_logits(self.one_hot(labels)).argmax(1).to(torch.uint8)
        return [dict(pred_edge_map=p, gt_edge_map=t) for p, t in zip(found, target, strict=True)]

    def edge_logits(self, probabilities: Tensor) -> Tensor:
        """Class probabilities (N, C, H, W) → what the last softmax gets, (N, 2, H, W)."""
        features = continued(probabilities, len(self.convs))
        for k, conv in enumerate(self.convs):
            features = conv(features.relu() if k else features)
        return features

    def one_hot(self, labels: Tensor) -> Tensor:
        """Label maps (N, H, W) → (N, C, H, W), all zero where ignored."""
        return one_hot(labels, self.num_classes, self.ignore_index)

    def look_predicted(self, labels: Tensor) -> Tensor:
        """Label maps (N, H, W) → noisy probabilities (N, C, H, W)."""
        clean = self.one_hot(labels)
        each = (len(labels), 1, 1, 1)
        noise = torch.randn_like(clean) * clean.new_empty(each).uniform_(0, self.noise)
        low, high = self.sharpness
        factor = (high / low) ** clean.new_empty(each).uniform_() * low
        return ((clean + noise) * (factor + torch.tensor(self.num_classes).log())).softmax(1)


def differences(num_classes: int) -> Tensor:
    """Kernels (16, C, 3, 3): 4 random codes of the classes, each subtracted from 4 neighbours'."""
    steps = torch.zeros(4, 3, 3)
    steps[:, 1, 1] = -1
    steps[0, 1, 2] = steps[1, 2, 1] = 1
    steps[2:] = -steps[:2]  # a ReLU follows: each direction needs both signs
    code = torch.randn(4, num_classes)
    kernels = code[:, None, :, None, None] * steps[None, :, None]
    return kernels.reshape(CHANNELS[0], num_classes, 3, 3)


def one_hot(labels: Tensor, num_classes: int, ignore_index: int = 255) -> Tensor:
    """Checked label maps (N, H, W), int64 → float32 (N, C, H, W), all zero where ignored."""
    ignored = labels == ignore_index
    size = (len(labels), num_classes, *labels.shape[1:])
    result = torch.zeros(size, dtype=torch.float32, device=labels.device)
    known = labels.masked_fill(ignored, 0)
    return result.scatter_(1, known[:, None], (~ignored)[:, None].float())


def continued(maps: Tensor, width: int) -> Tensor:
    """(N, C, H, W) → (N, C, H + 2 width, W + 2 width): the border is repeated outwards."""
    return F.pad(maps, (width,) * 4, mode='replicate')


def reached(ignored: Tensor, layers: int = 1) -> Tensor:
    """Pixels (N, H, W) whose embedding after so many 3×3 convolutions sees a marked one."""
    marked = ignored[:, None].float()
    for _ in range(layers):
        marked = F.max_pool2d(marked, 3, stride=1, padding=1)
    return marked[:, 0] > 0
