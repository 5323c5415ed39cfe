"""What SegFix would gain with a perfect network (the paper's Table 1).

Coarse label maps are shifted along offsets made from the ground truth: true
boundary, true direction. mIoU and 1-px boundary F-score before and after, for
several numbers of directions m.

    python benchmarks/segfix_oracle.py PRED_DIR GT_DIR --num-classes 11

With ``--images``, also what a trained network gains, and which of its two branches
limits it: either branch is replaced by the truth.

    python benchmarks/segfix_oracle.py PRED_DIR GT_DIR --num-classes 11 --images IMG_DIR
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import rich.table
from rich.console import Console
from rich.progress import track

from mmrefine.measures import boundary_fscore, region_iou, total
from mmrefine.ops import apply_offset, direction_to_offset, segfix_targets
from mmrefine.refiners import SegFixRefiner
from mmrefine.structures.segfix_fields import PRED_BOUNDARY, PRED_DIRECTION


def true_offset(
    target: np.ndarray, num_directions: int, width: float, ignore_index: int
) -> np.ndarray:
    """Offset field (2, H, W) that a perfect SegFix network would predict."""
    _, boundary, direction = segfix_targets(
        target, width, num_directions, ignore_index=ignore_index
    )
    return direction_to_offset(direction, num_directions) * (boundary == 1)


def network_offsets(
    refiner: SegFixRefiner, image: Path, target: np.ndarray, ignore_index: int
) -> dict[str, np.ndarray]:
    """Offset fields of a network, as predicted and with either branch made perfect."""
    head = refiner.model.decode_head
    predicted = refiner.predict_fields(image)
    own = direction_to_offset(predicted[PRED_DIRECTION][0], head.num_directions)
    in_own_boundary = predicted[PRED_BOUNDARY][0] > head.boundary_threshold
    _, boundary, direction = segfix_targets(
        target, num_directions=head.num_directions, ignore_index=ignore_index
    )
    true = direction_to_offset(direction, head.num_directions)
    return {
        'network': own * in_own_boundary,
        'network, true boundary': own * (boundary == 1),
        'network, true direction': true * in_own_boundary,
    }


def image_of(folder: Path, name: str) -> Path:
    """The image in ``folder`` that has the stem of the label map ``name``."""
    found = sorted(folder.glob(f'{Path(name).stem}.*'))
    if not found:
        raise SystemExit(f'--images: no image for {name} in {folder}')
    return found[0]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('pred_dir', type=Path, help='folder of coarse label maps (PNG)')
    parser.add_argument('gt_dir', type=Path, help='folder of true label maps of the same names')
    parser.add_argument('--num-classes', type=int, required=True)
    parser.add_argument('--num-directions', type=int, nargs='+', default=[4, 8, 16], metavar='M')
    parser.add_argument('--width', type=float, default=5, help='boundary width in pixels')
    parser.add_argument('--scale', type=int, nargs='+', default=[1, 2, 3])
    parser.add_argument('--tolerance', type=int, default=1, help='of the F-score, in pixels')
    parser.add_argument('--images', type=Path, help='folder of images, to measure a network')
    parser.add_argument('--checkpoint', help='of that network; else the shipped one')
    parser.add_argument('--ignore-index', type=int, default=255)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    names = sorted(p.name for p in args.gt_dir.glob('*.png'))
    if not names:
        raise SystemExit(f'gt_dir: no PNG files in {args.gt_dir}')
    refiner = SegFixRefiner(checkpoint=args.checkpoint) if args.images else None
    counts: dict[tuple, list] = {}
    for name in track(names, description='images'):
        coarse, target = (
            cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
            for folder in (args.pred_dir, args.gt_dir)
        )
        variants = {('coarse', ''): coarse}
        for m in args.num_directions:
            offset = true_offset(target, m, args.width, args.ignore_index)
            for scale in args.scale:
                variants[f'm = {m}', f'{scale}'] = apply_offset(coarse, offset, scale=scale)
        if refiner is not None:
            image = image_of(args.images, name)
            for label, offset in network_offsets(refiner, image, target, args.ignore_index).items():
                for scale in args.scale:
                    variants[label, f'{scale}'] = apply_offset(coarse, offset, scale=scale)
        for key, refined in variants.items():
            counts.setdefault(key, []).append(
                (
                    region_iou(refined, target, args.num_classes, args.ignore_index),
                    boundary_fscore(
                        refined, target, args.tolerance, args.num_classes, args.ignore_index
                    ),
                )
            )
    table = rich.table.Table('', 'scale', 'mIoU', f'F-score at {args.tolerance} px')
    for (label, scale), pairs in counts.items():
        miou = total(r for r, _ in pairs).figures()['miou']
        # Classes that are in neither map of an image do not count there.
        fscore = total(f for _, f in pairs).figures('present')['fscore']
        table.add_row(label, scale, f'{100 * miou:.1f}', f'{100 * fscore:.1f}')
    Console().print(table, f'{len(names)} label maps')


if __name__ == '__main__':
    main()
