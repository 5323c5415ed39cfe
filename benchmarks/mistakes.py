"""What refiners make of rough and of true masks, on images of many kinds, beside GrabCut.

    python benchmarks/mistakes.py data --methods coarse bpr grabcut NAME=CHECKPOINT [--every 4]

DATA is laid out as docs/model_zoo.md says; val parts are used. Coarse masks: predictions of models
(osvos, rvos, fcn); true masks shifted by 3 px in a direction of their own, dilated by 4 px, as
28×28 cells of their box hold them, and as ``mmrefine.ops.degrade`` makes them; and the true masks
themselves. Figures: boundary F-score at 1 px and IoU, x 100, mean over masks, and the F-score of
the worst group of images (a video; else an image). With --out, all of them go to a JSON file.
With --page docs/compare.md, its table is replaced; --read takes such files in place of measuring,
so that parts of a long run can be put together.

Methods: bpr and segfix with the weights that come with the package; grabcut, guided-filter and
matting, which need no training (benchmarks/classical.py); NAME=CHECKPOINT a published
checkpoint of either network.
"""

import argparse
import json
import shlex
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import rich.table
from classical import CLASSICAL
from mistakes_page import markdown
from page import write_page
from rich.console import Console
from rich.progress import track

from mmrefine.apis import build_refiner
from mmrefine.datasets.mask_errors import grow, in_cells, shift
from mmrefine.measures import boundary_fscore
from mmrefine.ops import degrade
from mmrefine.ops.colour_odds import surroundings
from mmrefine.ops.run_lengths import decode_mask

MIN_AREA = 200  # pixels of a true mask; on smaller ones a pixel is too much
MOST = 3  # masks of an image
IGNORED = 255
Refine = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Case(NamedTuple):
    """One image: stacks of true masks and of what models predicted, bool (N, H, W)."""

    group: str
    image: Path
    truth: np.ndarray
    predicted: dict[str, np.ndarray]


def drawn(masks: list, path: Path) -> list:
    """At most ``MOST`` of an image, drawn with its name as the seed."""
    seed = zlib.crc32(path.name.encode())
    chosen = np.random.default_rng(seed).permutation(len(masks))[:MOST]
    return [masks[i] for i in sorted(chosen)]


def label_maps(folder: str, **predicted: str) -> Callable[[Path, slice], Iterator[Case]]:
    """A folder with images/val and masks/val."""

    def cases(data: Path, chosen: slice) -> Iterator[Case]:
        for path in sorted((data / folder / 'images/val').iterdir())[chosen]:
            labels = _read(data / folder / 'masks/val' / f'{path.stem}.png')
            found = [v for v in np.unique(labels) if v not in (0, IGNORED)]
            masks = drawn([m for m in (labels == v for v in found) if m.sum() >= MIN_AREA], path)
            guesses = {
                kind: np.stack([_read(data / folder / part / f'{path.stem}.png') != 0])
                for kind, part in predicted.items()
            }
            if masks:
                yield Case(path.stem.rpartition('_')[0], path, np.stack(masks), guesses)

    return cases


def annotations(folder: str, **predicted: str) -> Callable[[Path, slice], Iterator[Case]]:
    """A folder with COCO annotations; predictions are COCO results, one mask an image."""

    def cases(data: Path, chosen: slice) -> Iterator[Case]:
        content = json.loads((data / folder / 'annotations/val.json').read_text())
        guesses = {
            kind: {
                entry['image_id']: entry['segmentation']
                for entry in json.loads((data / folder / path).read_text())
            }
            for kind, path in predicted.items()
        }
        for entry in content['images'][chosen]:
            size_hw = entry['height'], entry['width']
            masks = [
                decode_mask(a['segmentation'], size_hw)
                for a in content['annotations']
                if a['image_id'] == entry['id'] and not a.get('iscrowd')
            ]
            path = data / folder / 'images/val' / entry['file_name']
            masks = drawn([m for m in masks if m.sum() >= MIN_AREA], path)
            if masks:
                coarse = {
                    kind: decode_mask(of_image[entry['id']], size_hw)[None]
                    for kind, of_image in guesses.items()
                    if entry['id'] in of_image
                }
                yield Case(entry['file_name'].rpartition('/')[0], path, np.stack(masks), coarse)

    return cases


def road_scenes(data: Path, chosen: slice) -> Iterator[Case]:
    """CamVid: classes as masks."""
    for path in sorted((data / 'camvid/ann_dir/val').iterdir())[chosen]:
        truth = _read(path)
        coarse = np.where(truth == IGNORED, IGNORED, _read(data / 'camvid/pred/val' / path.name))
        (image,) = (data / 'camvid/img_dir/val').glob(f'{path.stem}.*')
        kept = [v for v in np.unique(truth) if v != IGNORED and (truth == v).sum() >= MIN_AREA]
        kept = drawn(kept, image)
        stacks = [np.stack([labels == v for v in kept]) for labels in (truth, coarse)]
        yield Case('', image, stacks[0], {'fcn': stacks[1]})


SOURCES: dict[str, Callable[[Path, slice], Iterator[Case]]] = {
    'davis': annotations(
        'davis', osvos='results/osvos_val.segm.json', rvos='results/rvos_val.segm.json'
    ),
    'parkour': label_maps('more/research/davis', osvos='pred_osvos/val', rvos='pred_rvos/val'),
    'road scenes': road_scenes,
    'nuclei': annotations('nuclei'),
    'photographs': annotations('coco_open'),
    'cats': label_maps('more/open/feral_cats'),
    'people': label_maps('more/research/ccp'),
    'household': label_maps('more/open/household_renders'),
    'cut-outs': label_maps('more/open/tuxpaint_composites'),
    'horses': label_maps('more/research/weizmann_horses'),
    'salient': label_maps('more/research/weizmann_seg_eval'),
    'sky': label_maps('more/research/sky'),
    'seedlings': label_maps('more/research/cwfid'),
    'carrots': label_maps('more/research/carrot_weed'),
    'blood': label_maps('more/research/wbc'),
    'lego': label_maps('more/research/nerf_lego_composites'),
    'emoji': label_maps('more/open/fluent3d_composites'),
}


def shifted(mask: np.ndarray, seed: int) -> np.ndarray:
    """By 3 px, in one of eight directions."""
    angle = np.random.default_rng(seed).integers(8) * np.pi / 4
    return shift(mask, round(3 * np.sin(angle)), round(3 * np.cos(angle)))


MADE: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    'shifted': shifted,
    'dilated': lambda mask, seed: grow(mask, 4),
    'cells': lambda mask, seed: in_cells(mask, 28),
    'degraded': lambda mask, seed: degrade(mask, np.random.default_rng(seed)),
    'true': lambda mask, seed: mask,
}


ALL_KINDS = ['osvos', 'rvos', 'fcn', *MADE]


def method(text: str) -> tuple[str, Refine]:
    """Name and function of a method."""
    name, _, checkpoint = text.partition('=')
    if name == 'coarse':
        return name, lambda image, masks: masks
    if name in CLASSICAL:
        return name, CLASSICAL[name]
    if checkpoint:
        return name, build_refiner(None, checkpoint, 'cpu').refine
    return name, build_refiner(name, device='cpu').refine


def score(mask: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """F-score at 1 px and IoU, in the part of the image that holds both."""
    part = surroundings(mask | truth, 4)
    mask, truth = mask[part], truth[part]
    fscore = boundary_fscore(mask, truth, 1, num_classes=1).figures()['fscore']
    return float(fscore), np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth)


def measure(
    cases: list[Case], kinds: list[str], methods: dict[str, Refine]
) -> Iterator[tuple[str, str, str, float, float, float]]:
    """Kind, method, group, F-score, IoU and seconds of every mask."""
    for case in cases:
        image = cv2.imread(str(case.image))
        for kind in kinds:
            if kind in MADE:
                coarse = np.stack(
                    [
                        MADE[kind](m, zlib.crc32(case.image.name.encode()) + i)
                        for i, m in enumerate(case.truth)
                    ]
                )
            elif kind in case.predicted:
                coarse = case.predicted[kind]
            else:
                continue
            for name, refine in methods.items():
                start = time.perf_counter()
                refined = refine(image, coarse)
                seconds = (time.perf_counter() - start) / len(coarse)
                for mask, truth in zip(refined, case.truth, strict=True):
                    yield kind, name, case.group, *score(mask, truth), seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', type=Path, nargs='?', default=Path('data'))
    parser.add_argument('--methods', nargs='+', default=['coarse', 'bpr', 'grabcut'])
    parser.add_argument('--sources', nargs='+', choices=SOURCES, default=list(SOURCES))
    parser.add_argument('--kinds', nargs='+', default=ALL_KINDS)
    parser.add_argument('--every', type=int, default=1, help='take every so many images')
    parser.add_argument('--first', type=int, default=0, help='start with this one, from 0')
    parser.add_argument('--out', type=Path, help='JSON file for all figures')
    parser.add_argument('--page', type=Path, help='put the table into a page, between its marks')
    parser.add_argument(
        '--read', type=Path, nargs='+', help='JSON files of --out, not measured anew'
    )
    parser.add_argument('--command', help='what the page says that measured it; default: this one')
    args = parser.parse_args()
    if args.read:
        rows = [row for path in args.read for row in json.loads(path.read_text())]
    else:
        rows = run(args)
    if args.out:
        args.out.write_text(json.dumps(rows))
    if args.page:
        write_page(args.page, markdown(rows, args.command or command_of(args)))


def command_of(args: argparse.Namespace) -> str:
    """The command line, without what it does with the figures."""
    words = ['python benchmarks/mistakes.py', 'data', '--every', str(args.every)]
    words += ['--first', str(args.first)] if args.first else []
    words += ['--methods', *args.methods]
    words += [] if args.sources == list(SOURCES) else ['--sources', *args.sources]
    words += [] if args.kinds == ALL_KINDS else ['--kinds', *args.kinds]
    return shlex.join(words).replace("'python benchmarks/mistakes.py'", words[0])


def run(args: argparse.Namespace) -> list[tuple]:
    """Measure and print; source, kind, method, group, F-score, IoU and seconds of every mask."""
    methods = dict(method(text) for text in args.methods)
    tables = [
        rich.table.Table(title, '', *methods)
        for title in ('F-score 1 px', 'worst group, F-score', 'IoU', 'seconds a mask')
    ]
    rows = []
    for source in args.sources:
        cases = list(SOURCES[source](args.data, slice(args.first, None, args.every)))
        found = list(measure(track(cases, source), args.kinds, methods))
        rows += [(source, *row) for row in found]
        for kind in args.kinds:
            of_kind = [[r for r in found if r[:2] == (kind, name)] for name in methods]
            if of_kind[0]:
                for table, figure in zip(tables, FIGURES, strict=True):
                    table.add_row(source, kind, *(figure(r) for r in of_kind))
    for table in tables:
        Console(width=140).print(table)
    return rows


def _worst(rows: list[tuple]) -> str:
    groups = {row[2] for row in rows}
    return f'{min(100 * np.mean([r[3] for r in rows if r[2] == g]) for g in groups):.1f}'


FIGURES: tuple[Callable[[list[tuple]], str], ...] = (
    lambda rows: f'{100 * np.mean([r[3] for r in rows]):.1f}',
    _worst,
    lambda rows: f'{100 * np.mean([r[4] for r in rows]):.1f}',
    lambda rows: f'{np.mean([r[5] for r in rows]):.2f}',
)


def _read(path: Path) -> np.ndarray:
    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if array is None:
        raise ValueError(f'{path} is missing, or no image')
    return array


if __name__ == '__main__':
    main()
