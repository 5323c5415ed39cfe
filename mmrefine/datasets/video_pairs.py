"""Pairs of neighbouring frames, cut and changed alike."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.registry import DATASETS as MMENGINE_DATASETS

from ..ops import order_frames
from ..ops.frame_names import LAST_NUMBER
from ..registry import DATASETS


@DATASETS.register_module()
class VideoPairDataset(torch.utils.data.Dataset):
    """Each frame with a later one of its video, for losses that compare them.

    An item is ``dict(inputs=[a, b], data_samples=[A, B])``. Both frames go through the pipeline
    with the same random numbers, so that crops and flips are the same. The last frames of a video
    come with an earlier one. ``mmrefine.VideoPairSegmentor`` takes such batches.

    Args:
        dataset: Config of a dataset of mmseg's kind, or one that is built.
        gap: How many frames later.
        pattern: How video and number are read from a path, see ``mmrefine.ops.frame_key``.

    Raises:
        ValueError: if ``gap`` is below 1, or no video has more than ``gap`` frames.
    """

    def __init__(self, dataset: Any, gap: int = 1, pattern: str = LAST_NUMBER) -> None:
        if gap < 1:
            raise ValueError(f'gap: must be 1 or more, got {gap}')
        self.dataset = MMENGINE_DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        paths = [self.dataset.get_data_info(i)['img_path'] for i in range(len(self.dataset))]
        self.pairs = []
        for frames in order_frames(paths, pattern).values():
            later = list(zip(frames, frames[gap:], strict=False))
            # Those that are nobody's first frame.
            self.pairs += later + [(second, first) for first, second in later[-gap:]]
        if not self.pairs:
            raise ValueError(f'gap: no video of the dataset has more than {gap} frames')

    @property
    def metainfo(self) -> dict:
        """That of the dataset."""
        return dict(self.dataset.metainfo)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, list]:
        """A frame and its neighbour."""
        first, second = self.pairs[index]
        states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
        items = [self.dataset[first]]
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        items.append(self.dataset[second])
        return {key: [item[key] for item in items] for key in ('inputs', 'data_samples')}
