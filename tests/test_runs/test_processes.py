"""A process that has left a run has no threads of it any more."""

import sys

import pytest

SCRIPT = """
import os
from pathlib import Path

from mmrefine.runs.processes import leave_processes, start_processes

os.environ.update(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT='0')


def threads_of_gloo():
    names = [path.joinpath('comm').read_text() for path in Path('/proc/self/task').iterdir()]
    return sum('gloo' in name for name in names)


assert start_processes('pytorch') == (0, 1)
import mmengine.optim  # what a metric or a model imports after the start
import torch.distributed

torch.distributed.barrier()
assert threads_of_gloo() > 0
leave_processes()
assert threads_of_gloo() == 0, threads_of_gloo()
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='threads are listed in /proc')
def test_no_thread_is_left_that_could_abort_the_exit(run_fresh):
    result = run_fresh('-c', SCRIPT)
    assert result.returncode == 0, result.stderr
