"""HRNet2x is the released network: keys, shapes, sizes, and the numbers that come out."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from small_segfix import hrnet2x_config, make_lively
from torch import Tensor

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


class PlainHRNet2x:
    """The network written out convolution by convolution, from nothing but its weights."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def conv(self, x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        kernel = self.weights[f'{conv}.weight']
        x = F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        mean, var, weight, bias = (
            self.weights[f'{norm}.{name}'][:, None, None]
            for name in ('running_mean', 'running_var', 'weight', 'bias')
        )
        return (x - mean) / (var + 1e-5).sqrt() * weight + bias

    def block(self, x: Tensor, at: str) -> Tensor:
        depth = 3 if f'{at}.conv3.weight' in self.weights else 2
        out = x
        for i in range(1, depth + 1):
            out = self.conv(out, f'{at}.conv{i}', f'{at}.bn{i}')
            out = out.relu() if i < depth else out
        if f'{at}.downsample.0.weight' in self.weights:
            x = self.conv(x, f'{at}.downsample.0', f'{at}.downsample.1')
        return (out + x).relu()

    def has(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.weights)

    def chain(self, x: Tensor, at: str, relu_at_end: bool) -> Tensor:
        """Stride-2 convolutions at.0, at.1, ..., ReLU between them."""
        step = 0
        while self.has(f'{at}.{step}.'):
            x = x if step == 0 else x.relu()
            x = self.conv(x, f'{at}.{step}.0', f'{at}.{step}.1', stride=2)
            step += 1
        return x.relu() if relu_at_end else x

    def module(self, features: list[Tensor], at: str) -> list[Tensor]:
        branches = []
        for i, x in enumerate(features):
            index = 0
            while self.has(f'{at}.branches.{i}.{index}.'):
                x = self.block(x, f'{at}.branches.{i}.{index}')
                index += 1
            branches.append(x)
        fused = []
        for i, own in enumerate(branches):
            total = torch.zeros_like(own)
            for j, x in enumerate(branches):
                layer = f'{at}.fuse_layers.{i}.{j}'
                if j < i:
                    x = self.chain(x, layer, relu_at_end=False)
                elif j > i:
                    x = self.conv(x, f'{layer}.0', f'{layer}.1')
                    for size in ([n * 2 ** (j - i) for n in x.shape[2:]], own.shape[2:]):
                        x = F.interpolate(x, size, mode='bilinear', align_corners=False)
                total = total + x
            fused.append(total.relu())
        return fused

    def __call__(self, image: Tensor) -> list[Tensor]:
        features = [self.conv(image, 'conv1', 'bn1', stride=2).relu()]
        for stage in range(1, 5):
            at = f'transition{stage - 1}'
            scales = []
            for i in range(stage + 1):
                if i >= len(features):
                    scales.append(self.chain(features[-1], f'{at}.{i}', relu_at_end=True))
                elif f'{at}.{i}.0.weight' in self.weights:
                    scales.append(self.conv(features[i], f'{at}.{i}.0', f'{at}.{i}.1').relu())
                else:
                    scales.append(features[i])
            features = scales
            module = 0
            while self.has(f'stage{stage}.{module}.'):
                features = self.module(features, f'stage{stage}.{module}')
                module += 1
        return features


@pytest.mark.parametrize('size_hw', [(64, 96), (37, 50)])
def test_forward_equals_the_network_written_out(size_hw):
    extra = hrnet2x_config()['extra']
    extra['stage3'].update(num_modules=2, num_blocks=(2, 1, 1, 2))
    network = make_lively(HRNet2x(extra)).eval().double()
    image = torch.rand(2, 3, *size_hw, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        found = network(image)
        expected = PlainHRNet2x(network.state_dict())(image)
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
