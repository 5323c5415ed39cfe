"""Medians of two sides that take turns, so that a noisy machine hits both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

LEAST_ROUNDS = 3
MOST_ROUNDS = 25
# A call that is shorter than this is repeated within its turn.
TURN_SECONDS = 0.05


@dataclass(frozen=True)
class Times:
    """Medians of both sides.

    Attributes:
        ours: Milliseconds of a call of what is measured.
        reference: Milliseconds of a call of the reference.
        ratio: Median over the turns of reference / ours: above 1, ours is faster.
        rounds: How many turns each had.
    """

    ours: float
    reference: float
    ratio: float
    rounds: int


def take_turns(
    ours: Callable[[], object], reference: Callable[[], object], device: str, seconds: float
) -> Times:
    """Time two calls in turns, after a first one of each to warm up.

    Args:
        ours: What is measured.
        reference: What it is compared with.
        device: Where both run; on a GPU, its own events are read.
        seconds: When to stop, after three turns at least.
    """
    counts = [_calls_a_turn(side, device) for side in (ours, reference)]
    turns: list[tuple[float, float]] = []
    start = time.perf_counter()
    while len(turns) < LEAST_ROUNDS or (
        len(turns) < MOST_ROUNDS and time.perf_counter() - start < seconds
    ):
        pair = [
            milliseconds(side, device, count)
            for side, count in zip((ours, reference), counts, strict=True)
        ]
        turns.append((pair[0], pair[1]))
    return Times(
        statistics.median(a for a, _ in turns),
        statistics.median(b for _, b in turns),
        statistics.median(b / a for a, b in turns),
        len(turns),
    )


def milliseconds(call: Callable[[], object], device: str, count: int = 1) -> float:
    """Milliseconds of one of ``count`` calls, all that they started on the device included."""
    if torch.device(device).type != 'cuda':
        start = time.perf_counter()
        for _ in range(count):
            call()
        return 1000 * (time.perf_counter() - start) / count
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(device)
    begin.record()
    for _ in range(count):
        call()
    end.record()
    torch.cuda.synchronize(device)
    return begin.elapsed_time(end) / count


def _calls_a_turn(call: Callable[[], object], device: str) -> int:
    call()
    return max(1, round(1000 * TURN_SECONDS / max(milliseconds(call, device), 1e-3)))
