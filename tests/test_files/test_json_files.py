"""JSON files: read, or refused by name."""

import pytest

from mmrefine.files.json_files import read_json


def test_text_of_any_encoding_of_json(tmp_path):
    for encoding in ('utf-8', 'utf-8-sig', 'utf-16'):
        (tmp_path / 'a.json').write_bytes('{"name": "Straße"}'.encode(encoding))
        assert read_json(tmp_path / 'a.json') == dict(name='Straße')


@pytest.mark.parametrize('content', [b'[{"image_id": 1', b'', b'\xff\xfe\xfa', b'{"a": 1} x'])
def test_files_that_are_broken_or_cut_off(tmp_path, content):
    (tmp_path / 'cut.json').write_bytes(content)
    with pytest.raises(
        ValueError, match=r'cut\.json: expected JSON, the file is broken or cut off'
    ):
        read_json(tmp_path / 'cut.json')


def test_files_that_are_not_there(tmp_path):
    for path in (tmp_path / 'none.json', tmp_path):
        with pytest.raises(ValueError, match=r': cannot be read: '):
            read_json(path)
