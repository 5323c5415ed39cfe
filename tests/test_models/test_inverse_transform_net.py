import re

import pytest
import torch
from mmengine.model import BaseModel

from mmrefine.models.checkpoint import publish_checkpoint
from mmrefine.models.inverse_nets import SHIPPED, InverseTransformNet, load_inverse_net
from mmrefine.models.inverse_nets.inverse_transform_net import estimate
from mmrefine.ops import transform_matrix
from mmrefine.ops.tile_transforms import orientations
from mmrefine.registry import DATASETS, MODELS


def pairs_of(count: int, **options) -> list[dict]:
    maps = dict(
        type='mmrefine.DrawnLabelMapDataset', num_classes=5, length=1000, size_hw=(64, 64), seed=5
    )
    cfg = dict(type='mmrefine.WarpedBoundaryDataset', label_maps=maps, tile_size=32, seed=5)
    dataset = DATASETS.build(cfg | options)
    return [dataset[k] for k in range(count)]


@pytest.fixture
def published(tmp_path):
    """Publish an untrained network with any error in its meta."""

    def publish(**meta: str):
        config = dict(type='mmrefine.InverseTransformNet', tile_size=8, hidden=(4,))
        path = tmp_path / 'net.pth'
        torch.save(dict(state_dict=MODELS.build(config).state_dict()), path)
        publish_checkpoint(config, path, tmp_path / 'published.pth', **meta)
        return tmp_path / 'published.pth'

    return publish


def test_layers_are_the_released_ones():
    network = MODELS.build(
        dict(type='mmrefine.InverseTransformNet', tile_size=(3, 5), hidden=(7, 4))
    )
    assert isinstance(network, BaseModel)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == {
        'fc.0.weight': (7, 30),
        'fc.0.bias': (7,),
        'fc.2.weight': (4, 7),
        'fc.2.bias': (4,),
        'fc.4.weight': (4, 4),
        'fc.4.bias': (4,),
    }
    pairs = torch.rand(2, 2, 3, 5)
    layers = [(layer.weight, layer.bias) for layer in network.linear_layers]
    (a, p), (b, q), (c, r) = layers
    expected = ((pairs.reshape(2, 30) @ a.T + p).relu() @ b.T + q).relu() @ c.T + r
    torch.testing.assert_close(network(pairs), expected)
    torch.testing.assert_close(estimate(pairs, layers), expected)
    with torch.device('meta'):
        released = InverseTransformNet()
    assert sum(p.numel() for p in released.parameters()) == 100_385_164


@pytest.mark.parametrize('num_outputs', [4, 6, 8])
def test_loss_and_prediction(num_outputs):
    network = InverseTransformNet(8, num_outputs, hidden=(5,))
    inputs = dict(inputs=torch.rand(3, 2, 8, 8), transform=torch.rand(3, num_outputs))
    found = network(inputs['inputs'])
    loss = network(**inputs, mode='loss')['loss_transform']
    pairs, transforms = orientations(inputs['inputs'], inputs['transform'])
    assert len(pairs) == 24
    expected = ((network(pairs) - transforms) ** 2).sum() / 24
    torch.testing.assert_close(loss, expected)
    samples = network(**inputs, mode='predict')
    assert len(samples) == 3
    assert torch.equal(samples[1]['gt_matrix'], transform_matrix(inputs['transform'])[1])
    assert torch.equal(samples[1]['pred_matrix'], transform_matrix(found)[1])
    assert samples[1]['tile_size'] == (8, 8)


def test_shipped_network_finds_shifts():
    """On pairs that look predicted, and better on clean ones: drawn maps it has not seen."""
    network = load_inverse_net('drawn')
    errors = {}
    for clean in (True, False):
        pairs = pairs_of(150, clean=clean)
        truth = torch.stack([pair['transform'] for pair in pairs])
        with torch.no_grad():
            found = network(torch.stack([pair['inputs'] for pair in pairs]))
        left = (found - truth)[:, :2].norm(dim=1).mean() / truth[:, :2].norm(dim=1).mean()
        errors[clean] = left.item()
    assert errors[True] < errors[False] < 0.7


@pytest.mark.parametrize('name', SHIPPED)
def test_shipped_network_is_small_and_tells_its_error(name):
    from mmrefine.models.checkpoint import read_checkpoint
    from mmrefine.models.inverse_nets.trained import WEIGHTS

    path = WEIGHTS / SHIPPED[name]
    assert path.stat().st_size <= 4_000_000
    assert 0 < float(read_checkpoint(path)['meta']['relative_error']) < 70


def test_untrained_networks_are_refused(published):
    with pytest.raises(ValueError, match=r'does not tell its error.*relative_error'):
        load_inverse_net(published())
    with pytest.raises(ValueError, match=r'relative error of 99\.5 %, expected 70 or less'):
        load_inverse_net(published(relative_error='99.5'))
    for text in ('nan', '-1'):
        with pytest.raises(ValueError, match='relative error of'):
            load_inverse_net(published(relative_error=text))
    with pytest.raises(ValueError, match="got 'good'"):
        load_inverse_net(published(relative_error='good'))


def test_trained_networks_of_others_are_taken(published):
    path = published(relative_error='30')
    assert load_inverse_net(path).tile_size == load_inverse_net(str(path)).tile_size == (8, 8)


@pytest.mark.parametrize('wrong', ['camvid', '', None, 64, True])
def test_no_such_network(wrong):
    with pytest.raises(ValueError, match=re.escape("inverse_net: expected 'drawn' or a published")):
        load_inverse_net(wrong)


def test_other_models_are_refused(tmp_path):
    layer = dict(type='mmrefine.DeepLabV2Head', in_channels=4, channels=4, num_classes=3)
    torch.save(dict(state_dict=MODELS.build(layer).state_dict()), tmp_path / 'head.pth')
    publish_checkpoint(layer, tmp_path / 'head.pth', tmp_path / 'out.pth', relative_error='30')
    with pytest.raises(ValueError, match='holds a DeepLabV2Head, expected an InverseTransformNet'):
        load_inverse_net(tmp_path / 'out.pth')


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(tile_size=0), 'tile_size: expected one or two positive numbers, got 0'),
        (dict(tile_size=(8, 8, 8)), 'tile_size: expected one or two'),
        (dict(num_outputs=5), r'num_outputs must be one of \(4, 6, 8\), got 5'),
        (dict(hidden=(8, 0)), r'hidden: expected positive widths, got \(8, 0\)'),
        (dict(boundary_width=0), 'boundary_width must be at least 1, got 0'),
    ],
)
def test_wrong_options(options, text):
    with pytest.raises(ValueError, match=text):
        InverseTransformNet(**dict(tile_size=8) | options)


def test_wrong_input():
    network = InverseTransformNet(8, 6, hidden=())
    with pytest.raises(ValueError, match=r'inputs: expected \(N, 2, 8, 8\), .*got \(1, 2, 8, 9\)'):
        network(torch.zeros(1, 2, 8, 9))
    for transform in (None, torch.zeros(1, 4)):
        with pytest.raises(ValueError, match=r'transform: expected \(1, 6\) \(num_outputs of'):
            network(torch.zeros(1, 2, 8, 8), transform, mode='loss')
