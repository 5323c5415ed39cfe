"""Released weights refine as the released networks do, through one file and one call."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from plain_hrnet import (
    MEAN,
    STD,
    calibrate_heads,
    plain_bpr,
    plain_offset,
    plain_segfix,
    random_weights,
    released_shapes,
)

from mmrefine.apis import build_refiner
from mmrefine.models.checkpoint import build_model, read_checkpoint
from mmrefine.models.convert_checkpoint import convert_checkpoint

TOOL = Path(__file__).parents[2] / 'tools' / 'convert_checkpoint.py'
SIZE = (45, 70)


def rounded(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a published file keeps: convolutions in half precision."""
    return {k: v.half().double() if v.ndim > 1 else v.double() for k, v in weights.items()}


def save_released(weights: dict, path: Path, prefix: str = 'module.') -> Path:
    """Write a file as openseg.pytorch does: beside the weights, its settings."""
    settings = dict(dataset='cityscapes', gpu=[0, 1], lr=dict(base_lr=0.04), iters=80000)
    content = dict(state_dict={prefix + k: v for k, v in weights.items()}, config_dict=settings)
    torch.save(content, path)
    return path


@pytest.mark.parametrize(
    ('name', 'in_place'),
    [('segfix_hrnet2x', False), ('segfix_hrnet2x', True), ('segfix_hrnet-w48', True)],
)
def test_segfix_equals_the_released_network_layer_for_layer(tmp_path, name, in_place):
    weights = random_weights(released_shapes(name, in_place=in_place))
    if in_place:  # half of them negative, which InPlaceABN takes as positive
        for key in weights:
            if key.replace('weight', 'running_var') in weights and key.endswith('weight'):
                weights[key][::2] *= -1
    source = save_released(weights, tmp_path / 'released.pth')
    out = tmp_path / 'ours.pth'
    convert_checkpoint(source, out)
    inputs = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(1)).double()
    network = build_model(None, out).double()
    with torch.no_grad():
        features, logits = plain_segfix(rounded(weights), inputs)
        found = network.extract_feat(inputs)
        assert len(found) == len(features)
        for mine, theirs in zip(found, features, strict=True):
            torch.testing.assert_close(mine, theirs)
            assert theirs.std() > 1e-3
        torch.testing.assert_close(network.decode_head(found), logits)
        assert logits.std() > 1e-3
        assert (logits.argmax(1) != logits.argmax(1)[0, 0, 0]).any()


def test_segfix_refiner_reads_images_as_the_released_loader_did(tmp_path):
    weights = random_weights(released_shapes('segfix_hrnet2x'))
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    calibrate_heads(weights, torch.from_numpy(image))
    convert_checkpoint(save_released(weights, tmp_path / 'a.pth'), tmp_path / 'b.pth')
    refiner = build_refiner('segfix', checkpoint=tmp_path / 'b.pth', device='cpu')
    fields = refiner.predict_fields(image)
    boundary, offset = plain_offset(rounded(weights), torch.from_numpy(image))
    np.testing.assert_allclose(fields['pred_boundary'][0], boundary, atol=1e-3)
    assert 0.05 < (boundary > 0.5).double().mean() < 0.95
    assert offset.flatten(1).unique(dim=1).shape[1] > 4
    same = (fields['pred_offset'] == offset.numpy()).all(0)
    assert same.mean() > 0.99  # ties of float32
    labels = np.random.default_rng(1).integers(0, 4, SIZE, dtype=np.uint8)
    refined = refiner.refine(image, labels)
    assert refined.shape == labels.shape
    assert (refined != labels).any()


@pytest.mark.parametrize(('name', 'size'), [('bpr_hrnet-w18s', 128), ('bpr_hrnet-w48', 256)])
def test_bpr_equals_the_released_network(tmp_path, name, size):
    weights = random_weights(released_shapes(name))
    weights['decode_head.conv_seg.weight'] /= 20  # so that not all probabilities are 0 or 1
    source = save_released(weights, tmp_path / 'released.pth', prefix='')
    convert_checkpoint(source, tmp_path / 'ours.pth')
    refiner = build_refiner('bpr', checkpoint=tmp_path / 'ours.pth', device='cpu')
    assert (refiner.patch_size, refiner.input_size) == (64, size)
    network = refiner.model
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (2, 3, 32, 64), dtype=np.uint8))
    masks = torch.from_numpy(rng.integers(0, 2, (2, 32, 64), dtype=np.uint8))
    rgb = images.flip(1).double() / 255
    mean, std = (torch.tensor(v).double()[:, None, None] for v in (MEAN, STD))
    inputs = torch.cat([(rgb - mean) / std, 2 * masks[:, None].double() - 1], dim=1)
    assembled = network.data_preprocessor.assemble(images, masks).double()
    torch.testing.assert_close(assembled, inputs, atol=1e-5, rtol=0)
    with torch.no_grad():
        found = network.double().predict_probabilities(inputs)
        expected = plain_bpr(rounded(weights), inputs)
    # The refiner folded the norms into the convolutions, in float32.
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert expected.std() > 1e-2


def test_converted_file_is_an_ordinary_published_one(tmp_path):
    weights = random_weights(released_shapes('bpr_hrnet-w18s'))
    source = save_released(weights, tmp_path / 'a.pth')
    digest = convert_checkpoint(source, tmp_path / 'b.pth')
    kept = read_checkpoint(tmp_path / 'b.pth')
    assert kept['meta']['converted_from'] == 'a.pth'
    assert kept['meta']['model']['type'] == 'mmrefine.PatchRefiner'
    assert 'open-mmlab' not in str(kept['meta'])
    stem = kept['state_dict']['backbone.conv1.weight']
    assert torch.equal(stem[:, :3], weights['backbone.conv1.weight'].half())
    printed = subprocess.check_output(['sha256sum', tmp_path / 'b.pth'], text=True)
    assert printed.split()[0] == digest
    with pytest.raises(ValueError, match=r'neither .* a released SegFix, .* nor a released BPR, '):
        convert_checkpoint(tmp_path / 'b.pth', tmp_path / 'c.pth')


def test_config_for_weights_of_other_settings(tmp_path):
    shapes = released_shapes('bpr_hrnet-w18s')
    shapes |= {'decode_head.conv_seg.weight': (1, 270, 1, 1), 'decode_head.conv_seg.bias': (1,)}
    source = save_released(random_weights(shapes), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth does not fit .*conv_seg\.weight has shape \(1, '):
        convert_checkpoint(source, tmp_path / 'b.pth')
    config = tmp_path / 'mine.py'
    base = TOOL.parents[1] / 'configs' / '_base_' / 'models' / 'bpr_hrnet-w18s.py'
    config.write_text(f"_base_ = '{base}'\nmodel = dict(decode_head=dict(num_classes=1))\n")
    convert_checkpoint(source, tmp_path / 'b.pth', config)
    assert build_model(None, tmp_path / 'b.pth').out_channels == 1


class Settings:
    """More than a plain value, as some training scripts save beside the weights."""


def test_errors_say_what_to_do(tmp_path):
    weights = random_weights({'mask_head.0.weight': (2, 3, 1, 1)})
    torch.save(dict(state_dict=weights, args=Settings()), tmp_path / 'more.pth')
    with pytest.raises(
        ValueError, match=r'more\.pth .*Settings.*If you trust .*weights_only=False'
    ):
        convert_checkpoint(tmp_path / 'more.pth', tmp_path / 'out.pth')
    (tmp_path / 'page.pth').write_text('<html>Google Drive: virus scan warning</html>')
    with pytest.raises(ValueError, match=r'page\.pth .*web page') as info:
        convert_checkpoint(tmp_path / 'page.pth', tmp_path / 'out.pth')
    assert 'trust' not in str(info.value)
    resnet = random_weights({'conv1.weight': (8, 3, 7, 7), 'layer1.0.conv1.weight': (8, 8, 1, 1)})
    torch.save(resnet, tmp_path / 'resnet.pth')
    text = r'resnet\.pth is neither .* it has 2 weights: conv1\.weight, layer1\.0\.conv1\.weight'
    with pytest.raises(ValueError, match=text):
        convert_checkpoint(tmp_path / 'resnet.pth', tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()


def test_advice_in_the_error_works(tmp_path, monkeypatch):
    weights = random_weights(released_shapes('bpr_hrnet-w18s'))
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict=weights, args=Settings()), 'IN')
    with pytest.raises(ValueError, match='Settings') as info:
        convert_checkpoint('IN', 'x.pth')
    program = str(info.value).partition('python -c "')[2].removesuffix('"')
    exec(program)
    convert_checkpoint('OUT', 'x.pth')


def test_tool(tmp_path, run_fresh):
    weights = random_weights(released_shapes('bpr_hrnet-w18s'))
    source = save_released(weights, tmp_path / 'a.pth')
    done = run_fresh(str(TOOL), str(source), str(tmp_path / 'b.pth'))
    assert done.returncode == 0, done.stderr
    assert 'b.pth: 7.9 MiB, sha256 ' in done.stdout
    done = run_fresh(str(TOOL), str(tmp_path / 'b.pth'), str(tmp_path / 'c.pth'))
    assert done.returncode == 1
    assert 'a released SegFix' in done.stderr
    assert 'Traceback' not in done.stderr
