"""OnlineAdaptationHook in somebody's mmseg project: three added lines, mmseg's own test script."""

import copy
import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from moving_scene import write_videos

from mmrefine.models.segmentors import AuxAdaptSegmentor
from mmrefine.registry import MODELS

from .test_hook_in_mmseg import OWN_TEST_SCRIPT, STOCK

LENGTHS = {'a': 3, 'b': 4}
FRAMES = 7
THREE_LINES = """
custom_hooks = [
    dict(type='mmrefine.OnlineAdaptationHook', lr=0.1)
]
"""


@pytest.fixture
def project(tmp_path):
    """Somebody's config, checkpoint and videos, in an empty folder."""
    write_videos(tmp_path / 'data', LENGTHS)
    text = STOCK.format(data_root=str(tmp_path / 'data'), out=str(tmp_path / 'out'))
    (tmp_path / 'stock.py').write_text(text)
    (tmp_path / 'adapting.py').write_text(text + THREE_LINES)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(tmp_path / 'stock.py').model)
    model.init_weights()
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, tmp_path / 'stock.pth')
    return tmp_path


def adapted_by_hand(project):
    """Labels of all frames, from the segmentor itself without a runner."""
    cfg = Config.fromfile(project / 'stock.py')
    main = MODELS.build(cfg.model)
    main.load_state_dict(torch.load(project / 'stock.pth', weights_only=True)['state_dict'])
    model = AuxAdaptSegmentor(main, lr=0.1)
    labels = []
    for path in sorted((project / 'data/img_dir/val').iterdir()):
        image = cv2.resize(cv2.imread(str(path)), (96, 72), interpolation=cv2.INTER_LINEAR)
        meta = dict(img_path=str(path), ori_shape=(48, 64), img_shape=(72, 96), pad_shape=(72, 96))
        tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())
        sample = SegDataSample(metainfo=meta)
        found = model.test_step(dict(inputs=[tensor], data_samples=[sample]))[0]
        labels.append(found.pred_sem_seg.data[0].numpy())
    return labels


def saved(project):
    return [cv2.imread(str(path), -1) for path in sorted((project / 'out').glob('*.png'))]


@pytest.mark.quick
def test_own_test_script_of_mmseg_adapts(run_fresh, project):
    """A stock config, three added lines, the script that comes with mmseg, a fresh process."""
    assert len(THREE_LINES.strip().splitlines()) == 3
    command = (OWN_TEST_SCRIPT, 'adapting.py', 'stock.pth', '--work-dir', 'work')
    result = run_fresh(*map(str, command), cwd=project)
    assert result.returncode == 0, result.stderr
    assert f'OnlineAdaptationHook: {FRAMES} updates' in result.stderr + result.stdout
    (metrics,) = (project / 'work').glob('*/*.json')
    assert 'mIoU' in json.loads(metrics.read_text())
    found, expected = saved(project), adapted_by_hand(project)
    assert len(found) == len(expected) == FRAMES
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def runner_of(project, **settings):
    cfg = Config.fromfile(project / 'adapting.py')
    cfg.work_dir, cfg.load_from = str(project / 'work1'), str(project / 'stock.pth')
    cfg.merge_from_dict(settings)
    return Runner.from_cfg(cfg)


def test_the_model_is_put_back_and_a_second_test_repeats_the_first(project):
    runner = runner_of(project)
    model = runner.model
    wanted = [p.requires_grad for p in model.parameters()]
    first = runner.test()
    assert runner.model is model
    assert [p.requires_grad for p in model.parameters()] == wanted
    before = copy.deepcopy(model.state_dict())
    assert runner.test() == first
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_run_that_crashed_leaves_nothing_behind(project):
    runner = runner_of(project)
    model = runner.model
    wanted = [p.requires_grad for p in model.parameters()]
    assert any(wanted)
    path = sorted((project / 'data/img_dir/val').iterdir())[2]
    content = path.read_bytes()
    path.write_bytes(b'cut off')
    with pytest.raises(Exception):  # noqa: B017, PT011 - mmcv's own
        runner.test()
    path.write_bytes(content)
    runner.test()
    assert runner.model is model
    assert [p.requires_grad for p in model.parameters()] == wanted
    for found, expected in zip(saved(project), adapted_by_hand(project), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_wrapped_in_a_config_with_the_sampler_of_videos(project):
    """The other way: the model of the config is wrapped, frames come in any order."""
    cfg = Config.fromfile(project / 'stock.py')
    wrapped = dict(type='mmrefine.AuxAdaptSegmentor', main=cfg.model, lr=0.1)
    settings = {
        'model': dict(wrapped, _delete_=True),
        'test_dataloader.sampler': dict(type='mmrefine.VideoSampler', _delete_=True),
        'custom_hooks': [],
    }
    runner = runner_of(project, **settings)
    figures = runner.test()
    assert runner.model.updates == FRAMES
    assert figures['mIoU'] == runner_of(project).test()['mIoU']


def test_test_time_augmentation_is_refused(project):
    tta = dict(
        type='mmseg.SegTTAModel',
        module=Config.fromfile(project / 'stock.py').model,
        _delete_=True,
    )
    with pytest.raises(ValueError, match='without --tta'):
        runner_of(project, model=tta, load_from=None).test()
