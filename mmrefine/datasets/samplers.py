"""Sampling from several datasets at once."""

import itertools
from collections.abc import Iterator

import torch
from mmengine.dataset import ConcatDataset
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class EvenSourceSampler(Sampler):
    """Endless sampler that takes turns between the parts of a ``ConcatDataset``.

    A batch of 16 from two datasets holds 8 of each, whatever their sizes, on
    every process (the unified model of SegFix, Section 4.5). For iteration
    based training, like mmengine's ``InfiniteSampler``.

    Args:
        dataset: A ``ConcatDataset``.
        seed: Random seed, the same on all processes; drawn if ``None``.
        shuffle: Shuffle every pass over a part.

    Raises:
        TypeError: if ``dataset`` is no ``ConcatDataset``.
        ValueError: if a part is empty.
    """

    def __init__(
        self, dataset: ConcatDataset, seed: int | None = None, shuffle: bool = True
    ) -> None:
        if not isinstance(dataset, ConcatDataset):
            raise TypeError(
                "EvenSourceSampler needs dataset=dict(type='ConcatDataset', datasets=[...]), "
                f'got {type(dataset).__name__}'
            )
        self.sizes = [len(part) for part in dataset.datasets]
        if 0 in self.sizes:
            raise ValueError(
                'EvenSourceSampler needs images in every part of the ConcatDataset, got parts of '
                f'{self.sizes} images'
            )
        self.starts = [0, *itertools.accumulate(self.sizes)][:-1]
        self.rank, self.world_size = get_dist_info()
        self.seed = sync_random_seed() if seed is None else seed
        self.shuffle = shuffle
        self.skipped = 0

    def _one_source(self, source: int) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed + source)
        size, start = self.sizes[source], self.starts[source]
        while True:
            order = torch.randperm(size, generator=generator) if self.shuffle else range(size)
            yield from (start + int(i) for i in order)

    def __iter__(self) -> Iterator[int]:
        streams = [
            itertools.islice(self._one_source(s), self.rank, None, self.world_size)
            for s in range(len(self.sizes))
        ]
        drawn = (next(stream) for stream in itertools.cycle(streams))
        yield from itertools.islice(drawn, self.skipped, None)

    def __len__(self) -> int:
        return sum(self.sizes)

    def skip(self, num_samples: int) -> None:
        """Start so many images later: where a training that is resumed had stopped."""
        self.skipped = num_samples

    def set_epoch(self, epoch: int) -> None:
        """Nothing to do: the stream never ends."""
