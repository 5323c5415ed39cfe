"""What a run would fetch from the network is told before, or refused."""

from urllib.error import URLError

import pytest
import torch
from mmengine.config import Config

from mmrefine.runs.downloads import allowed_downloads, explained_failure

URL = 'https://example.org/nets/r18.pth'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.delenv('MMREFINE_OFFLINE', raising=False)
    (tmp_path / 'checkpoints').mkdir()
    return tmp_path / 'checkpoints'


def config(checkpoint: str) -> Config:
    init = dict(type='Pretrained', checkpoint=checkpoint)
    return Config(dict(model=dict(heads=[dict(init_cfg=init)]), load_from=None))


def test_addresses_and_names_of_nets_are_found_until_they_are_there(cache):
    (found,) = allowed_downloads(config(URL))
    assert (found.key, found.url) == ('model.heads.0.init_cfg.checkpoint', URL)
    assert found.path == cache / 'r18.pth'
    (named,) = allowed_downloads(config('open-mmlab://resnet50_v1c'))
    assert named.url.startswith('https://')
    assert 'resnet50_v1c' in named.url
    found.path.touch()
    assert allowed_downloads(config(URL)) == []
    assert allowed_downloads(config('weights/mine.pth')) == []


@pytest.mark.parametrize('by', ['argument', 'environment'])
def test_offline_refuses_and_says_what_to_do(cache, by, monkeypatch):
    if by == 'environment':
        monkeypatch.setenv('MMREFINE_OFFLINE', '1')
    with pytest.raises(ValueError, match='offline, and model') as raised:
        allowed_downloads(config(URL), offline=by == 'argument')
    text = f'put {URL} at {cache / "r18.pth"}, or do without: --cfg-options model.heads.0.init_cfg'
    assert text in str(raised.value)
    assert allowed_downloads(config('weights/mine.pth'), offline=True) == []


def test_a_name_that_no_table_knows(cache):
    with pytest.raises(ValueError, match='open-mmlab://nothing is not known'):
        allowed_downloads(config('open-mmlab://nothing'))


def test_without_a_network_the_reason_and_the_remedy_are_told(cache):
    downloads = allowed_downloads(config(URL))
    with pytest.raises(SystemExit) as ended, explained_failure(downloads):
        raise URLError('no route')
    assert str(ended.value).splitlines() == ['download failed: no route', downloads[0].remedy]
    with pytest.raises(URLError), explained_failure([]):
        raise URLError('another matter')
