"""What BPR gains on instance results: masks refined with each network, beside the upper bounds.

    python benchmarks/bpr_gain.py ANNOTATIONS --images DIR --results NAME=RESULTS.json
        --network NAME=CONFIG,WEIGHTS [--iou-threshold 0.25 0.55] [--upper-bounds] [--good]
        [--half]

Columns: mask AP, boundary AP, AF and boundary F-score at 1 px, all x 100. The F-score is the mean
over all results that match a true instance (IoU 0.5), of the two masks' boundary F-score.
With --good, the true masks are fed in as well: a refiner should leave them alone.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import rich.table
from rich.console import Console
from rich.progress import track

from mmrefine.files.coco_annotations import read_annotation_file
from mmrefine.files.coco_results import read_results
from mmrefine.measures import boundary_fscore
from mmrefine.measures.coco import instance_figures, instance_upper_bound, matched_instances
from mmrefine.ops.run_lengths import decode_mask, encode_mask
from mmrefine.refiners import BPRRefiner


def refine(
    refiner: BPRRefiner, annotations: dict[str, Any], results: list[dict[str, Any]], images: Path
) -> list[dict[str, Any]]:
    """Results with refined masks, in the same order."""
    by_image = defaultdict(list)
    for place, entry in enumerate(results):
        by_image[entry['image_id']].append(place)
    entries = [i for i in annotations['images'] if i['id'] in by_image]

    def pairs() -> Iterator[tuple[Path, np.ndarray]]:
        for image in track(entries):
            size_hw = image['height'], image['width']
            masks = [
                decode_mask(results[p]['segmentation'], size_hw) for p in by_image[image['id']]
            ]
            yield images / image['file_name'], np.stack(masks)

    refined = [dict(entry) for entry in results]
    for image, masks in zip(entries, refiner.refine_each(pairs()), strict=True):
        for place, mask in zip(by_image[image['id']], masks, strict=True):
            refined[place]['segmentation'] = encode_mask(mask)
    return refined


def figures(annotations: dict[str, Any], results: list[dict[str, Any]]) -> list[float]:
    """Mask AP, boundary AP, AF and the mean F-score at 1 px, x 100."""
    found = instance_figures(annotations, results)
    sizes = {i['id']: (i['height'], i['width']) for i in annotations['images']}
    scores = []
    for place, true in matched_instances(annotations, results):
        entry = annotations['annotations'][true]
        pair = results[place]['segmentation'], entry['segmentation']
        masks = [decode_mask(s, sizes[entry['image_id']]) for s in pair]
        scores.append(boundary_fscore(*masks, 1, num_classes=1).figures()['fscore'])
    values = (found['ap'], found['boundary_ap'], found['af'], np.mean(scores))
    return [100 * float(v) for v in values]


def as_results(annotations: dict[str, Any]) -> list[dict[str, Any]]:
    """The true masks as results."""
    return [
        dict(
            image_id=a['image_id'],
            category_id=a['category_id'],
            score=1.0,
            segmentation=a['segmentation'],
        )
        for a in annotations['annotations']
        if not a.get('iscrowd')
    ]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('annotations')
    parser.add_argument('--images', type=Path, required=True)
    parser.add_argument('--results', nargs='+', metavar='NAME=FILE', default=[])
    parser.add_argument(
        '--network',
        nargs='+',
        metavar='NAME=CONFIG,WEIGHTS',
        help='default: the weights that come with the package',
    )
    parser.add_argument('--iou-threshold', nargs='+', type=float, default=[0.25])
    parser.add_argument('--min-score-gain', nargs='+', type=float, default=[0.0])
    parser.add_argument('--upper-bounds', action='store_true')
    parser.add_argument('--good', action='store_true', help='the true masks as results, too')
    parser.add_argument('--half', action='store_true', help='half precision')
    parser.add_argument('--device')
    return parser.parse_args()


def networks(args: argparse.Namespace) -> Iterator[tuple[str, BPRRefiner]]:
    """Every network at every setting."""
    for text in args.network or ['shipped=']:
        name, _, files = text.partition('=')
        for threshold in args.iou_threshold:
            for gain in args.min_score_gain:
                options = dict(iou_threshold=threshold, min_score_gain=gain, device=args.device)
                options |= dict(half=True) if args.half else {}
                refiner = BPRRefiner(*(files.split(',') if files else ()), **options)
                yield f'{name}, NMS {threshold:g}' + f', gain {gain:g}' * bool(gain), refiner


def main() -> None:
    args = parse()
    annotations = read_annotation_file(args.annotations)
    sources = {}
    for text in args.results:
        name, _, path = text.partition('=')
        sources[name] = read_results(path)
    if args.good:
        sources['true masks'] = as_results(annotations)
    table = rich.table.Table('', '', 'mask AP', 'boundary AP', 'AF', 'F-score 1 px', 's an image')

    def add(source: str, what: str, values: list[float], seconds: str = '') -> None:
        table.add_row(source, what, *(f'{v:.2f}' for v in values), seconds)

    for source, results in sources.items():
        add(source, 'coarse', figures(annotations, results))
        for name, refiner in networks(args):
            start = time.perf_counter()
            refined = refine(refiner, annotations, results, args.images)
            seconds = (time.perf_counter() - start) / len(annotations['images'])
            add(source, name, figures(annotations, refined), f'{seconds:.2f}')
        if args.upper_bounds and source != 'true masks':
            bound = instance_upper_bound(annotations, results, (1, 2, 3))
            for distance, ap in list(zip(bound['distances'], bound['ap'], strict=True))[1:]:
                add(source, f'upper bound {distance:g} px', [100 * float(ap)])
    Console(width=120).print(table)


if __name__ == '__main__':
    main()
