"""Work in processes: in order, and told where one of them is killed."""

import os

import pytest

from mmrefine.runs.pool import in_processes


def test_work_is_spread_and_in_order():
    assert list(in_processes(abs, [-3, 2, -1], workers=1)) == [3, 2, 1]
    found = list(in_processes(os.path.basename, [f'a/{i}' for i in range(9)], workers=2))
    assert found == [str(i) for i in range(9)]


def test_a_killed_process_is_said():
    with pytest.raises(ValueError, match=r'workers: one of 2 processes was killed, .* try fewer'):
        list(in_processes(os._exit, [9, 9], workers=2))
