"""Refining videos frame by frame, and steadily: F-score and flicker on DAVIS.

    python benchmarks/steady_davis.py data/davis [--split val] [--reach 0 1 2 3]

One row for each refiner, source of coarse masks and reach; reach 0 is frame by frame. Figures are
means over frames, x 100: boundary F-score at 1 px against the ground truth, IoU, and flicker,
the share of pixels within 2 px of the mask's outline that differ from the previous frame's mask
along optical flow. What a network says of a frame is kept in OUT, so reaches cost no network.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import rich.table
from rich.console import Console
from rich.progress import track

from mmrefine.measures import boundary_flicker, boundary_fscore, region_iou
from mmrefine.ops import average_along_flow, optical_flow
from mmrefine.ops.run_lengths import decode_mask
from mmrefine.refiners import BPRRefiner, Refiner, SegFixRefiner

REFINERS = {'bpr': BPRRefiner, 'segfix': SegFixRefiner}


class Video:
    """Frames, ground truth and coarse masks of one sequence, in order."""

    def __init__(self, root: Path, split: str, name: str, truth: dict, results: dict) -> None:
        images = [i for i in truth['images'] if i['file_name'].startswith(f'{name}/')]
        images.sort(key=lambda image: image['file_name'])
        self.name, self.length = name, len(images)
        self.paths = [root / 'images' / split / image['file_name'] for image in images]
        self.truth, self.coarse = (
            [decode_mask(of[i['id']], (i['height'], i['width'])) for i in images]
            for of in ({a['image_id']: a['segmentation'] for a in truth['annotations']}, results)
        )

    def frames(self) -> list[np.ndarray]:
        """BGR, in order."""
        return [cv2.imread(str(path)) for path in self.paths]


def read_videos(root: Path, split: str, source: str) -> list[Video]:
    truth = json.loads((root / f'annotations/{split}.json').read_text())
    found = json.loads((root / f'results/{source}_{split}.segm.json').read_text())
    results = {entry['image_id']: entry['segmentation'] for entry in found}
    names = sorted({image['file_name'].split('/')[0] for image in truth['images']})
    return [Video(root, split, name, truth, results) for name in names]


def soft_masks(video: Video, refiner: Refiner, path: Path) -> Iterator[np.ndarray]:
    """What the refiner says of each frame, (H, W), from the file if it is there."""
    if not path.is_file():
        soft = [
            refiner.soft_masks(image, mask[None])[0]
            for image, mask in track(
                list(zip(video.paths, video.coarse, strict=True)), f'{path.stem}'
            )
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path.with_suffix('.part.npz'), np.stack(soft).astype(np.float16))
        path.with_suffix('.part.npz').replace(path)
    yield from np.load(path)['arr_0']


def figures(video: Video, masks: list[np.ndarray], flows: list[np.ndarray]) -> dict[str, float]:
    scores = [
        boundary_fscore(mask, truth, 1, num_classes=1).figures()['fscore']
        for mask, truth in zip(masks, video.truth, strict=True)
    ]
    ious = [
        region_iou(mask, truth, 1).figures()['miou']
        for mask, truth in zip(masks, video.truth, strict=True)
    ]
    flicker = [
        boundary_flicker(after, before, flow).figures()['flicker']
        for (before, after), flow in zip(itertools.pairwise(masks), flows, strict=True)
    ]
    means = (float(100 * np.nanmean(values)) for values in (scores, ious, flicker))
    return dict(zip(('F at 1 px', 'IoU', 'flicker'), means, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('davis', type=Path)
    parser.add_argument('--split', default='val')
    parser.add_argument('--videos', nargs='+', help='only these')
    parser.add_argument('--sources', nargs='+', default=['rvos', 'osvos'])
    parser.add_argument('--refiners', nargs='+', default=list(REFINERS), choices=REFINERS)
    parser.add_argument('--reach', type=int, nargs='+', default=[0, 1, 2, 3])
    parser.add_argument('--weight', type=float, default=1.0)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/steady-davis'))
    args = parser.parse_args()
    rows: dict[tuple, list[dict[str, float]]] = {}
    refiners = {name: REFINERS[name]() for name in args.refiners}
    for source in args.sources:
        for video in read_videos(args.davis, args.split, source):
            if args.videos and video.name not in args.videos:
                continue
            frames = video.frames()
            flows = [optical_flow(b, a) for a, b in itertools.pairwise(frames)]
            for key, masks in variants(video, frames, refiners, source, args):
                rows.setdefault(key, []).append(figures(video, masks, flows))
                print(video.name, key, rows[key][-1], flush=True)
    show(rows)


def variants(video, frames, refiners, source, args):
    """Name and masks of every way to refine a video."""
    coarse = [mask != 0 for mask in video.coarse]
    yield (source, 'coarse', ''), coarse
    yield ('-', 'ground truth', ''), [mask != 0 for mask in video.truth]
    for name, refiner in refiners.items():
        path = args.out / f'{args.split}_{video.name}_{source}_{name}.npz'
        soft = list(soft_masks(video, refiner, path))
        for reach in args.reach:
            pairs = [(image, {0: values}) for image, values in zip(frames, soft, strict=True)]
            masks = []
            for at, pair in enumerate(pairs):
                others = pairs[max(at - reach, 0) : at] + pairs[at + 1 : at + 1 + reach]
                masks.append(average_along_flow(*pair, others, args.weight)[0] > 0.5)
            yield (source, name, reach), masks


def show(rows: dict[tuple, list[dict[str, float]]]) -> None:
    table = rich.table.Table('coarse masks', 'refiner', 'reach', 'F at 1 px', 'IoU', 'flicker')
    for (source, name, reach), videos in rows.items():
        names = ('F at 1 px', 'IoU', 'flicker')
        cells = [f'{np.mean([video[figure] for video in videos]):.2f}' for figure in names]
        table.add_row(source, name, str(reach), *cells)
    Console(width=100).print(table)


if __name__ == '__main__':
    main()
