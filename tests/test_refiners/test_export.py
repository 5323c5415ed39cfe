"""Exported networks give the numbers of the original, for any batch and size."""

import io
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small_bpr import bpr_config, small_bpr
from small_segfix import make_lively, segfix_config, small_segfix

from mmrefine.apis import build_refiner
from mmrefine.cli.command import main
from mmrefine.models.checkpoint import build_model
from mmrefine.refiners import SegFixRefiner
from mmrefine.refiners.export import OnnxPredictor, export_refiner, onnx_bytes, torchscript_bytes

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
TOOL = Path(__file__).parents[2] / 'tools' / 'export.py'
DEMO = Path(__file__).parents[2] / 'demo'
SIZES = [(1, 37, 50), (3, 96, 64), (2, 65, 33)]
METHODS = ('segfix', 'bpr', 'released')


def write_checkpoint(method: str, path: Path) -> Path:
    if method == 'bpr':
        config, model = bpr_config(), make_lively(small_bpr())
    else:
        config = segfix_config()
        config['backbone']['align_corners'] = method == 'released'
        model = small_segfix()
    torch.save({'state_dict': model.state_dict(), 'meta': {'model': config}}, path)
    return path


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp('export')
    return {method: write_checkpoint(method, folder / f'{method}.pth') for method in METHODS}


@pytest.fixture(scope='module')
def onnx_files(checkpoints) -> dict[str, bytes]:
    return {method: onnx_bytes(build_model(None, path)) for method, path in checkpoints.items()}


def inputs_of(method: str, size: tuple[int, int, int]) -> torch.Tensor:
    number, height, width = size
    generator = torch.Generator().manual_seed(height)
    return torch.randn(number, 4 if method == 'bpr' else 3, height, width, generator=generator)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('method', METHODS)
def test_onnx_equals_torch(checkpoints, onnx_files, method, size):
    inputs = inputs_of(method, size)
    with torch.no_grad():
        expected = build_model(None, checkpoints[method]).predict_probabilities(inputs)
    found = OnnxPredictor(onnx_files[method])(inputs)
    assert found.shape == ((size[0], *size[1:]) if method == 'bpr' else (size[0], 10, *size[1:]))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    assert expected.std() > 1e-2


@pytest.mark.parametrize('method', METHODS)
def test_torchscript_equals_torch(checkpoints, method):
    model = build_model(None, checkpoints[method])
    extra = {'mmrefine_model': ''}
    script = torch.jit.load(io.BytesIO(torchscript_bytes(model)), _extra_files=extra)
    assert json.loads(extra['mmrefine_model'])['type'] == model.model_cfg['type']
    for size in SIZES:
        inputs = inputs_of(method, size)
        with torch.no_grad():
            expected = model.predict_probabilities(inputs)
            torch.testing.assert_close(script(inputs), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize('method', ['segfix', 'bpr'])
def test_shipped_networks(method, tmp_path):
    """Their refiners give the same masks from the exported file; networks are within 1e-4."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:70, :90]
    disc = np.hypot(rows - 33, columns - 40) < 24
    image = (disc[..., None] * 120 + rng.integers(0, 60, (70, 90, 3))).astype(np.uint8)
    masks = np.roll(disc, 3, axis=1)[None]
    refiner = build_refiner(method, device='cpu')
    export_refiner(refiner, tmp_path / 'network.onnx')
    exported = build_refiner(checkpoint=tmp_path / 'network.onnx')
    assert type(exported) is type(refiner)
    assert isinstance(exported.model.predict_probabilities, OnnxPredictor)
    channels = getattr(refiner.model.data_preprocessor, 'num_channels', 3)
    inputs = torch.randn(3, channels, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(
            exported.model.predict_probabilities(inputs),
            refiner.model.predict_probabilities(inputs),
            atol=1e-4,
            rtol=0,
        )
    refined = refiner.refine(image, masks)
    assert (exported.refine(image, masks) != refined).mean() < 1e-3
    assert not np.array_equal(refined, masks)


def test_exporting_leaves_the_network_as_it_is(checkpoints):
    model = build_model(None, checkpoints['segfix'])
    before = str(model)
    torchscript_bytes(model)
    assert str(model) == before


IMAGE = np.random.default_rng(0).integers(0, 256, (45, 70, 3), dtype=np.uint8)


def masks_of(method: str) -> np.ndarray:
    if method == 'bpr':
        yx = np.mgrid[:45, :70]
        return np.stack([((yx[0] - 20) ** 2 + (yx[1] - c) ** 2 < 150) for c in (20, 45)])
    return np.random.default_rng(1).integers(0, 4, (45, 70), dtype=np.uint8)


@pytest.mark.parametrize('from_file', [False, True])
@pytest.mark.parametrize('method', ['segfix', 'bpr'])
def test_refiner_on_onnxruntime_refines_the_same(checkpoints, tmp_path, method, from_file):
    plain = build_refiner(method, checkpoints[method], 'cpu')
    checkpoint = checkpoints[method]
    if from_file:
        checkpoint = tmp_path / 'network.onnx'
        export_refiner(plain, checkpoint)
    refiner = build_refiner(method, checkpoint, backend='onnxruntime')
    predictor = refiner.model.predict_probabilities
    assert isinstance(predictor, OnnxPredictor)
    masks = masks_of(method)
    expected = plain.refine(IMAGE, masks)
    assert (expected != masks).any()
    assert (refiner.refine(IMAGE, masks) != expected).mean() < 1e-3
    predictor.session = None  # nothing else computes the network
    with pytest.raises(AttributeError):
        refiner.refine(IMAGE, masks)


def test_from_the_shell(tmp_path):
    refiner = build_refiner('segfix', device='cpu')
    export_refiner(refiner, tmp_path / 'network.onnx')
    image = cv2.imread(str(DEMO / 'images/coffee.png'))[:200, :280]
    masks = cv2.imread(str(DEMO / 'coarse/coffee.png'), cv2.IMREAD_UNCHANGED)[:200, :280]
    expected = refiner.refine(image, masks)
    assert np.count_nonzero(expected != masks) > 200
    (tmp_path / 'images').mkdir()
    (tmp_path / 'masks').mkdir()
    cv2.imwrite(str(tmp_path / 'images/a.png'), image)
    cv2.imwrite(str(tmp_path / 'masks/a.png'), masks)
    folders = [str(tmp_path / name) for name in ('images', 'masks', 'out')]
    options = ['--checkpoint', str(tmp_path / 'network.onnx')]
    assert main(['refine', 'label-maps', *folders, *options]) == 0
    found = cv2.imread(str(tmp_path / 'out/a.png'), cv2.IMREAD_UNCHANGED)
    assert np.count_nonzero(found != expected) < 20


def test_sliding_windows_on_onnxruntime(tmp_path):
    config = segfix_config(test_cfg=dict(mode='slide', crop_size=(32, 40), stride=(16, 20)))
    content = {'state_dict': small_segfix().state_dict(), 'meta': {'model': config}}
    torch.save(content, tmp_path / 'slide.pth')
    fields = [
        build_refiner('segfix', tmp_path / 'slide.pth', 'cpu', backend).predict_fields(IMAGE)
        for backend in ('torch', 'onnxruntime')
    ]
    found = [f['pred_boundary'] for f in fields]
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)
    whole = SegFixRefiner(small_segfix(), device='cpu').predict_fields(IMAGE)['pred_boundary']
    assert np.abs(whole - found[0]).max() > 1e-2


def test_options_are_kept(checkpoints):
    refiner = build_refiner('segfix', checkpoints['segfix'], backend='onnxruntime', scale=3)
    assert (refiner.scale, refiner.device.type) == (3, 'cpu')


def test_what_cannot_be_is_said(checkpoints, tmp_path):
    path = checkpoints['segfix']
    with pytest.raises(ValueError, match=r"backend: expected torch or onnxruntime, got 'tensorrt'"):
        build_refiner('segfix', path, backend='tensorrt')
    with pytest.raises(ValueError, match='onnxruntime runs on the cpu, got cuda'):
        build_refiner(
            dict(type='mmrefine.SegFixRefiner', device='cuda:0'), path, backend='onnxruntime'
        )
    with pytest.raises(ValueError, match=r'out: .*\.onnx or \.pt, got .*a\.engine'):
        export_refiner(build_refiner('segfix', path, 'cpu'), tmp_path / 'a.engine')
    with pytest.raises(TypeError, match='not built from a config'):
        export_refiner(SegFixRefiner(small_segfix()), tmp_path / 'a.onnx')
    (tmp_path / 'page.onnx').write_text('<html>')
    with pytest.raises(
        ValueError, match=r'checkpoint: expected an ONNX file, .*absent\.onnx is none'
    ):
        build_refiner('segfix', tmp_path / 'absent.onnx', backend='onnxruntime')
    with pytest.raises(ValueError, match=r'checkpoint: .*page\.onnx.* is no ONNX file: '):
        build_refiner('segfix', tmp_path / 'page.onnx', backend='onnxruntime')
    assert not (tmp_path / 'a.onnx').exists()


def test_config_in_an_onnx_file_names_only_registered_parts(onnx_files, tmp_path):
    import onnx

    proto = onnx.load_from_string(onnx_files['segfix'])
    evil = segfix_config() | dict(backbone=dict(type='os.system', command='true'))
    for config, text in ((json.dumps(evil), 'must name registered parts, .*os.system'), (None, '')):
        del proto.metadata_props[:]
        if config:
            onnx.helper.set_model_props(proto, dict(mmrefine_model=config))
        onnx.save(proto, tmp_path / 'x.onnx')
        with pytest.raises(ValueError, match=text or r'was not written by mmrefine export'):
            build_refiner('segfix', tmp_path / 'x.onnx', backend='onnxruntime')


@pytest.mark.parametrize('name', ['onnx', 'onnxruntime'])
def test_what_is_not_installed_is_named(checkpoints, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"^{name} is needed .*'mmrefine\[export\]'"):
        build_refiner('segfix', checkpoints['segfix'], backend='onnxruntime')


def test_tool(checkpoints, tmp_path, run_fresh):
    out = tmp_path / 'new' / 'segfix.onnx'
    path = str(checkpoints['segfix'])
    done = run_fresh(str(TOOL), 'segfix', str(out), '--checkpoint', path)
    assert done.returncode == 0, done.stderr
    assert 'segfix.onnx: 0.' in done.stdout
    assert [p.name for p in out.parent.iterdir()] == ['segfix.onnx']


def test_openly_licensed_weights_are_exported(tmp_path):
    path = tmp_path / 'open.onnx'
    assert main(['export', 'segfix', str(path), '--weights', 'open']) == 0
    refiner = build_refiner('segfix', path, backend='onnxruntime')
    inputs = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    expected = build_refiner('segfix', device='cpu', weights='open').model
    with torch.no_grad():
        torch.testing.assert_close(
            refiner.model.predict_probabilities(inputs),
            expected.predict_probabilities(inputs),
            atol=1e-4,
            rtol=0,
        )
    with pytest.raises(ValueError, match=r'open\.onnx is an exported network'):
        build_refiner('segfix', path, backend='torch')
