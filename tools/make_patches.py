"""Write boundary patches for BPR: ``python tools/make_patches.py ANNOTATIONS RESULTS IMAGES OUT``.

The layout is that of the released code, read by ``mmrefine.CityscapesPatchDataset``. A run that
was stopped goes on where it was when it is started again. Not needed to train:
``mmrefine.BoundaryPatchDataset`` cuts patches out of images while training.
"""

import argparse
import os
import sys

from mmrefine.cli.progress import ProgressBars
from mmrefine.datasets.patch_writing import PatchSettings, patch_tasks, write_patches


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Write boundary patches for BPR')
    parser.add_argument('annotations', help='COCO annotations with the true instances')
    parser.add_argument(
        'results', help='coarse masks: a COCO result file, or a Cityscapes result folder'
    )
    parser.add_argument('images', help='folder of the images')
    parser.add_argument('out', help='folder for the patches')
    parser.add_argument('--split', default='train', help='subfolder, train or val')
    parser.add_argument('--patch-size', type=int, default=64)
    parser.add_argument('--padding', type=int, default=0, help='pixels around each patch')
    parser.add_argument('--iou-threshold', type=float, default=0.25, help='NMS of the boxes')
    parser.add_argument(
        '--min-iou',
        type=float,
        default=None,
        help='leave out instances without a true one above this IoU; default 0.5 with --split '
        'train, else all instances are taken',
    )
    parser.add_argument('--workers', type=int, default=os.cpu_count(), help='processes')
    return parser


def main() -> int:
    parser = build_parser()
    args = parser.parse_args()
    min_iou = 0.5 if args.min_iou is None and args.split == 'train' else args.min_iou
    settings = PatchSettings(
        args.images,
        args.out,
        args.split,
        args.patch_size,
        args.padding,
        args.iou_threshold,
        min_iou,
    )
    try:
        tasks = patch_tasks(args.annotations, args.results)
    except ValueError as error:
        parser.error(str(error))
    instances = patches = 0
    problems = []
    try:
        with ProgressBars() as bars:
            step = bars.start('images', len(tasks))
            for outcome in write_patches(tasks, settings, args.workers):
                instances += outcome.instances
                patches += outcome.patches
                if outcome.problem:
                    problems.append(outcome.problem)
                step()
    except ValueError as error:
        print(f'make_patches.py: error: {error}', file=sys.stderr)
        return 2
    print(f'{instances} instances of {len(tasks)} images, {patches} patches written to {args.out}')
    for problem in problems:
        print(f'left out: {problem}', file=sys.stderr)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
