"""The rise of a loss from nothing over the first iterations of a training."""

from mmengine.logging import MessageHub


def warm_up(iterations: int) -> float:
    """Factor from 0 to 1, rising linearly over ``iterations`` of mmengine's runner.

    It goes on where it was after resuming. Without a runner, or with 0 iterations, it is 1.
    """
    if not iterations:
        return 1.0
    done = MessageHub.get_current_instance().get_info('iter', iterations)
    return min(1.0, (done + 1) / iterations)
