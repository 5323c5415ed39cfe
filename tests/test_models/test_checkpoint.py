"""Checkpoints: what is written is read again, and nothing else is."""

import copy
import io
import pickle
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from small_bpr import bpr_config, small_bpr
from small_segfix import make_lively, segfix_config, small_segfix

import mmrefine
from mmrefine.models.checkpoint import (
    _check_parts,
    build_model,
    publish_checkpoint,
    read_checkpoint,
)

SHIPPED_CHECKPOINT = Path(mmrefine.__file__).parent / 'weights' / 'segfix_lite0.pth'
WIDE_AND_HIGH = (48, 64)


def save(content: object, path: Path, **options: object) -> Path:
    torch.save(content, path, **options)
    return path


def with_pickle(path: Path, program: bytes) -> Path:
    """A torch archive whose pickle is ``program``."""
    archive = io.BytesIO()
    torch.save({'state_dict': {'a': torch.zeros(1)}}, archive)
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, 'w') as new:
        for name in old.namelist():
            new.writestr(name, program if name.endswith('data.pkl') else old.read(name))
    return path


def pickle_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith('data.pkl'))
        return archive.read(name)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, camvid_folder) -> Path:
    """A checkpoint as mmengine's runner writes it after training and validating."""
    folder = tmp_path_factory.mktemp('trained')
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='mmseg.LoadAnnotations'),
        dict(type='mmrefine.GenerateBoundaryDirection'),
        dict(type='mmrefine.PackSegFixInputs'),
    ]

    def loader(split: str, batch: int) -> dict:
        prefix = dict(img_path=f'img_dir/{split}', seg_map_path=f'ann_dir/{split}')
        return dict(
            batch_size=batch,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='mmrefine.CamVidDataset',
                data_root=str(camvid_folder),
                data_prefix=prefix,
                pipeline=pipeline,
            ),
        )

    checkpoint = dict(
        type='CheckpointHook',
        by_epoch=False,
        interval=1,
        save_best='segfix/boundary_fscore',
        rule='greater',
    )
    cfg = Config(
        dict(
            model=segfix_config(),
            work_dir=str(folder),
            default_scope='mmseg',
            experiment_name='test_checkpoint',
            train_dataloader=loader('train', 2),
            val_dataloader=loader('val', 1),
            val_evaluator=dict(type='mmrefine.SegFixMetric'),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=2, val_interval=1),
            val_cfg=dict(type='ValLoop'),
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9)
            ),
            param_scheduler=[dict(type='PolyLR', power=0.9, end=2, by_epoch=False)],
            default_hooks=dict(logger=dict(type='LoggerHook', interval=1), checkpoint=checkpoint),
            custom_hooks=[dict(type='EMAHook')],
            log_processor=dict(by_epoch=False),
            log_level='WARNING',
        )
    )
    Runner.from_cfg(cfg).train()
    return folder / 'iter_2.pth'


@pytest.mark.quick
def test_training_checkpoint_is_read_without_its_logs(trained):
    names = torch.serialization.get_unsafe_globals_in_checkpoint(trained)
    assert 'mmengine.logging.history_buffer.HistoryBuffer' in names  # what needs special care
    found = read_checkpoint(trained)
    expected = torch.load(trained, weights_only=False)
    assert found['meta']['iter'] == 2
    assert found['state_dict'].keys() == expected['state_dict'].keys()
    assert all(torch.equal(v, expected['state_dict'][k]) for k, v in found['state_dict'].items())
    model = build_model(segfix_config(), trained)
    assert torch.equal(model.backbone.conv1.weight, expected['state_dict']['backbone.conv1.weight'])
    assert not model.training


@pytest.mark.parametrize('core', [b'numpy.core', b'numpy._core'])
def test_logs_of_either_numpy_are_passed_over(tmp_path, core):
    """A checkpoint may come from a machine with the other numpy."""
    logs = dict(loss=HistoryBuffer([1.0, 2.0], [1, 1]), best=np.float32(3), count=np.int64(4))
    path = save({'state_dict': {'a': torch.ones(2)}, 'message_hub': logs}, tmp_path / 'logs.pth')
    program = pickle_of(path)
    assert b'.multiarray' in program
    program = program.replace(b'numpy._core.multiarray', b'numpy.core.multiarray')
    program = program.replace(b'numpy.core.multiarray', core + b'.multiarray')
    other = tmp_path / 'other.pth'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, 'w') as new:
        for name in old.namelist():
            new.writestr(name, program if name.endswith('data.pkl') else old.read(name))
    assert torch.equal(read_checkpoint(other)['state_dict']['a'], torch.ones(2))


def predictions(model: torch.nn.Module) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, *WIDE_AND_HIGH, generator=generator)
    with torch.no_grad():
        return model.decode_head.predict_by_feat(
            model(image), [dict(img_shape=WIDE_AND_HIGH, pad_shape=WIDE_AND_HIGH)]
        )


@pytest.mark.quick
def test_published_checkpoint_needs_no_config_and_predicts_the_same(tmp_path):
    model = small_segfix()
    path = save({'state_dict': model.state_dict(), 'optimizer': {'x': 1}}, tmp_path / 'a.pth')
    out = tmp_path / 'new' / 'b.pth'
    digest = publish_checkpoint(segfix_config(), path, out, data='CamVid')
    again = build_model(None, out)
    a, b = predictions(model), predictions(again)
    torch.testing.assert_close(a, b, atol=5e-3, rtol=0)
    assert not torch.equal(a, b)
    kept = torch.load(out, weights_only=True)
    assert kept.keys() == {'state_dict', 'meta'}
    assert kept['meta']['data'] == 'CamVid'
    assert kept['state_dict']['backbone.conv1.weight'].dtype == torch.float16
    assert kept['state_dict']['backbone.bn1.running_var'].dtype == torch.float32
    assert again.backbone.conv1.weight.dtype == torch.float32
    assert digest == subprocess.check_output(['sha256sum', out], text=True).split()[0]
    assert [p.name for p in out.parent.iterdir()] == ['b.pth']


@pytest.mark.parametrize('half', [True, False])
def test_published_weights_are_single_precision_again(tmp_path, half):
    """The same for BPR's network; what is loaded is what is stored, to the bit."""
    model = make_lively(small_bpr())
    path = save({'state_dict': model.state_dict()}, tmp_path / 'a.pth')
    publish_checkpoint(bpr_config(), path, tmp_path / 'b.pth', half=half)
    again = build_model(None, tmp_path / 'b.pth').state_dict()
    assert again.keys() == model.state_dict().keys()
    for key, value in model.state_dict().items():
        rounded = half and value.is_floating_point() and value.ndim > 1
        expected = value.half().float() if rounded else value
        assert again[key].dtype == value.dtype
        assert torch.equal(again[key], expected), key
    sizes = [(tmp_path / name).stat().st_size for name in ('a.pth', 'b.pth')]
    assert (sizes[1] < 0.8 * sizes[0]) == half


@pytest.mark.parametrize(('option', 'kind'), [('--half', 'float16'), ('--no-half', 'float32')])
def test_tool_publishes_in_either_precision(run_fresh, tmp_path, option, kind):
    path = save({'state_dict': small_bpr().state_dict()}, tmp_path / 'a.pth')
    (tmp_path / 'config.py').write_text(f'model = {bpr_config()}')
    command = 'tools/publish_checkpoint.py', tmp_path / 'config.py', path, tmp_path / 'b.pth'
    result = run_fresh(*map(str, command), option, '--meta', 'data=none')
    assert result.returncode == 0, result.stderr
    assert 'b.pth: 0.' in result.stdout
    kept = torch.load(tmp_path / 'b.pth', weights_only=True)
    assert str(kept['state_dict']['backbone.conv1.weight'].dtype) == f'torch.{kind}'
    assert kept['meta']['data'] == 'none'
    result = run_fresh(*map(str, command), '--meta', 'half=1')
    assert result.returncode == 2
    assert 'with a KEY that is none of checkpoint, half' in result.stderr


def test_publishing_again_changes_nothing(tmp_path):
    path = save({'state_dict': small_segfix().state_dict()}, tmp_path / 'a.pth')
    publish_checkpoint(segfix_config(), path, tmp_path / 'b.pth')
    publish_checkpoint(segfix_config(), tmp_path / 'b.pth', tmp_path / 'c.pth')
    b, c = (read_checkpoint(tmp_path / name) for name in ('b.pth', 'c.pth'))
    assert all(torch.equal(b['state_dict'][k], c['state_dict'][k]) for k in b['state_dict'])


def test_config_of_the_caller_is_not_changed(tmp_path):
    path = save({'state_dict': small_segfix().state_dict()}, tmp_path / 'a.pth')
    pretrained = dict(type='Pretrained', checkpoint='open-mmlab://nothing')
    plain = segfix_config()
    plain['backbone']['init_cfg'] = pretrained
    for cfg in (plain, Config(dict(model=plain)).model):
        before = copy.deepcopy(cfg)
        build_model(cfg, path)
        publish_checkpoint(cfg, path, tmp_path / 'b.pth')
        assert cfg == before
    assert 'nothing' not in str(read_checkpoint(tmp_path / 'b.pth')['meta'])


@pytest.mark.parametrize(
    ('content', 'text'),
    [
        (None, r'x\.pth does not exist'),
        (b'', r'x\.pth is not a torch checkpoint'),
        (b'<!DOCTYPE html>\n<html><body>Not found', r'x\.pth is not a torch checkpoint .*web page'),
        (b'\n\n<html>', r'x\.pth is not a torch checkpoint'),
        (b'\x89PNG\r\n\x1a\n' + bytes(40), r'x\.pth is not a torch checkpoint'),
    ],
)
def test_what_is_no_checkpoint(tmp_path, content, text):
    path = tmp_path / 'x.pth'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f'^checkpoint: .*{text}') as info:
        read_checkpoint(path)
    assert '\n' not in str(info.value)
    assert '\x1b' not in str(info.value)


def test_any_first_byte(tmp_path):
    path = tmp_path / 'x.pth'
    for first in range(256):
        path.write_bytes(bytes([first]) + b'ello, \xfe world' * 3)
        with pytest.raises(ValueError, match=r'checkpoint: .*x\.pth is not a torch checkpoint'):
            read_checkpoint(path)


@pytest.mark.parametrize('new_format', [True, False])
def test_truncated_anywhere(tmp_path, new_format):
    weights = {f'layer{i}': torch.randn(7, 9) for i in range(3)}
    path = save(
        {'state_dict': weights},
        tmp_path / 'x.pth',
        _use_new_zipfile_serialization=new_format,
    )
    whole = path.read_bytes()
    for length in np.linspace(1, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'checkpoint: .*x\.pth is not a torch checkpoint'):
            read_checkpoint(path)


@pytest.mark.parametrize(
    'content', [[1, 2], {'state_dict': {}}, {'state_dict': [1]}, {'state_dict': {'a': 1}}, {}]
)
def test_checkpoint_without_weights(tmp_path, content):
    path = save(content, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'x\.pth (has no weights|must hold a dictionary)'):
        read_checkpoint(path)


class Touch:
    """Unpickled without care, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


@pytest.mark.quick
@pytest.mark.parametrize('archive', [True, False])
def test_code_in_a_pickle_does_not_run(tmp_path, archive):
    trap = tmp_path / 'executed'
    path = tmp_path / 'x.pth'
    content = {'state_dict': {'a': torch.zeros(1)}, 'meta': Touch(trap)}
    if archive:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(ValueError, match=r'x\.pth .*only weights'):
        read_checkpoint(path)
    assert not trap.exists()
    if archive:
        torch.load(path, weights_only=False)
        assert trap.exists(), 'the trap must work, or this test holds for nothing'


def test_logs_cannot_reach_into_the_program(tmp_path):
    """``getattr(HistoryBuffer.mean, '__globals__')['trap'] = 1``, written as a pickle."""
    program = (
        b'\x80\x02cbuiltins\ngetattr\ncbuiltins\ngetattr\n'
        b'cmmengine.logging.history_buffer\nHistoryBuffer\nX\x04\x00\x00\x00mean\x86R'
        b'X\x0b\x00\x00\x00__globals__\x86RX\x04\x00\x00\x00trapK\x01s.'
    )
    with pytest.raises(ValueError, match=r'x\.pth'):
        read_checkpoint(with_pickle(tmp_path / 'x.pth', program))
    names = HistoryBuffer.mean.__globals__
    assert 'trap' not in names
    pickle.loads(program)
    assert names.pop('trap') == 1, 'the trap must work, or this test holds for nothing'


@pytest.mark.parametrize('name', ['subprocess.run', 'os.system', 'mmengine.load', 'pathlib.Path'])
def test_config_in_a_checkpoint_names_only_registered_parts(tmp_path, name):
    """mmengine imports and calls whatever a dotted ``type`` names."""
    trap = tmp_path / 'executed'
    evil = dict(type=name, args=['touch', str(trap)])
    for config in (evil, segfix_config() | dict(backbone=evil), segfix_config(neck=[evil])):
        content = dict(state_dict={'a': torch.zeros(1)}, meta=dict(model=config))
        path = save(content, tmp_path / 'x.pth')
        with pytest.raises(ValueError, match=rf'x\.pth must name registered parts, .*{name}'):
            build_model(None, path)
    assert not trap.exists()


@pytest.mark.parametrize('scope', ['mmseg', 'mmdet', 'mmpretrain', 'mmcls', 'mmrefine', None])
def test_parts_of_all_packages_that_mmseg_configs_borrow_from_may_be_named(scope):
    """mmseg's ConvNeXt, BEiT and MAE configs take their backbones from mmpretrain."""
    name = 'ConvNeXt' if scope is None else f'{scope}.ConvNeXt'
    _check_parts(dict(backbone=dict(type=name, plugins=[dict(type=name)])), 'model')
    if scope is not None:
        with pytest.raises(ValueError, match='model must name registered parts'):
            _check_parts(dict(backbone=dict(type=f'{scope}.apis.ConvNeXt')), 'model')


@pytest.mark.parametrize(
    ('config', 'text'),
    [
        (segfix_config() | dict(train_cfg=dict(x=len)), 'plain values, got <built-in function'),
        (segfix_config() | dict(test_cfg=dict(type=dict)), 'must name registered parts'),
    ],
)
def test_only_plain_configs_are_published(tmp_path, config, text):
    path = save({'state_dict': small_segfix().state_dict()}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=text):
        publish_checkpoint(config, path, tmp_path / 'b.pth')
    assert [p.name for p in tmp_path.iterdir()] == ['a.pth']


def test_weights_of_another_model_are_named(tmp_path):
    weights = small_segfix().state_dict()
    weights['extra.weight'] = torch.zeros(1)
    del weights['backbone.bn1.bias']
    path = save({'state_dict': weights}, tmp_path / 'x.pth')
    text = r'x\.pth is of another model .*backbone\.bn1\.bias is missing; extra\.weight is unknown$'
    with pytest.raises(ValueError, match=text):
        build_model(segfix_config(), path)
    path = save({'state_dict': small_segfix(16).state_dict()}, path)
    text = r'direction_branch\.1\.weight has shape \(16, 8, 1, 1\) instead of \(8, 8, 1, 1\)$'
    with pytest.raises(ValueError, match=text):
        build_model(segfix_config(), path)
    path = save({'state_dict': {f'module{i}': torch.zeros(1) for i in range(9)}}, path)
    with pytest.raises(ValueError, match=r'; and \d+ more$'):
        build_model(segfix_config(), path)


def test_no_config_anywhere(tmp_path):
    path = save({'state_dict': small_segfix().state_dict()}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'x\.pth does not carry its model config'):
        build_model(None, path)
    with pytest.raises(ValueError, match='trained weights are needed'):
        build_model(segfix_config(), None)
    with pytest.raises(ValueError, match=r'config file .*no\.py does not exist'):
        build_model(tmp_path / 'no.py', path)
    empty = tmp_path / 'empty.py'
    empty.write_text('a = 1')
    with pytest.raises(ValueError, match=r'empty\.py has no `model`'):
        build_model(empty, path)


@pytest.mark.quick
@pytest.mark.parametrize('as_text', [True, False])
def test_a_config_in_a_checkpoint_is_no_program(tmp_path, as_text):
    """A path there would be read by mmengine as a config file, which is run."""
    ran = tmp_path / 'ran'
    program = f'open({str(ran)!r}, "w").close()\nmodel = dict(type="mmrefine.SegFix")\n'
    path = tmp_path / 'evil.py'
    path.write_text(program)
    content = torch.load(SHIPPED_CHECKPOINT, weights_only=True)
    content['meta']['model'] = program if as_text else str(path)
    with pytest.raises(ValueError, match=r'the model config in .* must be a dictionary, got str'):
        build_model(None, save(content, tmp_path / 'a.pth'))
    assert not ran.exists()


@pytest.mark.parametrize(
    'change',
    [
        dict(type='mmrefine.NoSuchPart'),
        dict(test_cfg=dict(x=1), decode_head=None),
        dict(backbone=5),
    ],
)
def test_a_config_that_cannot_be_built_is_told(tmp_path, change):
    content = torch.load(SHIPPED_CHECKPOINT, weights_only=True)
    content['meta']['model'] |= change
    with pytest.raises(ValueError, match=r'checkpoint: the model config in .* cannot be built'):
        build_model(None, save(content, tmp_path / 'a.pth'))


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    content = torch.load(SHIPPED_CHECKPOINT, weights_only=True)
    name = next(n for n, v in content['state_dict'].items() if v.is_floating_point())
    content['state_dict'][name].view(-1)[0] = float('nan')
    with pytest.raises(ValueError, match=f'{name} has values that are no numbers'):
        build_model(None, save(content, tmp_path / 'a.pth'))
