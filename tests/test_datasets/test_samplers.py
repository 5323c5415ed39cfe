"""EvenSourceSampler: half a batch from each part, on any number of processes."""

import itertools
from collections import Counter

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset

from mmrefine.datasets import EvenSourceSampler


def parts(*sizes: int) -> ConcatDataset:
    def part(size: int) -> BaseDataset:
        dataset = BaseDataset(serialize_data=False, lazy_init=True)
        dataset.data_list = [dict(index=i) for i in range(size)]
        dataset._fully_initialized = True
        return dataset

    return ConcatDataset([part(size) for size in sizes])


def stream(dataset: ConcatDataset, count: int, rank: int = 0, world: int = 1, **options) -> list:
    sampler = EvenSourceSampler(dataset, **options)
    sampler.rank, sampler.world_size = rank, world
    return list(itertools.islice(sampler, count))


@pytest.mark.quick
def test_every_batch_is_half_and_half():
    indices = stream(parts(5, 23), 160, seed=3)
    for start in range(0, 160, 16):
        batch = indices[start : start + 16]
        assert sum(i < 5 for i in batch) == 8
        assert all(0 <= i < 28 for i in batch)


def test_three_parts_take_turns():
    sources = [0 if i < 4 else 1 if i < 7 else 2 for i in stream(parts(4, 3, 9), 30, seed=0)]
    assert sources == [0, 1, 2] * 10


def test_each_pass_over_a_part_sees_every_image_once():
    indices = stream(parts(5, 7), 140, seed=1)
    first, second = indices[::2], indices[1::2]
    passes = [tuple(first[i : i + 5]) for i in range(0, 70, 5)]
    assert all(sorted(p) == list(range(5)) for p in passes)
    assert all(sorted(second[i : i + 7]) == list(range(5, 12)) for i in range(0, 70, 7))
    assert len(set(passes)) > 1  # shuffled anew each time


@pytest.mark.parametrize('world', [2, 3])
def test_processes_share_the_stream(world):
    """Together they see what one process would have seen, and each still half and half."""
    sizes, count = (11, 17), 12
    alone = stream(parts(*sizes), count * world, seed=5)
    shared = [stream(parts(*sizes), count, r, world, seed=5) for r in range(world)]
    for indices in shared:
        assert sum(i < 11 for i in indices) == count / 2
    assert Counter(itertools.chain(*shared)) == Counter(alone)
    if count * world / 2 <= min(sizes):  # within one pass nobody sees what another has seen
        assert not set(shared[0]) & set(shared[1])


def test_seed_and_order():
    assert stream(parts(9, 9), 18, seed=1) == stream(parts(9, 9), 18, seed=1)
    assert stream(parts(9, 9), 18, seed=1) != stream(parts(9, 9), 18, seed=2)
    assert stream(parts(2, 3), 8, seed=1, shuffle=False) == [0, 2, 1, 3, 0, 4, 1, 2]
    assert len(EvenSourceSampler(parts(2, 3), seed=0)) == 5


def test_seed_is_drawn_where_none_is_given():
    streams = {tuple(stream(parts(30, 30), 20)) for _ in range(3)}
    assert len(streams) > 1


def test_wrong_datasets():
    with pytest.raises(TypeError, match=r"type='ConcatDataset'.* got BaseDataset"):
        EvenSourceSampler(parts(3).datasets[0])
    with pytest.raises(ValueError, match=r'images in every part .*got parts of \[3, 0\] images'):
        EvenSourceSampler(parts(3, 0))
