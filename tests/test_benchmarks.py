"""Ratios of the benchmarks under their floors are measured again before they count."""

import importlib
import operator
from functools import reduce
from pathlib import Path

import pytest
from mmengine.config import Config
from rich.console import Console

from benchmarks import __main__ as suite
from benchmarks import cases
from benchmarks.mistakes_page import markdown
from benchmarks.page import BEGIN, END, write_page

QUIET = Console(quiet=True)


def run_with(ratios, floor, monkeypatch):
    """Measure a case whose ratios come one after the other; what stays, and for how long each."""
    seconds = []

    def measure(case, args):
        seconds.append(args.seconds)
        return dict(ratio=ratios[len(seconds)])

    monkeypatch.setattr(suite, 'measure', measure)
    monkeypatch.setitem(cases.CASES, 'mine', None)
    found = dict(mine=dict(ratio=ratios[0]))
    args = suite.build_parser().parse_args(['--seconds', '2'])
    suite.measure_again(found, dict(mine=floor, other=1), args, QUIET)
    return found['mine']['ratio'], seconds


def test_what_is_above_its_floor_is_left(monkeypatch):
    assert run_with([3.0], 2, monkeypatch) == (3.0, [])


def test_a_busy_moment_is_forgiven(monkeypatch):
    assert run_with([1.5, 1.0, 2.5], 2, monkeypatch) == (2.5, [4, 6])


def test_what_is_slow_stays_slow(monkeypatch):
    ratio, seconds = run_with([1.0, 1.5, 1.2, 0.9], 2, monkeypatch)
    assert (ratio, len(seconds)) == (1.5, suite.AGAIN)
    lines = suite.below(dict(mine=dict(ratio=ratio)), dict(mine=2), 'its floor is')
    assert lines == ['mine: 1.50 times as fast, its floor is 2.00']


def test_the_table_of_what_refiners_make_of_mistakes():
    """Two masks of one source count as much as one of another; the worst source is named."""

    def rows(source, kind, *fscores):
        names = ('coarse', 'bpr')
        pairs = zip(names, fscores, strict=True)
        return [[source, kind, name, 'g', value, 0.5, 0.25] for name, value in pairs]

    found = [
        *rows('cats', 'shifted', 0.2, 0.8),
        *rows('cats', 'shifted', 0.4, 0.6),
        *rows('sky', 'shifted', 0.1, 0.5),
        *rows('cats', 'true', 1, 0.9),
        *rows('sky', 'true', 1, 0.7),
    ]
    table, _, details = markdown(found, 'the command').partition('??? info')
    assert '| shifted by 3 px | 2 | 20.0 | **60.0** |' in table
    assert '| true masks | 2 | **100.0** | 80.0 |' in table
    assert '| true masks, the worst source | 1 | **100.0** | 70.0 |' in table
    assert '5 masks by each method. `the command`' in table
    assert '    | shifted by 3 px | cats | 30.0 | **70.0** |' in details
    assert '    | true masks | sky | **100.0** | 70.0 |' in details


def test_a_table_goes_between_the_marks_of_a_page(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(f'before\n{BEGIN}\nold\n{END}\nafter\n')
    write_page(page, 'new')
    assert page.read_text() == f'before\n{BEGIN}\n\nnew\n\n{END}\nafter\n'
    page.write_text('no marks')
    with pytest.raises(SystemExit, match='expected a page with'):
        write_page(page, 'new')


def test_data_and_weight_reach_the_config_of_pairs(monkeypatch):
    """Its training data are wrapped; a root set one level higher would change nothing."""
    folder = Path(__file__).parents[1] / 'benchmarks'
    monkeypatch.syspath_prepend(folder)
    benchmark = importlib.import_module('perceptual_loss_camvid')
    cfg = Config.fromfile(folder.parent / 'configs' / f'{benchmark.CONFIG}.py')
    for path in benchmark.DATASETS:
        assert reduce(operator.getitem, path.split('.'), cfg).data_root == 'data/camvid-half/'
    assert cfg.model.consistency.loss_weight > 0
