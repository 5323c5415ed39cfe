"""The authors' inverse network is read as it is, and nothing else is taken for it."""

import json
from pathlib import Path

import pytest
import torch

from mmrefine.models.convert_checkpoint import convert_checkpoint
from mmrefine.models.inverse_nets import load_inverse_net
from mmrefine.models.losses import InverseFormLoss
from mmrefine.models.released.inverseform import RELEASED
from mmrefine.registry import MODELS

SHAPES = Path(__file__).parents[3] / 'shared/reference/inverseform_state_dicts.json'
NAMES = ('fc.0.weight', 'fc.0.bias', 'fc.2.weight', 'fc.2.bias', 'fc.4.weight', 'fc.4.bias')
LAYERS = ((1000, 100352), (1000,), (32, 1000), (32,), (4, 32), (4,))


def small_weights(prefix: str = '', outputs: int = 4) -> dict[str, torch.Tensor]:
    """Of a network with tiles of 6×6, the released one but for its size."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((5, 72), (5,), (3, 5), (3,), (outputs, 3), (outputs,))
    return {
        prefix + name: torch.randn(shape, generator=generator)
        for name, shape in zip(NAMES, shapes, strict=True)
    }


def small_config(path: Path, **options) -> Path:
    model = RELEASED | dict(tile_size=6, hidden=(5, 3)) | options
    path.write_text(f'model = {model!r}')
    return path


def test_layers_are_those_of_the_released_file():
    with torch.device('meta'):
        network = MODELS.build(dict(RELEASED))
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert own == dict(zip(NAMES, LAYERS, strict=True))
    if SHAPES.is_file():
        reference = json.loads(SHAPES.read_text())['InverseNet (distance_measures_regressor.pth)']
        assert own == {name: tuple(shape) for name, shape in reference.items()}


@pytest.mark.parametrize('prefix', ['', 'model.', 'module.', 'modules.'])
def test_converted_network_computes_the_same_and_works_in_the_loss(tmp_path, prefix):
    weights = small_weights()
    torch.save(small_weights(prefix), tmp_path / 'regressor.pth')
    out = tmp_path / 'ours.pth'
    convert_checkpoint(tmp_path / 'regressor.pth', out, small_config(tmp_path / 'config.py'))
    network = load_inverse_net(out)
    pairs = torch.rand(3, 2, 6, 6)
    half = [weights[n].half().float() if weights[n].ndim > 1 else weights[n] for n in NAMES]
    features = (pairs.flatten(1) @ half[0].T + half[1]).relu()
    expected = (features @ half[2].T + half[3]).relu() @ half[4].T + half[5]
    torch.testing.assert_close(network(pairs), expected)
    loss = InverseFormLoss(out, tile_grid=(3, 6), calibrated=False)
    label = torch.randint(0, 2, (1, 20, 31))
    assert loss(torch.randn(1, 1, 20, 31), label) > 0
    with pytest.raises(ValueError, match='distance: the units of the released network are not'):
        InverseFormLoss(out, distance='geodesic')


def test_other_networks_are_refused(tmp_path):
    config = small_config(tmp_path / 'config.py')
    for weights, text in (
        (small_weights(outputs=2), r'fc\.4\.weight has shape \(2, 3\) instead of \(4, 3\)'),
        (small_weights() | {'fc.6.bias': torch.zeros(4)}, 'is neither .*network of InverseForm'),
        ({'fc.0.weight': torch.zeros(5, 72)}, 'is neither .*network of InverseForm, which has fc'),
    ):
        torch.save(weights, tmp_path / 'other.pth')
        with pytest.raises(ValueError, match=text):
            convert_checkpoint(tmp_path / 'other.pth', tmp_path / 'out.pth', config)
    assert not (tmp_path / 'out.pth').exists()
