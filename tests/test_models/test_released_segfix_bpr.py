"""Released names become ours, each used once; whatever does not fit is named."""

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from plain_hrnet import released_shapes

from mmrefine.models.released.formats import released_config, without_wrapper
from mmrefine.models.released.segfix_bpr import CONFIGS, architecture, from_released
from mmrefine.registry import MODELS

REFERENCE = (
    Path(__file__).parents[3] / 'shared' / 'reference' / 'openseg_hrnet2x20_segfix_state_dict.json'
)


def network_shapes(name: str) -> dict[str, tuple[int, ...]]:
    cfg = Config.fromfile(released_config(CONFIGS[name])).model
    return {key: tuple(w.shape) for key, w in MODELS.build(cfg).state_dict().items()}


@pytest.fixture(scope='module')
def own() -> dict[str, dict]:
    return {name: network_shapes(name) for name in CONFIGS}


def numbered(shapes: dict) -> dict[str, torch.Tensor]:
    """Weights that tell which they are: the n-th is full of n."""
    return {
        name: torch.tensor(float(n)).expand(shape) for n, (name, shape) in enumerate(shapes.items())
    }


def test_the_restated_names_are_the_released_ones():
    if not REFERENCE.is_file():
        pytest.skip(f'the list of released keys is not at {REFERENCE}')
    listed = {k: tuple(v) for k, v in json.loads(REFERENCE.read_text()).items()}
    assert released_shapes('segfix_hrnet2x') == listed


@pytest.mark.parametrize('name', list(CONFIGS))
def test_every_weight_is_used_once(own, name):
    released = numbered(released_shapes(name))
    assert len(released) > 800
    assert architecture(released) == name
    converted = from_released(released, own[name])
    assert {k: tuple(v.shape) for k, v in converted.items()} == own[name]
    used = Counter(number for w in converted.values() for number in w.unique().tolist())
    assert used == Counter(range(len(released)))


def test_names_of_the_heads(own):
    released = numbered(released_shapes('segfix_hrnet2x'))
    converted = from_released(released, own['segfix_hrnet2x'])
    for ours, theirs in {
        'backbone.stage3.2.fuse_layers.0.3.1.running_mean': None,
        'backbone.transition3.4.0.0.weight': None,
        'decode_head.boundary_branch.0.conv.weight': 'mask_head.0.weight',
        'decode_head.boundary_branch.0.bn.bias': 'mask_head.1.0.bias',
        'decode_head.boundary_branch.1.weight': 'mask_head.2.weight',
        'decode_head.direction_branch.0.conv.weight': 'dir_head.0.weight',
        'decode_head.direction_branch.0.bn.running_var': 'dir_head.1.0.running_var',
        'decode_head.direction_branch.1.weight': 'dir_head.2.weight',
    }.items():
        assert torch.equal(converted[ours], released[theirs or ours]), ours


def test_the_mask_becomes_the_fourth_channel(own):
    released = numbered(released_shapes('bpr_hrnet-w18s'))
    stem = from_released(released, own['bpr_hrnet-w18s'])['backbone.conv1.weight']
    assert torch.equal(stem[:, :3], released['backbone.conv1.weight'])
    assert torch.equal(stem[:, 3:], released['backbone.conv_mask.weight'])


def test_in_place_norms_become_ordinary_ones(own):
    shapes = released_shapes('segfix_hrnet2x', in_place=True)
    released = {k: -v for k, v in numbered(shapes).items()}
    converted = from_released(released, own['segfix_hrnet2x'])
    for ours, theirs in (
        ('backbone.bn1.', 'backbone.bn1.'),
        ('backbone.transition1.2.0.1.', 'backbone.transition1.2.0.1.'),
        ('decode_head.boundary_branch.0.bn.', 'mask_head.1.'),
        ('decode_head.direction_branch.0.bn.', 'dir_head.1.'),
    ):
        expected = released[f'{theirs}weight'].abs() + 1e-5
        assert torch.equal(converted[f'{ours}weight'], expected)
        assert torch.equal(converted[f'{ours}bias'], released[f'{theirs}bias'])
        assert converted[f'{ours}num_batches_tracked'] == 0
    assert torch.equal(converted['backbone.conv1.weight'], released['backbone.conv1.weight'])


def test_batches_that_were_never_counted(own):
    """Files of old torch versions lack the counts; a file that lacks some is broken."""
    shapes = released_shapes('bpr_hrnet-w18s', counted=False)
    converted = from_released(numbered(shapes), own['bpr_hrnet-w18s'])
    assert converted.keys() == own['bpr_hrnet-w18s'].keys()
    assert converted['backbone.bn2.num_batches_tracked'] == 0
    some = numbered(released_shapes('bpr_hrnet-w18s'))
    del some['backbone.bn2.num_batches_tracked']
    with pytest.raises(ValueError, match=r'^backbone\.bn2\.num_batches_tracked is missing$'):
        from_released(some, own['bpr_hrnet-w18s'])


def test_wrapper_of_several_gpus():
    weights = numbered(dict(a=(1,), b=(2,)))
    assert without_wrapper({f'module.{k}': v for k, v in weights.items()}).keys() == {'a', 'b'}
    assert without_wrapper({'module.a': weights['a'], 'b': weights['b']}).keys() == {
        'module.a',
        'b',
    }


def changed(name: str, **changes: object) -> dict:
    """``changes``: None takes a weight away, a shape puts it there."""
    shapes = released_shapes(name) | {k.replace('__', '.'): v for k, v in changes.items()}
    return numbered({k: v for k, v in shapes.items() if v is not None})


@pytest.mark.parametrize(
    ('name', 'changes', 'text'),
    [
        ('segfix_hrnet2x', dict(mask_head__2__weight=None), r'mask_head\.2\.weight is missing'),
        (
            'segfix_hrnet2x',
            dict(dir_head__2__weight=(16, 256, 1, 1)),
            r'dir_head\.2\.weight has shape \(16, 256, 1, 1\) instead of \(8, 256, 1, 1\)',
        ),
        ('segfix_hrnet-w48', dict(mask_head__2__bias=(2,)), r'mask_head\.2\.bias is unknown'),
        ('segfix_hrnet-w48', dict(backbone__fc__weight=(2, 3)), r'backbone\.fc\.weight is unknown'),
        (
            'bpr_hrnet-w18s',
            dict(backbone__conv_mask__weight=(64, 1, 7, 7)),
            r'backbone\.conv1\.weight has shape \(64, 3, 3, 3\) instead of \(64, 4, 3, 3\)',
        ),
        (
            'bpr_hrnet-w48',
            dict(backbone__stage4__2__branches__3__3__bn2__bias=None),
            r'backbone\.stage4\.2\.branches\.3\.3\.bn2\.bias is missing',
        ),
    ],
)
def test_what_does_not_fit_is_named(own, name, changes, text):
    weights = changed(name, **changes)
    assert architecture(weights) == name
    with pytest.raises(ValueError, match=rf'^{text}$'):
        from_released(weights, own[name])


def test_many_that_do_not_fit_are_counted(own):
    weights = numbered(released_shapes('bpr_hrnet-w48'))
    with pytest.raises(ValueError, match=r'^(.+; ){10}and \d+ more$'):
        from_released(weights, own['bpr_hrnet-w18s'])


def test_other_weights_belong_to_no_released_network():
    assert architecture(numbered({'backbone.conv1.weight': (64, 3, 7, 7), 'fc.bias': (2,)})) is None
