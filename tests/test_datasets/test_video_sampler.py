"""VideoSampler: frames in order, whole videos on any number of processes."""

import pytest

from mmrefine.datasets import VideoSampler
from mmrefine.datasets.video_sampler import share_out


class Paths:
    """A dataset that knows names."""

    def __init__(self, *paths: str) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def get_data_info(self, index: int) -> dict:
        return dict(img_path=self.paths[index])


@pytest.mark.quick
def test_unsorted_names_come_in_order():
    dataset = Paths('b_2.png', 'a_10.png', 'b_1.png', 'a_9.png')
    sampler = VideoSampler(dataset, seed=3)
    assert [dataset.paths[i] for i in sampler] == ['a_9.png', 'a_10.png', 'b_1.png', 'b_2.png']
    assert len(sampler) == 4
    assert list(sampler) == list(sampler)


@pytest.mark.parametrize('shares', [1, 2, 3, 5])
def test_videos_stay_whole_and_loads_even(shares):
    lengths = [3, 9, 1, 4, 8, 2]
    videos = [[100 * n + k for k in range(length)] for n, length in enumerate(lengths)]
    parts = share_out(videos, shares)
    assert len(parts) == shares
    assert sorted(video for part in parts for video in part) == sorted(videos)
    loads = [sum(map(len, part)) for part in parts]
    assert max(loads) <= sum(lengths) / shares + max(lengths)
    assert min(loads) > 0
    assert all(part == sorted(part) for part in parts)


def test_frames_are_not_shuffled():
    dataset = Paths('a_1.png', 'a_2.png')
    assert list(VideoSampler(dataset, shuffle=False)) == [0, 1]
    with pytest.raises(ValueError, match='shuffle'):
        VideoSampler(dataset, shuffle=True)


def test_fewer_videos_than_processes(monkeypatch):
    monkeypatch.setattr('mmrefine.datasets.video_sampler.get_dist_info', lambda: (0, 2))
    with pytest.raises(ValueError, match='one video for each of 2 processes, got 1'):
        VideoSampler(Paths('a_1.png', 'a_2.png'))
