"""What PerceptualConsistencyLoss gains on CamVid: one start, weights of the loss, several seeds.

    python benchmarks/perceptual_loss_camvid.py data/camvid --amp

Writes CamVid at half its size to OUT/data, trains the common start once, or takes --start, and
trains from it on the same pairs of frames, with every weight and every seed. A weight of 0 is
cross-entropy alone. Figures on val, one video at 15 Hz: mIoU, perceptual consistency, mIoU and
equal pixels along optical flow. What each run reached is kept in OUT/results.json, and runs that
are in there are not run again; --show prints the table of what there is.
"""

import argparse
import json
from pathlib import Path

from semeda_camvid import (
    last_figures,
    length,
    runs_parser,
    save,
    show,
    train,
    train_start,
    write_half,
)

CONFIG = 'perceptual/perceptual_fcn-hrnet-mini_1xb4-200_camvid-half-160x224'
FIGURES = {
    'mIoU': 'mIoU',
    'video/perceptual_consistency': 'perceptual consistency',
    'video/flow_miou': 'mIoU along flow',
    'video/flow_accuracy': 'equal pixels along flow',
}
# The training data are wrapped, in pairs.
DATASETS = ('train_dataloader.dataset.dataset', 'val_dataloader.dataset', 'test_dataloader.dataset')


def main() -> None:
    parser = runs_parser(__doc__, 'work_dirs/perceptual-camvid', [0, 1], 200)
    parser.add_argument('--start', type=Path, help='its checkpoint, if there is one')
    parser.add_argument('--weights', type=float, nargs='+', default=[0, 0.1, 0.3, 1])
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    variants = {f'weight {weight:g}': f'weight {weight:g}' for weight in args.weights}
    if not args.show:
        run(args, out, results, path)
    show(results, variants, FIGURES)


def run(args: argparse.Namespace, out: Path, results: dict, path: Path) -> None:
    """Train what is not in the results yet."""
    data = out / 'data'
    write_half(args.camvid, data)
    start = args.start.resolve() if args.start else train_start(out, data, [1000], args.amp)
    for seed in args.seeds:  # so that all weights have the first seed first
        for weight in args.weights:
            key = f'weight {weight:g} seed {seed}'
            if key in results:
                continue
            options = [f'randomness.seed={seed}', f'load_from={start}']
            options += [f'model.consistency.loss_weight={weight}']
            options += length(args.iterations, 10**9)
            work_dir = out / key.replace(' ', '_')
            train(CONFIG, work_dir, data, options, args.amp, DATASETS)
            results[key] = last_figures(work_dir, FIGURES)
            save(results, path)
            print(key, {name: round(value, 2) for name, value in results[key].items()})


if __name__ == '__main__':
    main()
