"""Every released FFNet builds from its name, with the released keys, shapes and numbers."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from plain_ffnet import PlainFFNet

from mmrefine.models.checkpoint import build_model, read_checkpoint
from mmrefine.models.convert_checkpoint import convert_checkpoint
from mmrefine.models.ffnet_names import RELEASED, FFNetName, parse_name
from mmrefine.models.released.ffnet import released_ffnets, released_name
from mmrefine.registry import MODELS

REFERENCE = Path(__file__).parents[3] / 'shared' / 'reference' / 'ffnet_state_dicts.json'
# digest() of the released list; the test of it against the list itself needs that list.
DIGEST = 'f47e5c30094b9529c73d1f792d20033d7e37682c29c51466c12223d9ea2fab94'


def own_shapes(name: FFNetName, **options: object) -> dict[str, tuple[int, ...]]:
    """Names, as in the released file, and shapes of a network of ours."""
    kind = 'mmrefine.FFNetClassifier' if name.is_classifier else 'mmrefine.FFNet'
    with torch.device('meta'):
        network = MODELS.build(dict(type=kind, name=str(name), **options))
    return {released_name(key): tuple(w.shape) for key, w in network.state_dict().items()}


@pytest.fixture(scope='module')
def all_shapes() -> dict[FFNetName, dict[str, tuple[int, ...]]]:
    """Of the 71 networks; a mobile one with ``pre_down`` stands for that without."""
    twins = {name._replace(pre_down=False) for name in RELEASED if name.pre_down}
    return {name: own_shapes(name) for name in RELEASED if name not in twins}


def digest(shapes: dict[FFNetName, dict]) -> str:
    lines = [
        f'{name} {key} {list(shape)}'
        for name, keys in shapes.items()
        for key, shape in keys.items()
    ]
    return hashlib.sha256('\n'.join(sorted(lines)).encode()).hexdigest()


def test_keys_and_shapes_are_the_released_ones(all_shapes):
    assert len(all_shapes) == 71
    assert digest(all_shapes) == DIGEST


def test_digest_is_that_of_the_released_list(all_shapes):
    if not REFERENCE.is_file():
        pytest.skip(f'the list of released keys is not at {REFERENCE}; its digest is tested anyway')
    listed = json.loads(REFERENCE.read_text())
    del listed['_note']
    assert len(listed) == 71
    released = {parse_name(name): keys for name, keys in listed.items()}
    for name, keys in released.items():
        assert all_shapes[name] == {key: tuple(shape) for key, shape in keys.items()}, name
    assert digest(released) == DIGEST


def file_name(name: FFNetName) -> str:
    """As the authors named the file of a network."""
    slim = name.arch in ('86S', '150S') and name.letters != 'BCC'
    gpu = '_gpu' * (slim and not name.mobile)
    data = 'imagenet' if name.is_classifier else 'cityscapes'
    return f'ffnet{name.arch}_{name.letters}{gpu}_{data}_state_dict_quarts.pth'


def test_every_file_is_recognised(all_shapes):
    """By its weights alone, or where two networks have the same, by its name too."""
    several = 0
    for name, shapes in all_shapes.items():
        weights = {key: torch.empty(shape, device='meta') for key, shape in shapes.items()}
        assert released_ffnets(weights, f'ffnets/{file_name(name)}') == [name]
        others = released_ffnets(weights, 'weights.pth')
        assert name in others
        assert all(all_shapes.get(other, shapes) == shapes for other in others)
        several += len(others) > 1
    assert several == 12


def random_weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for key, shape in shapes.items():
        if key.endswith('num_batches_tracked'):
            weights[key] = torch.tensor(7)
        elif key.endswith('running_var') or (len(shape) == 1 and key.endswith('weight')):
            weights[key] = torch.rand(shape, generator=generator) + 0.5
        else:
            fan_in = max(1, torch.Size(shape[1:]).numel())
            weights[key] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
    return weights


def rounded(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a published file keeps: convolutions in half precision."""
    return {k: v.half().double() if v.ndim > 1 else v.double() for k, v in weights.items()}


@pytest.mark.parametrize(
    'name',
    [
        'FFNet-18-dAAC',
        'FFNet-50-dAAA',
        'FFNet-40S-BBB-mobile-pre_down',
        'FFNet-46NS-CCC-mobile',
        'FFNet-18-AAX',
    ],
)
def test_numbers_are_those_of_the_released_network(tmp_path, name):
    parsed = parse_name(name)
    weights = random_weights(own_shapes(parsed))
    source = tmp_path / file_name(parsed)
    torch.save(weights, source)  # as released: no state_dict around them
    convert_checkpoint(source, tmp_path / 'ours.pth')
    network = build_model(None, tmp_path / 'ours.pth').double()
    image = torch.randn(1, 3, 70, 101, generator=torch.Generator().manual_seed(1)).double()
    plain = PlainFFNet(rounded(weights), parsed.mobile, 2 if 'd' in parsed.letters else 1)
    with torch.no_grad():
        if parsed.is_classifier:
            found, expected = network(image), plain.classify(image)
        else:
            found = network.decode_head(network.extract_feat(image))
            expected = plain.segment(image)
    torch.testing.assert_close(found, expected)
    assert expected.std() > 1e-3


def test_classifier_starts_a_backbone(tmp_path):
    weights = random_weights(own_shapes(parse_name('FFNet-40S-BBX')))
    torch.save(weights, tmp_path / 'ffnet40S_BBX_imagenet_state_dict_quarts.pth')
    convert_checkpoint(tmp_path / 'ffnet40S_BBX_imagenet_state_dict_quarts.pth', tmp_path / 'a.pth')
    start = dict(type='Pretrained', checkpoint=str(tmp_path / 'a.pth'), prefix='backbone.')
    network = MODELS.build(
        dict(type='mmrefine.FFNet', name='FFNet-40S-BCC', backbone=dict(init_cfg=start))
    )
    network.init_weights()
    own = network.backbone.state_dict()
    for key in ('conv0.weight', 'layer4.3.conv2.weight'):
        assert torch.equal(own[key], weights[f'backbone_model.{key}'].half().float())


def test_two_networks_with_the_same_weights_are_told_by_a_config(tmp_path):
    name = parse_name('FFNet-50-dAAA')
    torch.save(random_weights(own_shapes(name)), tmp_path / 'mine.pth')
    with pytest.raises(ValueError, match=r'may be FFNet-50-AAA or FFNet-50-dAAA; give a config'):
        convert_checkpoint(tmp_path / 'mine.pth', tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()
    config = tmp_path / 'model.py'
    config.write_text("model = dict(type='mmrefine.FFNet', name='FFNet-50-dAAA', num_classes=19)\n")
    convert_checkpoint(tmp_path / 'mine.pth', tmp_path / 'out.pth', config)
    assert read_checkpoint(tmp_path / 'out.pth')['meta']['model'] == Config.fromfile(config).model


def test_without_pre_down_the_smoothing_goes(tmp_path):
    """And nothing else: the authors do the same to run on images that are small already."""
    weights = random_weights(own_shapes(parse_name('FFNet-46NS-CCC-pre_down')))
    torch.save(weights, tmp_path / 'a.pth')
    config = tmp_path / 'model.py'
    config.write_text("model = dict(type='mmrefine.FFNet', name='FFNet-46NS-CCC')\n")
    convert_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pth', config)
    assert len(build_model(None, tmp_path / 'b.pth').state_dict()) == len(weights) - 1


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        (
            {'head.layers.3.last_layer.3.weight': (21, 128, 1, 1)},
            r'does not fit the network: head\.layers\.3\.last_layer\.3\.weight has shape \(21, ',
        ),
        ({'head.extra.weight': (2,)}, r'head\.extra\.weight is unknown'),
        ({'backbone_model.bn1.bias': None}, r'backbone_model\.bn1\.bias is missing'),
        ({'backbone_model.layer4.2.conv1.weight': (3, 3)}, r'is an FFNet and is none that was'),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, text):
    shapes = own_shapes(parse_name('FFNet-18-dAAC')) | change
    weights = random_weights({k: v for k, v in shapes.items() if v is not None})
    torch.save(weights, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=text):
        convert_checkpoint(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert not (tmp_path / 'b.pth').exists()


def test_every_weight_of_ours_is_a_layer_of_the_file():
    for name in ('FFNet-46NS-CCC-pre_down', 'FFNet-18-AAX'):
        names = list(own_shapes(parse_name(name)))
        assert len(names) == len(set(names))
        assert all(n.startswith(('backbone_model.', 'head.layers.', 'smoothing.')) for n in names)
