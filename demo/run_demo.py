"""Refine masks of two photographs with SegFix and with BPR, and show what changed.

``make demo`` runs this. Refining itself is three lines::

    from mmrefine.apis import build_refiner
    refiner = build_refiner('bpr')
    refined = refiner.refine('demo/images/astronaut.png', masks)
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
from make_coarse import coarse_label_map, read_labels
from rich.console import Console
from rich.table import Table

from mmrefine.measures import boundary_fscore, region_iou
from mmrefine.ops.run_lengths import decode_mask

DEMO = Path(__file__).parent
# What refines, by the end of its files' names: column of the table, and what is built.
REFINERS = {
    'segfix': ('SegFix', dict(method_or_config='segfix')),
    'bpr': ('BPR', dict(method_or_config='bpr')),
}


def coffee(error: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Coarse and true label map (H, W), as of semantic segmentation."""
    labels = read_labels('coffee')
    if error is not None:
        return coarse_label_map(labels, error=error), labels
    return cv2.imread(str(DEMO / 'coarse' / 'coffee.png'), cv2.IMREAD_UNCHANGED), labels


def astronaut() -> tuple[np.ndarray, np.ndarray]:
    """Coarse and true masks, bool (N, H, W), as of instance segmentation."""
    labels = read_labels('astronaut')
    results = json.loads((DEMO / 'coarse' / 'astronaut.segm.json').read_text())
    coarse = [decode_mask(result['segmentation'], labels.shape) for result in results]
    return np.stack(coarse), labels == np.array([r['category_id'] for r in results])[:, None, None]


def scores(masks: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Boundary F-scores and IoU, × 100: the mean over classes, or over instances."""
    if masks.ndim == 2:
        pairs, number = [(masks, truth)], int(truth.max()) + 1
    else:
        pairs, number = list(zip(masks, truth, strict=True)), 1
    figures = {}
    for tolerance in (1, 2, 3):
        found = [boundary_fscore(m, t, tolerance, number).figures('present') for m, t in pairs]
        figures[f'boundary F-score, {tolerance} px'] = float(np.mean([f['fscore'] for f in found]))
    overlaps = [region_iou(m, t, number).figures()['miou'] for m, t in pairs]
    figures['mean IoU'] = float(np.mean(overlaps))
    return {name: 100 * value for name, value in figures.items()}


def score_table(photographs: dict[str, list[np.ndarray]]) -> Table:
    """Scores of each photograph's masks: the truth, before, and refined by each of REFINERS."""
    columns = [column for column, _ in REFINERS.values()]
    table = Table('', 'against hand-drawn truth', 'before', *columns)
    for name, (truth, *candidates) in photographs.items():
        found = [scores(masks, truth) for masks in candidates]
        for measure in found[0]:
            table.add_row(name, measure, *(f'{figures[measure]:.1f}' for figures in found))
        table.add_section()
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--out', type=Path, default=DEMO / 'output')
    parser.add_argument(
        '--error', type=float, help='refine a coarse label map made with this error, in pixels'
    )
    args = parser.parse_args()

    warnings.filterwarnings('ignore', category=UserWarning)  # mm* packages on their own needs
    from mmrefine.apis import build_refiner, draw_refinement

    refiners = {
        name: build_refiner(**options, device='cpu') for name, (_, options) in REFINERS.items()
    }
    photographs = {'coffee': coffee(args.error), 'astronaut': astronaut()}
    judged = {}
    seconds = dict.fromkeys(REFINERS, 0.0)
    args.out.mkdir(parents=True, exist_ok=True)
    for photograph, (coarse, truth) in photographs.items():
        image = DEMO / 'images' / f'{photograph}.png'
        judged[photograph] = [truth, coarse]
        for name, refiner in refiners.items():
            start = time.perf_counter()
            refined = refiner.refine(image, coarse)
            seconds[name] += time.perf_counter() - start
            judged[photograph].append(refined)
            picture = draw_refinement(cv2.imread(str(image)), coarse, refined, truth)
            cv2.imwrite(str(args.out / f'{photograph}_{name}.png'), picture)
            np.save(args.out / f'{photograph}_{name}.npy', refined)
    Console().print(
        score_table(judged),
        '; '.join(f'{REFINERS[name][0]} took {s:.1f} s' for name, s in seconds.items()),
        f'Before and after, side by side: {args.out}/*.png; refined masks: {args.out}/*.npy',
        sep='\n',
    )


if __name__ == '__main__':
    main()
