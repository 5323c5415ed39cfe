"""An output remembers what it was made with."""

import json

import pytest

from mmrefine.files.made_with import MadeWith

FIRST = dict(method='a', weights='12', options=dict(scale=1), bands=(1, 2, 3))
OTHER = FIRST | dict(options=dict(scale=2), steady=1)


@pytest.mark.parametrize('is_file', [False, True])
def test_other_settings_are_told_by_name_until_all_is_made_anew(tmp_path, is_file):
    out = tmp_path / ('o.json' if is_file else 'o')

    def at(settings) -> MadeWith:
        return MadeWith(out, is_file, settings)

    def make() -> None:
        if is_file:
            out.write_text('x')
        else:
            (out / 'x.png').write_text('x')

    at(FIRST).check()
    at(FIRST).begin(overwrite=False)
    make()
    at(FIRST).check()
    with pytest.raises(ValueError, match='other settings') as raised:
        at(OTHER).check()
    text = 'options scale 1, now scale 2; steady none, now 1. --overwrite refines'
    assert text in str(raised.value)
    assert str(out) in str(raised.value)
    begun = at(OTHER)
    begun.begin(overwrite=True)
    for settings in (FIRST, OTHER):  # neither made all of it
        with pytest.raises(ValueError, match='overwriting not finished, now none'):
            at(settings).check()
    begun.end(overwrite=True)
    at(OTHER).check()


@pytest.mark.parametrize('is_file', [False, True])
def test_what_was_there_before_gets_no_record(tmp_path, is_file):
    out = tmp_path / 'o'
    if is_file:
        out.write_text('x')
    else:
        out.mkdir()
        (out / 'x.png').write_text('x')
    run = MadeWith(out, is_file, FIRST)
    run.check()
    run.begin(overwrite=False)
    run.end(overwrite=False)
    assert not list(tmp_path.rglob('*.mmrefine.json'))


def test_a_broken_record_is_named(tmp_path):
    (tmp_path / '.mmrefine.json').write_text(json.dumps([1]))
    with pytest.raises(ValueError, match=r'\.mmrefine\.json: expected settings, got list'):
        MadeWith(tmp_path, False, FIRST).check()
