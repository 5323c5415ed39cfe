"""Write label maps as COCO annotations or results: one instance for each class of an image.

    python tools/label_maps_to_coco.py labels/train annotations.json --image-suffix .jpg
    python tools/label_maps_to_coco.py predictions/train results.segm.json --image-suffix .jpg
        --annotations annotations.json

To train BPR on label maps: the first makes ground truth for ``mmrefine.BoundaryPatchDataset``, the
second the coarse masks of the same images. Refining needs neither: it takes label maps.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from mmrefine.files.find import find_files
from mmrefine.files.label_maps import LABEL_SUFFIXES, read_label_map
from mmrefine.files.whole_files import write_whole_file
from mmrefine.ops.run_lengths import encode_mask


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('labels', help='folder of label maps (with subfolders)')
    parser.add_argument('out', help='the .json file to write')
    parser.add_argument(
        '--annotations', help='write results for the images of this file, not annotations'
    )
    parser.add_argument('--image-suffix', default='.png', help='end of image names (default .png)')
    parser.add_argument('--label-suffix', default='', help='end of label map names before .png')
    parser.add_argument('--ignore-index', type=int, default=255, help='not a class (default 255)')
    parser.add_argument(
        '--min-area',
        type=int,
        default=100,
        help='leave out smaller classes (default 100 pixels)',
    )
    return parser


def segments(labels: np.ndarray, ignore_index: int, min_area: int) -> Iterator[dict[str, Any]]:
    """One entry for each class of a label map (H, W)."""
    for label, area in zip(*np.unique(labels, return_counts=True), strict=True):
        if label != ignore_index and area >= min_area:
            yield dict(
                category_id=int(label),
                segmentation=encode_mask(labels == label),
                area=int(area),
                iscrowd=0,
            )


def convert(args: argparse.Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    """COCO annotations, or results if there are annotations already.

    Raises:
        ValueError: if a file is missing or broken, or a label map has no image.
    """
    known = {}
    if args.annotations:
        content = json.loads(Path(args.annotations).read_text())
        known = {image['file_name']: image['id'] for image in content['images']}
    images, entries = [], []
    for number, found in enumerate(
        track(find_files(args.labels, LABEL_SUFFIXES, args.label_suffix), 'label maps'), 1
    ):
        labels = read_label_map(found.path).labels
        name = found.name + args.image_suffix
        if args.annotations and name not in known:
            raise ValueError(f'{found.path}: {args.annotations} has no image {name}')
        image_id = known.get(name, number)
        height, width = labels.shape
        images.append(dict(id=image_id, file_name=name, height=height, width=width))
        for segment in segments(labels, args.ignore_index, args.min_area):
            entries.append(dict(id=len(entries) + 1, image_id=image_id, **segment))
    if args.annotations:
        return [dict(entry, score=1.0) for entry in entries]
    labels_present = sorted({entry['category_id'] for entry in entries})
    categories = [dict(id=label, name=str(label)) for label in labels_present]
    return dict(images=images, annotations=entries, categories=categories)


def main() -> int:
    args = build_parser().parse_args()
    try:
        content = convert(args)
    except (ValueError, OSError, KeyError) as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    write_whole_file(args.out, json.dumps(content).encode())
    entries = content if isinstance(content, list) else content['annotations']
    print(f'{len(entries)} instances written to {args.out}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
