"""Ratios of the benchmarks under their floors are measured again before they count."""

from rich.console import Console

from benchmarks import __main__ as suite
from benchmarks import cases

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
