"""Frames in the order of their videos, each video on one process."""

from collections.abc import Iterator
from typing import Any

from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from ..ops import order_frames
from ..ops.frame_names import LAST_NUMBER
from ..registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class VideoSampler(Sampler):
    """Goes once through all videos, frame by frame, whatever order the dataset has.

    Several processes get whole videos, the longest first, each to the process with the fewest
    frames so far. They then have unequal numbers of frames, which mmengine's metrics do not
    expect: put them into ``mmrefine.WholeVideos``.

    Args:
        dataset: Its ``get_data_info(index)['img_path']`` names the frames.
        pattern: How video and number are read from a path, see ``mmrefine.ops.frame_key``.
        shuffle: Must be false; so the sampler takes the place of mmengine's in a config.
        seed: Not used; mmengine gives it to every sampler.

    Raises:
        ValueError: if frames shall be shuffled, a name does not match, two frames are the same,
            or there are fewer videos than processes.
    """

    def __init__(
        self,
        dataset: Any,
        pattern: str = LAST_NUMBER,
        shuffle: bool = False,
        seed: int | None = None,
    ) -> None:
        if shuffle:
            raise ValueError('shuffle: must be False; VideoSampler keeps frames in order')
        paths = [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]
        videos = list(order_frames(paths, pattern).values())
        rank, world_size = get_dist_info()
        if len(videos) < world_size:
            raise ValueError(
                f'VideoSampler: expected at least one video for each of {world_size} processes, '
                f'got {len(videos)}; run on fewer processes'
            )
        self.indices = [index for video in share_out(videos, world_size)[rank] for index in video]

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Nothing to do: the order stays."""


def share_out(videos: list[list[int]], shares: int) -> list[list[list[int]]]:
    """Whole videos in shares of about equally many frames, in the order they had."""
    loads = [0] * shares
    owners: list[int] = [0] * len(videos)
    for number in sorted(range(len(videos)), key=lambda n: -len(videos[n])):
        owners[number] = loads.index(min(loads))
        loads[owners[number]] += len(videos[number])
    return [
        [video for video, owner in zip(videos, owners, strict=True) if owner == share]
        for share in range(shares)
    ]
