import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmrefine.models.edge_nets import load_edge_net
from mmrefine.models.losses import EdgeCrossEntropyLoss, balanced_cross_entropy
from mmrefine.ops import semantic_edge_map
from mmrefine.registry import MODELS

LABELS = torch.zeros(1, 10, 14, dtype=torch.int64)
LABELS[0, :, 6:] = 3
LABELS[0, :2] = 255


def edge_head(**options: object):
    return MODELS.build(
        dict(
            type='mmrefine.EdgeHead',
            in_channels=4,
            in_index=0,
            channels=4,
            num_convs=1,
            concat_input=False,
            **options,
        )
    )


@pytest.mark.filterwarnings('ignore::UserWarning')
@pytest.mark.parametrize('ignore_index', [255, 7])
def test_edge_head_learns_the_edge_map(ignore_index):
    head = edge_head(ignore_index=ignore_index)
    labels = LABELS.masked_fill(LABELS == 255, ignore_index)
    sample = SegDataSample(gt_sem_seg=PixelData(data=labels))
    logits = torch.randn(1, 2, 10, 14, generator=torch.Generator().manual_seed(0))
    losses = head.loss_by_feat(logits, [sample])
    expected = balanced_cross_entropy(logits, semantic_edge_map(LABELS).long())
    torch.testing.assert_close(losses['loss_edge'], expected)
    assert head([torch.randn(1, 4, 5, 7)]).shape == (1, 2, 5, 7)


@pytest.mark.filterwarnings('ignore::UserWarning')
def test_edge_head_takes_other_losses():
    head = edge_head(loss_decode=dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True))
    sample = SegDataSample(gt_sem_seg=PixelData(data=LABELS))
    logits = torch.randn(1, 2, 10, 14)
    expected = F.cross_entropy(logits, semantic_edge_map(LABELS).long(), ignore_index=255)
    torch.testing.assert_close(head.loss_by_feat(logits, [sample])['loss_ce'], expected)


def test_cross_entropy_on_edges_is_that_of_the_network():
    network = load_edge_net(11)
    logits = torch.randn(1, 11, 10, 14, generator=torch.Generator().manual_seed(0))
    target = semantic_edge_map(LABELS).long()
    target[:, :5] = 255  # 3 pixels from the ignored rows
    expected = balanced_cross_entropy(network.edge_logits(logits.softmax(1)), target)
    found = EdgeCrossEntropyLoss(11, loss_weight=2)(logits, LABELS)
    torch.testing.assert_close(found, 2 * expected)


def test_deeplab_v2_adds_its_convolutions():
    head = MODELS.build(
        dict(
            type='mmrefine.DeepLabV2Head',
            in_channels=4,
            channels=4,
            num_classes=3,
            dilations=(1, 2),
        )
    )
    features = torch.randn(1, 4, 6, 9)
    expected = sum(
        F.conv2d(features, conv.weight, conv.bias, padding=d, dilation=d)
        for conv, d in zip(head.convs, (1, 2), strict=True)
    )
    torch.testing.assert_close(head([features]), expected)
