"""What PerceptualConsistencyLoss gains on CamVid: pairs of frames with it and without.

    python benchmarks/consistency_camvid.py data/camvid --start main.pth

CamVid at half its size. Every variant goes on from START with every seed, on pairs of neighbouring
frames. Measured on val, one video at 15 Hz: mIoU, perceptual consistency, and mIoU along optical
flow between neighbours. What each run reached is kept in OUT/results.json, and such runs are not
run again. --show prints the table of what there is.
"""

import argparse
import json
from pathlib import Path

from semeda_camvid import last_figures, length, save, show, train, write_half

CONFIG = 'perceptual/perceptual_fcn-hrnet-mini_1xb4-200_camvid-half-160x224'
WEIGHTS = {'without': 0.0, 'loss-0.1': 0.1, 'loss-1': 1.0}
VARIANTS = {
    'without': 'cross-entropy alone',
    'loss-0.1': '+ consistency, weight 0.1 (default)',
    'loss-1': '+ consistency, weight 1',
}
FIGURES = {
    'mIoU': 'mIoU',
    'video/perceptual_consistency': 'perceptual consistency',
    'video/flow_miou': 'mIoU along flow',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('camvid', type=Path, help='folder with img_dir/ and ann_dir/')
    parser.add_argument('--start', type=Path, help='checkpoint of the network, trained before')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/consistency-camvid'))
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    parser.add_argument('--iterations', type=int, default=200, help='of every variant')
    parser.add_argument('--amp', action='store_true', help='train in bfloat16')
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    if not args.show:
        if args.start is None:
            parser.error('--start is needed: a checkpoint, as auxadapt_camvid.py leaves one')
        write_half(args.camvid, out / 'data')
        for seed in args.seeds:  # so that all variants have the first seed first
            for variant in args.variants:
                key = f'{variant} seed {seed}'
                if key in results:
                    continue
                options = [f'randomness.seed={seed}', f'load_from={args.start.resolve()}']
                options += [f'model.consistency.loss_weight={WEIGHTS[variant]}']
                options += length(args.iterations, 10**9)
                work_dir = out / key.replace(' ', '_')
                train(CONFIG, work_dir, out / 'data', options, args.amp)
                results[key] = last_figures(work_dir, FIGURES)
                save(results, path)
    show(results, VARIANTS, FIGURES)


if __name__ == '__main__':
    main()
