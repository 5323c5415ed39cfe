"""Patches of many objects, handed on in batches of one size."""

from collections import deque

import torch
from torch import Tensor


class PatchRows:
    """Rows of tensors: added at one end, taken from the other."""

    def __init__(self) -> None:
        self._parts: deque[Tensor] = deque()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, rows: Tensor) -> None:
        """Put rows at the end."""
        self._parts.append(rows)
        self._length += len(rows)

    def take(self, number: int) -> Tensor:
        """The first ``number`` rows, or all if there are fewer."""
        taken, left = [], min(number, self._length)
        self._length -= left
        while left:
            part = self._parts.popleft()
            taken.append(part[:left])
            if len(part) > left:
                self._parts.appendleft(part[left:])
            left -= len(taken[-1])
        return torch.cat(taken) if taken else torch.empty(0, 1, 1)
