"""From a name or a config to a refiner."""

import numpy as np
import pytest
import torch
from small_bpr import bpr_config, lively_bpr
from small_segfix import segfix_config, small_segfix

from mmrefine import cli
from mmrefine.apis import build_refiner
from mmrefine.apis.inferencer import RefinementInferencer
from mmrefine.cli.methods import refiner_config
from mmrefine.hooks import RefinementHook
from mmrefine.methods import DEFAULT
from mmrefine.refiners import BPRRefiner, SegFixRefiner, bpr_refiner, segfix_refiner
from mmrefine.refiners.names import refiner_class

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
LABELS = np.random.default_rng(1).integers(0, 4, (48, 64), dtype=np.uint8)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('build') / 'small.pth'
    content = {'state_dict': small_segfix().state_dict(), 'meta': {'model': segfix_config()}}
    torch.save(content, path)
    return path


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / 'config.py'
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope='module')
def expected():
    refined = SegFixRefiner(small_segfix(), scale=3).refine(IMAGE, LABELS)
    assert 0.01 < (refined != LABELS).mean() < 0.99
    return refined


def test_by_name(checkpoint, expected):
    refiner = build_refiner('segfix', checkpoint, 'cpu', scale=3)
    assert isinstance(refiner, SegFixRefiner)
    assert np.array_equal(refiner.refine(IMAGE, LABELS), expected)


def test_by_name_with_the_shipped_weights(checkpoint, expected, monkeypatch):
    monkeypatch.setattr(segfix_refiner.SegFixRefiner, 'shipped', checkpoint)
    assert np.array_equal(build_refiner('segfix', scale=3).refine(IMAGE, LABELS), expected)


@pytest.fixture
def bpr_checkpoint(tmp_path):
    content = {'state_dict': lively_bpr().state_dict(), 'meta': {'model': bpr_config()}}
    torch.save(content, tmp_path / 'bpr.pth')
    return tmp_path / 'bpr.pth'


def test_bpr_by_name_and_by_the_config_of_its_network(bpr_checkpoint, config, monkeypatch):
    expected = BPRRefiner(lively_bpr(), iou_threshold=0.1).refine(IMAGE, LABELS)
    assert (expected != LABELS).any()
    path = config(f'model = {bpr_config()}')
    for refiner in (
        build_refiner('bpr', bpr_checkpoint, iou_threshold=0.1),
        build_refiner(path, bpr_checkpoint, iou_threshold=0.1),
    ):
        assert isinstance(refiner, BPRRefiner)
        assert np.array_equal(refiner.refine(IMAGE, LABELS), expected)
    monkeypatch.setattr(bpr_refiner.BPRRefiner, 'shipped', bpr_checkpoint)
    refined = build_refiner('bpr', iou_threshold=0.1).refine(IMAGE, LABELS)
    assert np.array_equal(refined, expected)


def test_bpr_without_its_weights_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(bpr_refiner.BPRRefiner, 'shipped', tmp_path / 'bpr_hrnet-w18s.pth')
    with pytest.raises(ValueError, match=r'checkpoint: .*bpr_hrnet-w18s\.pth does not exist; give'):
        build_refiner('bpr')


def test_by_dict(checkpoint, expected):
    settings = dict(type='mmrefine.SegFixRefiner', checkpoint=str(checkpoint), scale=3)
    assert np.array_equal(build_refiner(settings).refine(IMAGE, LABELS), expected)
    assert build_refiner(settings, scale=1, steps=4).steps == 4
    assert settings['scale'] == 3, 'the dict is left as it is'


def test_by_refiner_config(checkpoint, config, expected):
    path = config(
        f"refiner = dict(type='mmrefine.SegFixRefiner', scale=3, checkpoint='{checkpoint}')"
    )
    assert np.array_equal(build_refiner(path).refine(IMAGE, LABELS), expected)


def test_by_the_config_of_its_network(checkpoint, config, expected):
    path = config(f'model = {segfix_config()}')
    refiner = build_refiner(str(path), checkpoint, scale=3)
    assert np.array_equal(refiner.refine(IMAGE, LABELS), expected)


@pytest.mark.parametrize(
    ('method', 'text'),
    [
        ('segfax', 'segfix.* got segfax'),
        ('absent.py', r'got absent\.py'),
        (
            dict(type='mmrefine.SegFaxRefiner'),
            'type among mmrefine.*SegFixRefiner.*, got mmrefine.SegFax',
        ),
        (dict(scale=2), 'type among .* got None'),
    ],
)
def test_unknown_methods_are_refused(method, text):
    with pytest.raises(ValueError, match=f'refiner: expected .*{text}'):
        build_refiner(method)


def test_what_is_no_refiner_is_refused():
    with pytest.raises(TypeError, match='expected a Refiner, got the type dict'):
        build_refiner(dict(type=dict))


def test_unknown_options_are_refused(checkpoint, config):
    with pytest.raises(
        ValueError, match=r'SegFixRefiner has no option scales, stops; it has .*scale'
    ):
        build_refiner('segfix', checkpoint, stops=1, scales=2)
    path = config("refiner = dict(type='mmrefine.SegFixRefiner', num_steps=2)")
    with pytest.raises(ValueError, match='no option num_steps'):
        build_refiner(path, checkpoint)
    with pytest.raises(ValueError, match='scale: expected an integer of 1 or more, got 0'):
        build_refiner('segfix', checkpoint, scale=0)


@pytest.mark.parametrize('text', ['refiner = dict(', '1 / 0', "_base_ = './nowhere.py'"])
def test_broken_configs_are_refused(config, text):
    path = config(text)
    with pytest.raises(ValueError, match=rf'refiner: cannot read the config {path}: \w+'):
        build_refiner(path)


def test_config_without_a_refiner_is_refused(config):
    path = config("model = dict(type='mmseg.EncoderDecoder')")
    with pytest.raises(ValueError, match=rf'{path} has neither'):
        build_refiner(path)


def test_checkpoints_that_do_not_fit_are_refused(checkpoint, tmp_path):
    other = small_segfix(num_directions=4).state_dict()
    content = {'state_dict': other, 'meta': {'model': segfix_config()}}
    torch.save(content, tmp_path / 'other.pth')
    (tmp_path / 'page.pth').write_text('<html>404 Not Found</html>')
    (tmp_path / 'cut.pth').write_bytes(checkpoint.read_bytes()[:5000])
    (tmp_path / 'empty.pth').touch()
    torch.save({'epoch': 3}, tmp_path / 'none.pth')
    for name, text in (
        ('other.pth', 'is of another model than the config'),
        ('page.pth', 'is not a torch checkpoint'),
        ('cut.pth', 'is not a torch checkpoint'),
        ('empty.pth', 'is not a torch checkpoint'),
        ('none.pth', 'has no weights'),
        ('absent.pth', ''),
    ):
        with pytest.raises(ValueError, match=rf'checkpoint: .*{name}.*{text}') as caught:
            build_refiner('segfix', tmp_path / name)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('device', ['cuda:99', 'toaster'])
def test_devices_that_are_not_there_are_refused(checkpoint, device):
    with pytest.raises(ValueError, match=f'device: {device} cannot be used here: '):
        build_refiner('segfix', checkpoint, device)


def test_one_method_is_the_default_everywhere(checkpoint, bpr_checkpoint, monkeypatch):
    monkeypatch.setattr(bpr_refiner.BPRRefiner, 'shipped', bpr_checkpoint)
    monkeypatch.setattr(segfix_refiner.SegFixRefiner, 'shipped', checkpoint)
    refiner = build_refiner(device='cpu')
    assert refiner.method is not None
    assert refiner.method.name == DEFAULT
    assert type(RefinementInferencer(device='cpu').model) is type(refiner)
    assert RefinementHook()._parts == [dict(type=f'mmrefine.{type(refiner).__name__}')]
    args = cli.parse(['refine', 'images', 'masks', 'out'])
    assert refiner_class(refiner_config(args)) is type(refiner)
    named = build_refiner(DEFAULT, device='cpu')
    assert {name: vars(named)[name] for name in ('min_score_gain', 'iou_threshold')} == {
        name: vars(refiner)[name] for name in ('min_score_gain', 'iou_threshold')
    }


def test_a_published_checkpoint_says_its_method(checkpoint, bpr_checkpoint):
    assert isinstance(build_refiner(checkpoint=checkpoint, device='cpu'), SegFixRefiner)
    assert isinstance(build_refiner(checkpoint=bpr_checkpoint, device='cpu'), BPRRefiner)
