import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.model import BaseModel

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.models.edge_nets import SHIPPED, SemanticEdgeNet, load_edge_net
from mmrefine.ops import draw_label_map, semantic_edge_map
from mmrefine.registry import MODELS


def drawn(num_classes: int, count: int = 6, size_hw=(36, 52), seed: int = 7) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(
        np.stack([draw_label_map(size_hw, num_classes, rng) for _ in range(count)])
    )


def fscore(found: torch.Tensor, true: torch.Tensor) -> float:
    return (2 * (found & true).sum() / (found.sum() + true.sum())).item()


@pytest.fixture
def published(tmp_path):
    """Publish an untrained network with any F-score in its meta."""

    def publish(**meta: str):
        config = dict(type='mmrefine.SemanticEdgeNet', num_classes=5)
        path = tmp_path / 'net.pth'
        torch.save(dict(state_dict=MODELS.build(config).state_dict()), path)
        publish_checkpoint(config, path, tmp_path / 'published.pth', **meta)
        return tmp_path / 'published.pth'

    return publish


def test_layers_are_the_papers():
    network = MODELS.build(dict(type='mmrefine.SemanticEdgeNet', num_classes=5))
    assert isinstance(network, BaseModel)
    shapes = [tuple(conv.weight.shape) for conv in network.convs]
    assert shapes == [(16, 5, 3, 3), (32, 16, 3, 3), (2, 32, 3, 3)]
    probabilities = torch.rand(2, 5, 7, 10).softmax(1)
    x = F.pad(probabilities, (3, 3, 3, 3), mode='replicate')
    first, second, third = network.convs
    expected = third(second(first(x).relu()).relu()).softmax(1)
    torch.testing.assert_close(network(probabilities), expected)
    with pytest.raises(ValueError, match='num_classes must be at least 2, got 1'):
        SemanticEdgeNet(1)


@pytest.mark.parametrize('num_classes', SHIPPED)
def test_shipped_networks_find_edges(num_classes):
    network = load_edge_net(num_classes)
    assert network.num_classes == num_classes
    labels = drawn(num_classes)
    probabilities = F.one_hot(labels, num_classes).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        found = network(probabilities)[:, 1] > 0.5
        noisy = network(network.look_predicted(labels))[:, 1] > 0.5
    true = semantic_edge_map(labels) == 1
    assert true.any()
    assert fscore(found, true) > 0.98
    assert fscore(noisy, true) > 0.9


@pytest.mark.parametrize('name', SHIPPED.values())
def test_networks_have_names(name):
    assert SHIPPED[load_edge_net(name).num_classes] == name


def test_network_learns_without_images():
    torch.manual_seed(0)
    network = SemanticEdgeNet(4)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for step in range(60):
        loss = network(drawn(4, seed=step), mode='loss')['loss_edge']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    samples = network(drawn(4, seed=1000), mode='predict')
    found = torch.stack([s['pred_edge_map'] for s in samples]) == 1
    true = torch.stack([s['gt_edge_map'] for s in samples]) == 1
    assert fscore(found, true) > 0.9


def test_noisy_maps_are_probabilities_that_still_know_their_labels():
    torch.manual_seed(0)
    for num_classes in (2, 150):
        network = SemanticEdgeNet(num_classes)
        labels = drawn(num_classes)
        noisy = network.look_predicted(labels)
        torch.testing.assert_close(noisy.sum(1), torch.ones(labels.shape))
        assert (noisy.argmax(1) == labels).float().mean() > 0.95
        own = noisy.gather(1, labels[:, None])
        assert own.min() < 0.9 < own.max()  # not all of them certain


def test_what_sees_ignored_pixels_is_neither_learned_nor_judged():
    network = SemanticEdgeNet(3)
    labels = torch.zeros(1, 9, 12, dtype=torch.int64)
    labels[0, :, 6:] = 1
    labels[0, 4, 0] = 255
    (sample,) = network(labels, mode='predict')
    expected = semantic_edge_map(labels[0].masked_fill(labels[0] == 255, 0))
    expected[1:8, :4] = 255
    assert torch.equal(sample['gt_edge_map'], expected)
    changed = labels.clone()
    changed[0, 4, 0] = 2
    network.noise = 0
    torch.manual_seed(0)
    before = network(labels, mode='loss')['loss_edge']
    assert before.isfinite()
    assert network(torch.full_like(labels, 255), mode='loss')['loss_edge'] == 0


def test_labels_must_be_classes():
    network = SemanticEdgeNet(3)
    for wrong in (3, -1):
        labels = torch.full((1, 4, 5), wrong)
        with pytest.raises(ValueError, match=rf'expected 0 to 2 or 255 \(ignored\), got {wrong}'):
            network(labels, mode='loss')


def test_untrained_networks_are_refused(published):
    with pytest.raises(ValueError, match=r'does not tell its edge F-score.*edge_fscore'):
        load_edge_net(published())
    with pytest.raises(ValueError, match=r'F-score of 12\.5 %, expected 90 or more'):
        load_edge_net(published(edge_fscore='12.5'))
    for text in ('nan', '0.99', '990'):
        with pytest.raises(ValueError, match='edge F-score of'):
            load_edge_net(published(edge_fscore=text))
    with pytest.raises(ValueError, match="got 'good'"):
        load_edge_net(published(edge_fscore='good'))


def test_trained_networks_of_others_are_taken(published):
    path = published(edge_fscore='99')
    assert load_edge_net(path).num_classes == load_edge_net(str(path)).num_classes == 5


@pytest.mark.parametrize('wrong', [7, 'kitti', '', None, 11.0, True])
def test_no_such_network(wrong):
    with pytest.raises(ValueError, match=re.escape('11 (camvid), 19 (cityscapes)')):
        load_edge_net(wrong)


def test_other_models_are_refused(tmp_path):
    layer = dict(type='mmrefine.DeepLabV2Head', in_channels=4, channels=4, num_classes=3)
    torch.save(dict(state_dict=MODELS.build(layer).state_dict()), tmp_path / 'head.pth')
    publish_checkpoint(layer, tmp_path / 'head.pth', tmp_path / 'out.pth', edge_fscore='99')
    with pytest.raises(ValueError, match='holds a DeepLabV2Head, expected a SemanticEdgeNet'):
        load_edge_net(tmp_path / 'out.pth')
