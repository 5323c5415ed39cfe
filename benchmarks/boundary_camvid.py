"""The losses and heads that teach boundaries, side by side on CamVid: one start, several seeds.

    python benchmarks/boundary_camvid.py data/camvid

The protocol of benchmarks/semeda_camvid.py: CamVid at half its size, one start with cross-entropy
alone, every variant from there with every seed. What each run reached is kept in a file of its own,
OUT/VARIANT_seed_N.json, and such runs are not run again: a stopped benchmark goes on where it was,
and several can run side by side. --show prints the table of what there is; --cost measures a
training step instead.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from semeda_camvid import FIGURES as TRIMAP
from semeda_camvid import last_figures, length, save, show, train, train_start, write_half

from mmrefine.ops import draw_label_map
from mmrefine.registry import MODELS

ROOT = Path(__file__).parents[1]
MINI = 'inverseform/inverseform_fcn-hrnet-mini-{}_1xb8-200_camvid-half-160x224'
IFA = 'ifa/ifa_hrnet-mini{}_1xb8-200_camvid-half-160x224'
VARIANTS = {
    'cross-entropy': 'cross-entropy alone',
    'semeda': '+ SEMEDA',
    'classes': '+ InverseForm on the class probabilities',
    'boundary-head': '+ InverseForm with a boundary head',
    'both': '+ InverseForm both ways',
    'pidnet-loss': '+ boundary head with balanced cross-entropy alone (PIDNet)',
    'dice': '+ Dice',
    'fcn-head': 'fresh FCN head',
    'ifa': 'fresh IFA head',
    'ifa-every-pixel': 'fresh IFA head, asked at every pixel',
}
CONFIGS = {variant: MINI.format(variant) for variant in VARIANTS} | {
    'fcn-head': IFA.format('-fcn-head'),
    'ifa': IFA.format(''),
    'ifa-every-pixel': IFA.format('-every-pixel'),
}
FIGURES = {'mIoU': 'mIoU'} | {f'boundary/fscore_{w}px': f'F-score {w} px' for w in (1, 2)}
FIGURES |= {name: f'mIoU {title}' for name, title in TRIMAP.items() if name != 'mIoU'}


def run(
    variant: str, seed: int, start: Path, iterations: int, out: Path, data: Path, amp: bool
) -> None:
    """Train a variant and keep its figures, unless they are there."""
    found = out / f'{variant}_seed_{seed}.json'
    if found.exists():
        return
    own_head = CONFIGS[variant].startswith('ifa')
    begin = f'model.backbone.init_cfg.checkpoint={start}' if own_head else f'load_from={start}'
    options = [f'randomness.seed={seed}', begin, *length(iterations, 10**9)]
    work_dir = out / found.stem
    train(CONFIGS[variant], work_dir, data, options, amp)
    save(last_figures(work_dir, FIGURES), found)


def read_results(out: Path) -> dict[str, dict[str, float]]:
    """Figures of all finished runs, by ``'VARIANT seed N'``."""
    return {
        path.stem.replace('_', ' '): json.loads(path.read_text())
        for path in sorted(out.glob('*_seed_*.json'))
    }


def seconds_of_a_step(variant: str, repeats: int) -> float:
    """Processor time of forward, loss and backward for a batch of the config, median."""
    cfg = Config.fromfile(ROOT / 'configs' / f'{CONFIGS[variant]}.py')
    cfg.model.backbone.init_cfg = None
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).train()
    size, batch = cfg.crop_size, cfg.train_dataloader.batch_size
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(batch):
        labels = torch.from_numpy(draw_label_map(size, 11, rng))[None]
        samples.append(SegDataSample(gt_sem_seg=PixelData(data=labels)))
    images = torch.randn(batch, 3, *size)
    times = []
    for _ in range(repeats + 1):
        begin = time.process_time()
        losses = model.loss(images, samples)
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        times.append(time.process_time() - begin)
    return statistics.median(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('camvid', type=Path, help='folder with img_dir/ and ann_dir/')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/boundary-camvid'))
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--start-iterations', type=int, nargs='+', default=[1000, 2000])
    parser.add_argument('--start', type=Path, help='checkpoint of a start that is there already')
    parser.add_argument('--iterations', type=int, default=200, help='of every variant')
    parser.add_argument('--amp', action='store_true', help='train in bfloat16')
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    parser.add_argument('--cost', action='store_true', help='measure a training step and stop')
    args = parser.parse_args()
    out = args.out.resolve()
    if args.cost:
        torch.set_num_threads(1)
        print('| | processor time of a step, s |\n|---|---|')
        for variant in args.variants:
            print(f'| {VARIANTS[variant]} | {seconds_of_a_step(variant, 5):.2f} |', flush=True)
        return
    if not args.show:
        write_half(args.camvid, out / 'data')
        start = args.start or train_start(out, out / 'data', args.start_iterations, args.amp)
        for seed in args.seeds:  # so that all variants have the first seed first
            for variant in args.variants:
                run(variant, seed, start.resolve(), args.iterations, out, out / 'data', args.amp)
    show(read_results(out), VARIANTS, FIGURES)


if __name__ == '__main__':
    main()
