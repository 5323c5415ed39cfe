"""FFNets see as far as they should, and are the same in half precision and in ONNX."""

import io

import numpy as np
import pytest
import torch
from small_segfix import make_lively
from torch import nn

from mmrefine.models.backbones import FFNetResNet
from mmrefine.models.decode_heads import FFNetHead
from mmrefine.models.ffnet_names import RELEASED, parse_name
from mmrefine.models.necks import FFNetUp
from mmrefine.models.segmentors import FFNet

# Pixels that the last stage sees, of models named by architecture and stem.
FIELDS = {
    ('50', 'A'): 427,
    ('34', 'A'): 899,
    ('101', 'A'): 971,
    ('40S', 'B'): 1071,
    ('56', 'A'): 1427,
    ('78S', 'B'): 2223,
    ('150', 'A'): 4115,
}


def seeing_network(arch: str) -> FFNetResNet:
    """A network in which nothing cancels out: whatever a pixel is connected to has a gradient."""
    with torch.device('meta'):
        network = FFNetResNet(arch, blocks=None)
    network = network.to_empty(device='cpu').eval().double()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.reset_parameters()
    if isinstance(network.maxpool, nn.MaxPool2d):  # its gradient goes to one pixel of a window
        pool = network.maxpool
        network.maxpool = nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding)
    return network


@pytest.mark.parametrize('arch', ['50', '34', '40S'])
def test_receptive_field_is_where_the_gradient_is(arch):
    expected = FIELDS[arch, 'B' if 'S' in arch else 'A']
    height = 64 * (expected // 64 + 3)
    image = torch.ones(1, 3, height, 32, dtype=torch.float64, requires_grad=True)
    last = seeing_network(arch)(image)[-1]
    last[0, 0, last.shape[2] // 2, 0].backward()
    rows = image.grad[0, 0].any(dim=1).nonzero()[:, 0]
    assert rows.min() > 0
    assert rows.max() < height - 1
    assert rows.max() - rows.min() + 1 == expected


@pytest.mark.parametrize(('arch', 'stem'), FIELDS)
def test_receptive_field_by_the_layers(arch, stem):
    """Each layer adds its kernel size less one, times the stride of all before it."""
    with torch.device('meta'):
        network = FFNetResNet(arch, stem)
    field, stride = 1, 1
    for name, layer in network.named_modules():
        if 'downsample' in name:
            continue
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            size, step = (
                v if isinstance(v, int) else v[0] for v in (layer.kernel_size, layer.stride)
            )
            field += (size - 1) * stride
            stride *= step
    assert (field, stride) == (FIELDS[arch, stem], 32)


def spread(arch: str) -> float:
    """Standard deviation, in pixels, of where the gradient of a centre pixel comes from."""
    torch.manual_seed(0)
    network = FFNetResNet(arch)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_out')
        elif isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the statistics become those of the one image
    image = torch.randn(1, 3, 256, 128, requires_grad=True)
    with torch.no_grad():
        network.train()(image)
    last = network.eval()(image)[-1]
    last[0, :, last.shape[2] // 2, last.shape[3] // 2].sum().backward()
    weight = image.grad[0].square().sum(dim=(0, 2)).numpy()
    rows = np.arange(len(weight))
    centre = (weight * rows).sum() / weight.sum()
    return float(np.sqrt((weight * (rows - centre) ** 2).sum() / weight.sum()))


def test_basic_blocks_look_wider_than_bottlenecks():
    """Section 3 of the paper: 34 layers of basic blocks see farther than 50 of bottlenecks."""
    assert spread('34') > 1.1 * spread('50')


SIZES = [(64, 96), (70, 101), (33, 47)]
SMALL = dict(blocks=(1, 1, 1, 1))
SMALL_THREE = dict(blocks=(1, 1, 1))
THREE_MODELS = [
    ('FFNet-18-dAAC', SMALL),
    ('FFNet-78S-BCC-mobile', SMALL),
    ('FFNet-46NS-CBB-pre_down', SMALL_THREE),
]


@pytest.mark.quick
@pytest.mark.parametrize('size_hw', SIZES)
@pytest.mark.parametrize(('name', 'backbone'), THREE_MODELS)
def test_sizes(name, backbone, size_hw):
    network = FFNet(name, num_classes=5, backbone=backbone).eval()
    halves = 1 if 'pre_down' in name else 0
    first = (8 if '-d' in name else 4) * 2**halves
    features = network.extract_feat(torch.rand(2, 3, *size_hw))
    assert len(features) == 4
    for level, feature in enumerate(features):
        sides = []
        for side in size_hw:
            for _ in range(level + int(np.log2(first))):
                side = -(-side // 2)
            sides.append(side)
        assert feature.shape[2:] == tuple(sides)
    assert network.decode_head(features).shape == (2, 5, *features[0].shape[2:])
    meta = dict(img_shape=size_hw, ori_shape=size_hw)
    assert network.encode_decode(torch.rand(1, 3, *size_hw), [meta]).shape == (1, 5, *size_hw)


@pytest.mark.parametrize(('name', 'backbone'), THREE_MODELS)
def test_half_precision_gives_the_same(name, backbone):
    network = make_lively(FFNet(name, num_classes=5, backbone=backbone)).eval()
    image = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        full = network.decode_head(network.extract_feat(image))
        half = network.half()
        found = half.decode_head(half.extract_feat(image.half())).float()
    assert full.std() > 1e-3
    torch.testing.assert_close(found, full, atol=0.02 * float(full.abs().max()), rtol=0)


class Logits(nn.Module):
    """What is exported: class scores at the resolution of the network."""

    def __init__(self, network: FFNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network.decode_head(self.network.extract_feat(images))


@pytest.mark.parametrize(('name', 'backbone'), THREE_MODELS)
@pytest.mark.filterwarnings('ignore')
def test_onnx_gives_the_same_for_any_size(name, backbone):
    pytest.importorskip('onnx')
    runtime = pytest.importorskip('onnxruntime')
    network = Logits(make_lively(FFNet(name, num_classes=5, backbone=backbone))).eval()
    buffer = io.BytesIO()
    axes = dict(images={0: 'n', 2: 'h', 3: 'w'}, logits={0: 'n', 2: 'h', 3: 'w'})
    options = dict(input_names=['images'], output_names=['logits'], dynamic_axes=axes)
    if 'dynamo' in torch.onnx.export.__code__.co_varnames:
        options['dynamo'] = False
    torch.onnx.export(network, (torch.zeros(2, 3, 64, 96),), buffer, opset_version=17, **options)
    session = runtime.InferenceSession(buffer.getvalue(), providers=['CPUExecutionProvider'])
    for size_hw in SIZES:
        images = torch.randn(1, 3, *size_hw, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = network(images)
        found = torch.from_numpy(session.run(None, dict(images=images.numpy()))[0])
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
        assert expected.std() > 1e-3


def test_number_of_parameters():
    """As a third party counted them."""
    with torch.device('meta'):
        network = FFNet('FFNet-40S-dBBB')
    assert sum(p.numel() for p in network.parameters()) == 13_911_283


def test_smoothing_keeps_what_is_flat_and_halves_both_axes():
    network = FFNetResNet('46NS', pre_down=True)
    flat = torch.full((1, 3, 1024 // 8, 2048 // 8 + 1), 0.7)
    halved = network.smoothing(flat)
    assert halved.shape == (1, 3, 64, 129)
    torch.testing.assert_close(halved, torch.full_like(halved, 0.7))
    stripes = torch.arange(64).remainder(2).float().expand(1, 3, 32, 64)
    assert network.smoothing(stripes)[..., 2:-2].std() < 1e-3  # no aliasing
    assert 'smoothing.weight' not in dict(network.named_parameters())


def test_keep_inputs_adds_the_stages():
    neck = FFNetUp((4, 6, 8, 10), kind='C', keep_inputs=True)
    features = [torch.rand(2, c, 8 // 2**i, 12 // 2**i) for i, c in enumerate((4, 6, 8, 10))]
    outputs = neck(features)
    assert (
        [x.shape[1] for x in outputs] == [128, 16, 16, 16, 4, 6, 8, 10] == list(neck.out_channels)
    )
    assert all(a is b for a, b in zip(outputs[4:], features, strict=True))


def test_norm_eval_and_gradient_checkpointing():
    plain = make_lively(FFNetResNet('34', blocks=(1, 1, 1, 1))).eval()
    saving = FFNetResNet('34', blocks=(1, 1, 1, 1), with_cp=True, norm_eval=True).train()
    saving.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 32, 64, requires_grad=True)
    for a, b in zip(plain(image), saving(image), strict=True):
        torch.testing.assert_close(a, b)


def test_names_of_the_authors():
    for ours, theirs in (
        ('FFNet-78S-BCC', 'segmentation_ffnet78S_BCC_mobile'),
        ('FFNet-86S-dBBB', 'segmentation_ffnet86S_dBBB'),
        ('ffnet-86s-dbbb-mobile', 'segmentation_ffnet86S_dBBB_mobile'),
        ('FFNet-46NS-CCC-mobile-pre_down', 'segmentation_ffnet46NS_CCC_mobile_pre_down'),
        ('FFNet-150-AAX', 'classification_ffnet150_AAX'),
    ):
        assert parse_name(ours) == parse_name(theirs)
    assert parse_name('FFNet-78S-BCC').mobile
    assert not parse_name('FFNet-86S-BBB').mobile
    assert [parse_name(str(name)) for name in RELEASED] == list(RELEASED)


@pytest.mark.parametrize(
    ('name', 'text'),
    [
        (
            'FFNet-77S-BCC',
            r"name: 'FFNet-77S-BCC' is no released FFNet; near it are .*FFNet-78S-BCC",
        ),
        ('FFNet-86S-AAA', r'near it are .*FFNet-86'),
        ('FFNet-150-ABB-pre_down', r'near it are .*FFNet-150-ABB'),
        ('resnet', r'for example FFNet-78S-BCC\. Other combinations are built'),
        (78, r'name: 78 is no'),
        ('FFNet-150-AAX', r'classifies images: use mmrefine\.FFNetClassifier'),
    ],
)
def test_unknown_names_list_near_ones(name, text):
    with pytest.raises(ValueError, match=text):
        FFNet(name)


@pytest.mark.parametrize(
    ('build', 'text'),
    [
        (lambda: FFNetResNet('77S'), r"arch: expected one of 18, .*122NS, got '77S'"),
        (lambda: FFNetResNet('40S', 'D'), r"stem: expected one of A, B, C, got 'D'"),
        (lambda: FFNetResNet('46N', first_stride=2), r'first_stride: expected 1 \(the first stage'),
        (lambda: FFNetResNet('40S', first_stride=4), r'first_stride: expected 1 or 2, got 4'),
        (lambda: FFNetResNet('46N', blocks=(1,) * 4), r'blocks: expected 3 numbers for 46N, got'),
        (lambda: FFNetUp((1, 2, 3)), r'in_channels: expected 4 numbers, got \(1, 2, 3\)'),
        (lambda: FFNetUp((1,) * 4, 'X'), r"kind: expected one of A, B, C, got 'X'"),
        (lambda: FFNetUp((1,) * 4, 'A', 'area'), r'upsampling: expected one of bilinear, nearest'),
        (lambda: FFNetHead((8,) * 4, 'E', num_classes=3), r'kind: expected one of A, B, C'),
    ],
)
def test_wrong_parts_are_named(build, text):
    with pytest.raises(ValueError, match=text):
        build()
