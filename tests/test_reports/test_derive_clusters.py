"""The tool counts as mmseg's metric does, goes on where it stopped, and refuses other models."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner

from mmrefine.files.label_clusters import read_label_map
from mmrefine.registry import MODELS
from mmrefine.reports import derive_clusters as module
from mmrefine.reports.derive_clusters import clusters_of, derive_clusters

ROOT = Path(__file__).parents[2]
PROBE = ROOT / 'configs' / 'hs3' / 'hs3_fcn-hrnet-mini-plain_1xb8-1k_camvid-half-160x224.py'
TOOL = ROOT / 'tools' / 'derive_clusters.py'


@pytest.fixture(scope='module')
def probe(tmp_path_factory, camvid_folder) -> tuple[Path, Path]:
    """A probe model with random weights: its config, on drawn images, and its checkpoint."""
    folder = tmp_path_factory.mktemp('probe')
    config = folder / 'probe.py'
    config.write_text(
        f"_base_ = '{PROBE}'\n"
        f'val_dataloader = dict(num_workers=0, persistent_workers=False, '
        f"dataset=dict(data_root='{camvid_folder}'))\n"
    )
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    for head in [*model.auxiliary_head, model.decode_head]:
        torch.nn.init.normal_(head.conv_seg.weight)
    torch.save(dict(state_dict=model.state_dict()), folder / 'probe.pth')
    return config, folder / 'probe.pth'


def test_clusters_of_a_probe(probe, tmp_path):
    result = derive_clusters(*probe, tmp_path / 'out', 'cpu')
    written = json.loads((tmp_path / 'out' / 'clusters.json').read_text())
    assert written == result
    assert [layer['name'] for layer in result['layers']] == [
        'auxiliary_head.0',
        'auxiliary_head.1',
        'decode_head',
    ]
    counts = [layer['num_clusters'] for layer in result['layers']]
    assert counts == sorted(counts)
    assert counts[-1] == 11
    for index, layer in enumerate(result['layers']):
        assert len(layer['clusters']) == len(set(layer['label_map'])) == layer['num_clusters']
        assert read_label_map(tmp_path / 'out' / 'clusters.json', index) == layer['label_map']
        assert layer['clusters'][layer['label_map'][3]].count('road') == 1
        assert list(layer['miou']) == [str(k) for k in range(2, 12)]
    assert (tmp_path / 'out' / 'clusters.png').stat().st_size > 10_000


def test_counts_are_those_of_the_metric(probe, tmp_path):
    derive_clusters(*probe, tmp_path, 'cpu')
    saved = json.loads((tmp_path / 'confusions.json').read_text())
    confusion = np.array(saved['confusions'][-1])
    cfg = Config.fromfile(probe[0])
    model = module.build_model(*probe)
    loader = Runner.build_dataloader(cfg.val_dataloader)
    evaluator = Evaluator(dict(type='mmseg.IoUMetric', iou_metrics=['mIoU']))
    evaluator.dataset_meta = loader.dataset.metainfo
    for data in loader:
        with torch.no_grad():
            evaluator.process(data_samples=model.val_step(data), data_batch=data)
    accuracy = evaluator.evaluate(len(loader.dataset))['aAcc']
    assert 100 * np.trace(confusion) / confusion.sum() == pytest.approx(accuracy, abs=0.01)
    assert confusion.sum() == 3 * 45 * 64  # three images, three rows ignored


def test_it_goes_on_where_it_stopped(probe, tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'SAVE_EVERY', 1)
    whole = derive_clusters(*probe, tmp_path / 'whole', 'cpu')
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        derive_clusters(*probe, tmp_path / 'parts', 'cpu', stop)
    assert not (tmp_path / 'parts' / 'clusters.json').exists()
    later = []
    result = derive_clusters(*probe, tmp_path / 'parts', 'cpu', lambda done, _: later.append(done))
    assert (seen, later) == ([1, 2], [3])
    assert result == whole
    assert derive_clusters(*probe, tmp_path / 'parts', 'cpu') == whole
    other = torch.load(probe[1])
    other['state_dict']['decode_head.conv_seg.bias'] += 1
    torch.save(other, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match=r'counted with another checkpoint or data set'):
        derive_clusters(probe[0], tmp_path / 'other.pth', tmp_path / 'parts', 'cpu')


@pytest.mark.parametrize(
    ('lines', 'text'),
    [
        ('model = dict(auxiliary_head=None)', r'has no auxiliary_head; a probe model needs one'),
        (
            'heads = [dict(h, label_map=[0, 1] * 5 + [0]) for h in _base_.model.auxiliary_head]\n'
            'model = dict(auxiliary_head=heads)',
            r'auxiliary_head\.0 has 2 classes, the decode head 11',
        ),
        ('val_dataloader = None', r'has no val_dataloader'),
    ],
)
def test_models_without_the_heads_are_refused(probe, tmp_path, lines, text):
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = '{probe[0]}'\n{lines}\n")
    cfg = Config.fromfile(config)
    weights = MODELS.build(cfg.model).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=text):
        derive_clusters(config, tmp_path / 'a.pth', tmp_path / 'out', 'cpu')
    assert not (tmp_path / 'out').exists()


def test_planted_confusion_becomes_the_label_maps():
    """A first layer that mixes classes in pairs, the first pair more, and a nearly sure last one.

    IoUs of the last are 100 / 106, its ratio 0.94. Those of the first layer are 1 / 0.5 with both
    pairs merged, (1 + 7 / 15 + 7 / 15) / 3 / 0.75 = 0.86 with one, and less with none.
    """
    weak = np.array([[6, 5, 0, 0], [5, 6, 0, 0], [0, 0, 7, 4], [0, 0, 4, 7]])
    sure = np.eye(4) * 99 + 1
    result = clusters_of([weak, sure], ['first', 'last'], ['a', 'b', 'c', 'd'])
    assert result['layers'][0]['clusters'] == [['a', 'b'], ['c'], ['d']]
    assert result['layers'][1]['num_clusters'] == 4


def test_tool(probe, tmp_path, run_fresh):
    done = run_fresh(str(TOOL), *map(str, probe), '--out', str(tmp_path), '--device', 'cpu')
    assert done.returncode == 0, done.stderr
    assert '3/3 images' in done.stdout
    assert 'decode_head: 11 clusters: sky; building; pole' in done.stdout
    bad = run_fresh(str(TOOL), str(probe[0]), str(tmp_path / 'no.pth'))
    assert bad.returncode == 2
    assert 'no.pth does not exist' in bad.stderr.splitlines()[-1]
