"""Starting the processes of one run on this machine, as ``torchrun`` would.

What this process needs for it imports nothing heavy.
"""

import ctypes
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

# After one has failed, until the others are asked to end; and then, until they are made to.
SECONDS_TO_FOLLOW, SECONDS_TO_LEAVE = 2, 20
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux' prctl


def run_jobs(command: Sequence[str], number: int) -> int:
    """Run a command in several processes that know of each other; wait for them.

    Each is started with the variables that ``--launcher pytorch`` reads. When one is killed or
    fails, the others are asked to end, too: they could not put their parts together.

    Args:
        command: Program and arguments.
        number: How many processes.

    Returns:
        The exit status: 0 if all went well, 130 if interrupted, else the first other one.

    Raises:
        ChildProcessError: if a process was killed.
    """
    shared = dict(
        os.environ,
        MASTER_ADDR='127.0.0.1',
        MASTER_PORT=str(_free_port()),
        WORLD_SIZE=str(number),
    )
    shared.setdefault('OMP_NUM_THREADS', str(max(1, (os.cpu_count() or 1) // number)))
    processes = [
        subprocess.Popen(
            command,
            env=dict(shared, RANK=str(rank), LOCAL_RANK=str(rank)),
            preexec_fn=_end_with_parent if sys.platform == 'linux' else None,
        )
        for rank in range(number)
    ]
    try:
        _wait(processes)
        _end(processes)
    except KeyboardInterrupt:
        _end(processes)
        return 130
    for rank, process in enumerate(processes, 1):
        if process.returncode == -signal.SIGKILL:
            raise ChildProcessError(
                f'process {rank} of {number} was killed, perhaps for want of memory; what is '
                'refined is kept, the same command goes on from there'
            )
    return next((abs(p.returncode) for p in processes if p.returncode), 0)


def _wait(processes: Sequence[subprocess.Popen]) -> None:
    """Wait until all have ended, or shortly longer than until one has failed."""
    deadline = math.inf
    while any(process.poll() is None for process in processes):
        if deadline == math.inf and any(process.returncode for process in processes):
            deadline = time.monotonic() + SECONDS_TO_FOLLOW
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)


def _end(processes: Sequence[subprocess.Popen]) -> None:
    """Ask those that go on to end; those that do not, are killed."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _end_with_parent() -> None:
    """Let the system end this process when the one that started it is killed."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return int(listener.getsockname()[1])
