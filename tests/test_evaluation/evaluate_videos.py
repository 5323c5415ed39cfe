"""Evaluate the videos below a folder on however many processes run this, each with whole videos.

python evaluate_videos.py FOLDER OUT.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import cv2
import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement, PixelData

from mmrefine.datasets import VideoSampler
from mmrefine.runs.processes import leave_processes, start_processes

METRICS = [
    dict(type='mmrefine.PerceptualConsistencyMetric'),
    dict(type='mmrefine.WholeVideos', metric=dict(type='mmseg.IoUMetric')),
]


class Frames:
    """Paths of the frames, and data samples as mmseg's models give them."""

    def __init__(self, folder, split='val'):
        self.paths = sorted((Path(folder) / 'img_dir' / split).iterdir(), reverse=True)
        assert self.paths

    def __len__(self):
        return len(self.paths)

    def get_data_info(self, index):
        return dict(img_path=str(self.paths[index]))

    def sample(self, index, flip=0.1):
        """The truth with a share of the 4×4 blocks given other labels."""
        path = self.paths[index]
        truth = cv2.imread(str(path).replace('img_dir', 'ann_dir'), cv2.IMREAD_UNCHANGED)
        rng = np.random.default_rng(index)
        blocks = rng.random((truth.shape[0] // 4, truth.shape[1] // 4)) < flip
        wrong = np.kron(blocks, np.ones((4, 4), bool))
        prediction = np.where(wrong, (truth + 1) % 4, truth % 4)
        maps = (torch.from_numpy(m.astype(np.int64))[None] for m in (prediction, truth))
        sample = BaseDataElement(metainfo=dict(img_path=str(path)))
        sample.set_data(
            {
                k: PixelData(data=m)
                for k, m in zip(('pred_sem_seg', 'gt_sem_seg'), maps, strict=True)
            }
        )
        return sample


def evaluate(metrics, frames, indices, **options):
    evaluator = Evaluator(metrics)
    evaluator.dataset_meta = dict(classes=('a', 'b', 'c', 'd'))
    for index in indices:
        evaluator.process([frames.sample(index, **options)])
    return {k: float(v) for k, v in evaluator.evaluate(len(frames)).items()}


def main(folder, out):
    frames = Frames(folder)
    figures = evaluate(METRICS, frames, VideoSampler(frames))
    if get_dist_info()[0] == 0:
        Path(out).write_text(json.dumps(figures))


if __name__ == '__main__':
    start_processes('pytorch')
    main(*sys.argv[1:])
    leave_processes()
