"""What fails is listed, the others are refined."""

import errno
from dataclasses import dataclass

import pytest

from mmrefine.batch.summary import Report, merge_reports, places_text, summary
from mmrefine.batch.tasks import Change, run_tasks

SOURCE = object()


@dataclass
class FakeTask:
    name: str
    error: BaseException | None = None
    done: bool = False
    note: str | None = None
    runs: int = 0

    def is_done(self, source):
        return self.done

    def run(self, source):
        assert source is SOURCE
        self.runs += 1
        if self.error is not None:
            raise self.error
        return Change(3, 10, self.note)


def test_all_but_the_failing_are_refined():
    tasks = [
        FakeTask('a'),
        FakeTask('b', ValueError('expected x, got y')),
        FakeTask('c', ValueError('c: expected x, got y')),
        FakeTask('d', PermissionError(errno.EACCES, 'Permission denied', 'out/d')),
        FakeTask('e', RuntimeError('out of memory\nlong story')),
        FakeTask('f', MemoryError()),
        FakeTask('g'),
    ]
    seen = []
    report = run_tasks(tasks, SOURCE, progress=lambda: seen.append(1))
    assert (report.refined, report.changed, report.pixels) == (2, 6, 20)
    assert report.failed == [
        'b: expected x, got y',
        'c: expected x, got y',
        'out/d: Permission denied',
        'e: RuntimeError: out of memory',
        'f: MemoryError: no reason given',
    ]
    assert not report.ok
    assert report.stopped is None
    assert len(seen) == len(tasks)


def test_done_ones_are_skipped_unless_overwritten():
    tasks = [FakeTask('a', done=True), FakeTask('b')]
    report = run_tasks(tasks, SOURCE)
    assert (report.refined, report.skipped, tasks[0].runs) == (1, 1, 0)
    report = run_tasks(tasks, SOURCE, overwrite=True)
    assert (report.refined, report.skipped, tasks[0].runs) == (2, 0, 1)
    assert report.ok


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_ends_the_run(code):
    tasks = [FakeTask('a'), FakeTask('b', OSError(code, 'disk full', 'out/b')), FakeTask('c')]
    report = run_tasks(tasks, SOURCE)
    assert report.stopped == 'out/b: disk full'
    assert (report.refined, report.failed, tasks[2].runs) == (1, [], 0)
    assert not report.ok


def test_an_interrupt_ends_the_run():
    tasks = [FakeTask('a'), FakeTask('b', KeyboardInterrupt()), FakeTask('c')]
    report = run_tasks(tasks, SOURCE)
    assert (report.refined, report.stopped, tasks[2].runs) == (1, 'interrupted', 0)


def test_mistakes_in_the_program_are_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run_tasks([FakeTask('a', ZeroDivisionError())], SOURCE)


def test_reports_add_up():
    first = Report(3, 1, ['x'], ['n'], 5, 100, 1.5)
    second = Report(1, 0, ['y'], ['n', 'm'], 1, 20, 0.5, 'full')
    total = merge_reports([first, second])
    assert total == Report(4, 1, ['x', 'y'], ['n', 'm'], 6, 120, 2.0, 'full')
    assert first.failed == ['x']
    assert summary(total) == (
        'refined 4, skipped 1 already there, failed 2; 5.00 % of pixels changed, 500 ms an image'
    )
    assert summary(Report(skipped=2)) == 'refined 0, skipped 2 already there'


def test_notes_are_said_once():
    report = run_tasks([FakeTask(name, note='odd') for name in 'abc'], SOURCE)
    assert report.notes == ['odd']


def test_masks_that_failed_are_listed_where_the_others_were_refined():
    task = FakeTask('a')
    task.run = lambda source: Change(1, 2, failed=('x', 'y'))
    report = run_tasks([task], SOURCE)
    assert (report.refined, report.failed, report.ok) == (1, ['x', 'y'], False)


@pytest.mark.parametrize(
    ('places', 'text'),
    [
        ([3], 'entry 3'),
        ([3, 4], 'entries 3, 4'),
        (range(1, 6), 'entries 1, 2, 3, 4, 5'),
        (range(1, 9), 'entries 1, 2, 3, 4, 5 and 3 more'),
    ],
)
def test_places_in_words(places, text):
    assert places_text(places) == text
