"""What a refiner does on images of several kinds, to coarse masks and to true ones.

    python benchmarks/sources.py data --method segfix [--checkpoint WEIGHTS] [--sources NAME ...]

DATA holds camvid, davis, nuclei and coco_open (see docs/model_zoo.md); their val parts are used.
Coarse masks are those that models predicted (road scenes; objects: OSVOS, RVOS), or made out of
the true ones by mmrefine.ops.degrade with the annotation's id as the seed (photographs, nuclei).
Columns: boundary F-score at 1 px and IoU, x 100, mean over masks (road scenes: over classes of
images), before and after; and those of the true masks, fed in as if they were coarse: 100
before.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import rich.table
from rich.console import Console
from rich.progress import track

from mmrefine.apis import build_refiner
from mmrefine.measures import boundary_fscore
from mmrefine.ops import degrade
from mmrefine.ops.run_lengths import decode_mask
from mmrefine.refiners import Refiner

MIN_AREA = 200  # pixels of a true mask; on smaller ones a pixel is too much


class Case(NamedTuple):
    """One image: coarse and true masks, (N, H, W) bool or label maps (H, W)."""

    image: Path
    coarse: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


def road_scenes(data: Path) -> Iterator[Case]:
    """CamVid, predictions of a small FCN."""
    for path in sorted((data / 'camvid/ann_dir/val').iterdir()):
        truth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        coarse = cv2.imread(str(data / 'camvid/pred/val' / path.name), cv2.IMREAD_UNCHANGED)
        (image,) = (data / 'camvid/img_dir/val').glob(f'{path.stem}.*')
        yield Case(image, {'FCN': coarse}, {'FCN': truth})


def objects(data: Path) -> Iterator[Case]:
    """DAVIS, predictions of two networks."""
    annotations = json.loads((data / 'davis/annotations/val.json').read_text())
    predicted = {
        name: {e['image_id']: e for e in json.loads(path.read_text())}
        for name in ('OSVOS', 'RVOS')
        for path in (data / 'davis/results').glob(f'{name.lower()}_val*.json')
    }
    for entry in annotations['images']:
        true = [a for a in annotations['annotations'] if a['image_id'] == entry['id']]
        size_hw = entry['height'], entry['width']
        truth = np.stack([decode_mask(a['segmentation'], size_hw) for a in true])
        coarse = {
            name: decode_mask(by_image[entry['id']]['segmentation'], size_hw)[None]
            for name, by_image in predicted.items()
            if entry['id'] in by_image and len(true) == 1
        }
        image = data / 'davis/images/val' / entry['file_name']
        yield Case(image, coarse, dict.fromkeys(coarse, truth))


def made_coarse(folder: str, **options: Any) -> Callable[[Path], Iterator[Case]]:
    """A source of true masks only."""

    def cases(data: Path) -> Iterator[Case]:
        annotations = json.loads((data / folder / 'annotations/val.json').read_text())
        for entry in annotations['images']:
            size_hw = entry['height'], entry['width']
            true, coarse = [], []
            for a in annotations['annotations']:
                if a['image_id'] != entry['id'] or a.get('iscrowd'):
                    continue
                mask = decode_mask(a['segmentation'], size_hw)
                if np.count_nonzero(mask) >= MIN_AREA and len(true) < 20:
                    true.append(mask)
                    coarse.append(degrade(mask, np.random.default_rng(a['id']), **options))
            if true:
                image = data / folder / 'images/val' / entry['file_name']
                yield Case(image, {'made': np.stack(coarse)}, {'made': np.stack(true)})

    return cases


SOURCES: dict[str, Callable[[Path], Iterator[Case]]] = {
    'road scenes': road_scenes,
    'objects': objects,
    'photographs': made_coarse('coco_open'),
    'nuclei': made_coarse('nuclei', grid=10),
}


def pairs(masks: np.ndarray, truth: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Masks and their true ones, one at a time; of label maps, classes in the truth."""
    if masks.ndim == 3:
        yield from zip(masks, truth, strict=True)
        return
    for label in np.unique(truth[truth != 255]):
        if np.count_nonzero(truth == label) >= MIN_AREA:
            yield (masks == label) & (truth != 255), truth == label


def scores(masks: np.ndarray, truth: np.ndarray) -> list[tuple[float, float]]:
    """F-score at 1 px and IoU of each."""
    found = []
    for mask, true in pairs(masks, truth):
        union = np.count_nonzero(mask | true)
        fscore = boundary_fscore(mask, true, 1, num_classes=1).figures()['fscore']
        found.append((fscore, np.count_nonzero(mask & true) / union))
    return found


def measure(cases: Iterable[Case], refiner: Refiner) -> dict[str, list[float]]:
    """The columns of the table, by the name of the coarse masks."""
    rows: dict[str, list[list[tuple[float, float]]]] = {}
    for case in cases:
        refine = refiner.open(case.image)
        for name, coarse in case.coarse.items():
            truth = case.truth[name]
            row = rows.setdefault(name, [[], [], []])
            for values, masks in zip(row, (coarse, refine(coarse), refine(truth)), strict=True):
                values += scores(masks, truth)
    figures = {}
    for name, row in rows.items():
        (f0, u0), (f1, u1), good = (100 * np.mean(values, axis=0) for values in row)
        figures[name] = [f0, f1, u0, u1, *good]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', type=Path)
    parser.add_argument('--method', default='segfix', help='or bpr, or a config')
    parser.add_argument('--checkpoint', help="default: the method's own")
    parser.add_argument('--sources', nargs='+', choices=SOURCES, default=list(SOURCES))
    parser.add_argument('--every', type=int, default=1, help='take every so many images')
    margins = parser.add_mutually_exclusive_group()
    margins.add_argument(
        '--min-confidence', type=float, nargs='+', help="of SegFix; default: the network's own"
    )
    margins.add_argument(
        '--min-score-gain', type=float, nargs='+', help="of BPR; default: the network's own"
    )
    parser.add_argument('--scale', type=int, help='of SegFix')
    args = parser.parse_args()
    name = 'min_confidence' if args.min_confidence else 'min_score_gain'
    settings = [{name: value} for value in getattr(args, name) or []] or [{}]
    if args.scale is not None:
        settings = [options | dict(scale=args.scale) for options in settings]
    refiners = [build_refiner(args.method, args.checkpoint, **options) for options in settings]
    table = rich.table.Table(
        'source',
        'coarse masks',
        'F before',
        'F after',
        'IoU before',
        'IoU after',
        'true masks: F',
        'IoU',
    )
    for source in args.sources:
        cases = list(SOURCES[source](args.data))[:: args.every]
        for options, refiner in zip(settings, refiners, strict=True):
            title = ' '.join([source, *map(str, options.values())])
            for name, figures in measure(track(cases, title), refiner).items():
                table.add_row(title, name, *(f'{v:.2f}' for v in figures))
    Console(width=110).print(table)


if __name__ == '__main__':
    main()
