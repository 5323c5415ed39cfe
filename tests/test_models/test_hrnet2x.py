"""HRNet2x is the released network: keys, shapes, sizes, and the numbers that come out."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from plain_hrnet import PlainHRNet
from small_segfix import hrnet2x_config, make_lively

from mmrefine.models.backbones import HRNet2x
from mmrefine.registry import MODELS

ROOT = Path(__file__).parents[2]
MODEL = ROOT / 'configs' / '_base_' / 'models' / 'segfix_hrnet2x.py'
REFERENCE = ROOT.parent / 'shared' / 'reference' / 'openseg_hrnet2x20_segfix_state_dict.json'
# digest() of the released checkpoint; the test of it against the list itself needs that list.
RELEASED = '3e45a4dc34c9d3069d34bec6bc90ade9a3ed9b4f801c5c482913da88e5d88dbe'


def digest(shapes: dict[str, tuple[int, ...]]) -> str:
    lines = [f'{key} {list(shape)}' for key, shape in sorted(shapes.items())]
    return hashlib.sha256('\n'.join(lines).encode()).hexdigest()


def only_backbone(shapes: dict) -> dict[str, tuple[int, ...]]:
    return {k: tuple(shape) for k, shape in shapes.items() if k.startswith('backbone.')}


@pytest.fixture(scope='module')
def released_model() -> torch.nn.Module:
    return MODELS.build(Config.fromfile(MODEL).model)


@pytest.fixture(scope='module')
def reference() -> dict[str, list[int]]:
    if not REFERENCE.is_file():
        pytest.skip(f'the list of released keys is not at {REFERENCE}; its digest is tested anyway')
    return json.loads(REFERENCE.read_text())


def test_keys_and_shapes_are_the_released_ones(released_model):
    shapes = {key: tuple(v.shape) for key, v in released_model.state_dict().items()}
    assert digest(only_backbone(shapes)) == RELEASED


def test_digest_is_that_of_the_released_keys(reference):
    assert digest(only_backbone(reference)) == RELEASED


def test_heads_have_the_released_shapes(released_model, reference):
    """Their names differ: mask_head.0 is boundary_branch.0.conv, and so on."""
    own = released_model.state_dict()
    for branch, released in (('boundary_branch', 'mask_head'), ('direction_branch', 'dir_head')):
        names = {
            f'{released}.0.weight': f'decode_head.{branch}.0.conv.weight',
            f'{released}.1.0.weight': f'decode_head.{branch}.0.bn.weight',
            f'{released}.2.weight': f'decode_head.{branch}.1.weight',
        }
        assert {key: list(own[name].shape) for key, name in names.items()} == {
            key: shape for key, shape in reference.items() if key in names
        }
        assert f'decode_head.{branch}.1.bias' not in own
        assert f'{released}.2.bias' not in reference


def test_number_of_parameters(released_model):
    assert sum(p.numel() for p in released_model.parameters()) == 47_406_208
    assert sum(released_model.backbone.out_channels) == 620


@pytest.mark.quick
@pytest.mark.parametrize('size_hw', [(64, 96), (37, 50), (33, 31)])
def test_strides(size_hw):
    network = HRNet2x(hrnet2x_config()['extra'])
    features = network(torch.rand(2, 3, *size_hw))
    sizes = [tuple(f.shape) for f in features]
    expected = [
        (2, c, -(-size_hw[0] // stride), -(-size_hw[1] // stride))
        for c, stride in zip(network.out_channels, (2, 4, 8, 16, 32), strict=True)
    ]
    assert sizes == expected


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size_hw', [(64, 96), (37, 50)])
def test_forward_equals_the_network_written_out(size_hw, align_corners):
    extra = hrnet2x_config()['extra']
    extra['stage3'].update(num_modules=2, num_blocks=(2, 1, 1, 2))
    network = make_lively(HRNet2x(extra, align_corners=align_corners)).eval().double()
    image = torch.rand(2, 3, *size_hw, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        found = network(image)
        expected = PlainHRNet(network.state_dict(), align_corners)(image)
    assert len(found) == 5
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)
        assert b.std() > 1e-3


def test_gradient_reaches_every_weight():
    network = HRNet2x(hrnet2x_config()['extra'])
    sum(f.square().mean() for f in network(torch.rand(2, 3, 64, 96))).backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_norm_eval_keeps_statistics():
    network = HRNet2x(hrnet2x_config()['extra'], norm_eval=True).train()
    before = network.norm1.running_mean.clone()
    network(torch.rand(2, 3, 32, 64))
    assert torch.equal(network.norm1.running_mean, before)
    assert network.conv1.training


def test_in_channels_and_gradient_checkpointing_do_not_change_the_numbers():
    extra = hrnet2x_config()['extra']
    plain = make_lively(HRNet2x(extra, in_channels=4)).eval()
    saving = HRNet2x(extra, in_channels=4, with_cp=True).eval()
    saving.load_state_dict(plain.state_dict())
    image = torch.rand(1, 4, 32, 64, requires_grad=True)
    for a, b in zip(plain(image), saving(image), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'stage2': None}, r"stages stage1 to stage4, got \['stage1', 'stage3', 'stage4'\]"),
        ({'stage3': {'num_channels': (4, 6)}}, r'stage3.num_channels .* num_branches=4 .*\(4, 6\)'),
        ({'stage1': {'num_blocks': (1,)}}, r'extra.stage1.num_blocks must have num_branches=2'),
    ],
)
def test_wrong_stages_are_named(change, text):
    extra = hrnet2x_config()['extra']
    for stage, values in change.items():
        if values is None:
            del extra[stage]
        else:
            extra[stage].update(values)
    with pytest.raises(ValueError, match=text):
        HRNet2x(extra)
