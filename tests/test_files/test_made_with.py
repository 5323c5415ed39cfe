"""An output folder remembers what it was made with."""

import json

import pytest

from mmrefine.files.made_with import MadeWith

FIRST = dict(method='a', weights='12', options=dict(scale=1), bands=(1, 2, 3))
OTHER = FIRST | dict(options=dict(scale=2), steady=1)


def test_other_settings_are_told_by_name_until_all_is_made_anew(tmp_path):
    out = tmp_path / 'o'
    MadeWith(out, FIRST).check()
    MadeWith(out, FIRST).begin(overwrite=False)
    (out / 'x.png').write_text('x')
    MadeWith(out, FIRST).check()
    with pytest.raises(ValueError, match='other settings') as raised:
        MadeWith(out, OTHER).check()
    text = 'options scale 1, now scale 2; steady none, now 1. --overwrite refines'
    assert text in str(raised.value)
    assert str(out) in str(raised.value)
    begun = MadeWith(out, OTHER)
    begun.begin(overwrite=True)
    for settings in (FIRST, OTHER):  # neither made all of it
        with pytest.raises(ValueError, match='overwriting not finished, now none'):
            MadeWith(out, settings).check()
    begun.end(overwrite=True)
    MadeWith(out, OTHER).check()


def test_what_was_there_before_gets_no_record(tmp_path):
    (tmp_path / 'x.png').write_text('x')
    run = MadeWith(tmp_path, FIRST)
    run.check()
    run.begin(overwrite=False)
    run.end(overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ['x.png']
    run.begin(overwrite=True)
    run.end(overwrite=True)
    with pytest.raises(ValueError, match='other settings'):
        MadeWith(tmp_path, OTHER).check()


def test_a_broken_record_is_named(tmp_path):
    (tmp_path / '.mmrefine.json').write_text(json.dumps([1]))
    with pytest.raises(ValueError, match=r'\.mmrefine\.json: expected settings, got list'):
        MadeWith(tmp_path, FIRST).check()
