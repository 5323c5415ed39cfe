"""Sharing work among processes that mmengine's launchers start."""

import datetime

import torch
import torch.distributed
from mmengine.dist import get_dist_info, init_dist

# Processes wait for the slowest one at the end only.
TIMEOUT_SECONDS = 7 * 24 * 3600


def start_processes(launcher: str) -> tuple[int, int]:
    """Join the other processes of a run.

    Args:
        launcher: ``'none'`` for a single process, ``'pytorch'`` (torchrun), ``'slurm'`` or
            ``'mpi'``. Without a GPU, only the first two work.

    Returns:
        Number of this process and how many there are.

    Raises:
        ValueError: if the process was not started by that launcher, or has no GPU.
    """
    if launcher == 'none':
        return 0, 1
    gpu = torch.cuda.is_available()
    if launcher != 'pytorch' and not gpu:
        raise ValueError(f'launcher: {launcher} needs a GPU, use pytorch (torchrun) without one')
    # Imported before the group is made: its default arguments would keep the group alive past its
    # end, and a process that exits while gloo's threads run aborts now and then.
    from torch.distributed import optim  # noqa: F401

    try:
        if gpu:
            init_dist(launcher, backend='gloo', timeout=TIMEOUT_SECONDS)
        else:
            timeout = datetime.timedelta(seconds=TIMEOUT_SECONDS)
            torch.distributed.init_process_group('gloo', timeout=timeout)
    except (KeyError, ValueError) as error:
        hint = 'start it with torchrun' if launcher == 'pytorch' else f'start it with {launcher}'
        raise ValueError(f'launcher: {launcher}: {hint} ({error})') from error
    rank, world_size = get_dist_info()
    return rank, world_size


def leave_processes() -> None:
    """End this process's part in a run, if it has one; a process that just exits may crash."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
