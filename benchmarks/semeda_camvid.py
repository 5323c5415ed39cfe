"""The paper's Table 1 on CamVid: six ways to teach edges, one start, several seeds.

    python benchmarks/semeda_camvid.py data/camvid

Writes CamVid at half its size to OUT/data, trains the common start once, trains every variant from
it with every seed, and keeps what each run reached in OUT/results.json. Runs that are in there are
not run again, so a stopped benchmark goes on where it was. --variants, --seeds and --show tell
what to run, or to print the table of what there is.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
CONFIG = 'semeda/semeda_fcn-hrnet-mini-{}_1xb8-{}_camvid-half-160x224'
START = CONFIG.format('start', '1k')
VARIANTS = {
    'cross-entropy': 'cross-entropy alone',
    'edge-head': '+ edge head (UberNet style)',
    'edge-ce': '+ cross-entropy on edges',
    'after-relu': '+ SEMEDA (0, 1, 0), after ReLU',
    '1-0.5-0.25': '+ SEMEDA (1, 0.5, 0.25)',
    '0-1-0': '+ SEMEDA (0, 1, 0)',
}
DATASETS = tuple(f'{split}_dataloader.dataset' for split in ('train', 'val', 'test'))
FIGURES = {'mIoU': 'mIoU'} | {f'trimap/miou_inside_{w}px': f'{w} px' for w in (1, 2, 5, 10)}


def write_half(source: Path, target: Path) -> None:
    """CamVid at half its size: images by the mean of 2×2 pixels, labels by the first of them."""
    if (target / 'complete').exists():
        return
    for kind in ('img_dir', 'ann_dir'):
        for split in ('train', 'val'):
            paths = sorted((source / kind / split).iterdir())
            if not paths:
                raise FileNotFoundError(f'no files in {source / kind / split}')
            (target / kind / split).mkdir(parents=True, exist_ok=True)
            for path in paths:
                full = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
                small = full[::2, ::2]
                if kind == 'img_dir':
                    small = cv2.resize(full, small.shape[1::-1], interpolation=cv2.INTER_AREA)
                cv2.imwrite(str(target / kind / split / f'{path.stem}.png'), small)
    (target / 'complete').touch()


def train(
    config: str,
    work_dir: Path,
    data: Path,
    options: list[str],
    amp: bool = False,
    datasets: Iterable[str] = DATASETS,
) -> None:
    """Run tools/train.py on a config below configs/, which validates at the end."""
    roots = [f'{dataset}.data_root={data}' for dataset in datasets]
    command = [
        sys.executable,
        '-W',
        'ignore',
        ROOT / 'tools/train.py',
        f'configs/{config}.py',
    ]
    command += ['--work-dir', work_dir, *['--amp'] * amp, '--cfg-options', *roots, *options]
    run_logged(command, work_dir)


def runs_parser(doc: str, out: str, seeds: list[int], iterations: int) -> argparse.ArgumentParser:
    """What benchmarks ask that train on CamVid, every variant with every seed."""
    parser = argparse.ArgumentParser(description=doc.split('\n\n')[0])
    parser.add_argument('camvid', type=Path, help='folder with img_dir/ and ann_dir/')
    parser.add_argument('--out', type=Path, default=Path(out))
    parser.add_argument('--seeds', type=int, nargs='+', default=seeds)
    parser.add_argument('--iterations', type=int, default=iterations, help='of every run')
    parser.add_argument('--amp', action='store_true', help='train in bfloat16')
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    return parser


def run_logged(command: list, work_dir: Path) -> None:
    """Run a training whose output goes to its work dir."""
    work_dir.mkdir(parents=True, exist_ok=True)
    print(f'training, see {work_dir / "output.txt"}', flush=True)
    with open(work_dir / 'output.txt', 'w') as log:
        subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)


def last_figures(work_dir: Path, figures: Iterable[str]) -> dict[str, float]:
    """What the validation at the end of the latest training found."""
    latest = max(work_dir.glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for line in latest.read_text().splitlines()]
    found = {name: line[name] for line in lines for name in figures if name in line}
    return {name: found[name] for name in figures}


def save(results: dict, path: Path) -> None:
    temporary = path.with_suffix('.part')
    temporary.write_text(json.dumps(results, indent=1))
    temporary.replace(path)


def show(
    results: dict[str, dict[str, float]], variants: dict[str, str], figures: dict[str, str]
) -> None:
    """Print the table of all runs that there are, as Markdown."""
    print('| | seeds |', ' | '.join(figures.values()), '|')
    print('|---' * (len(figures) + 2) + '|')
    for variant, title in variants.items():
        runs = [run for key, run in results.items() if key.startswith(f'{variant} seed')]
        cells = []
        for name in figures:
            values = np.array([run[name] for run in runs]) if runs else np.full(1, np.nan)
            spread = f' ± {values.std(ddof=1):.2f}' if len(values) > 1 else ''
            cells.append(f'{values.mean():.2f}{spread}')
        print('|', title, '|', len(runs), '|', ' | '.join(cells), '|')


def train_start(out: Path, data: Path, rounds: list[int], amp: bool = False) -> Path:
    """Checkpoint that all variants start from, trained unless it is there."""
    start = None
    for number, iterations in enumerate(rounds, start=1):
        before = [] if start is None else [f'load_from={start}']
        start = out / f'start_{number}' / f'iter_{iterations}.pth'
        if not start.exists():
            train(START, start.parent, data, length(iterations, iterations) + before, amp)
    if start is None:
        raise ValueError('the common start needs a round of iterations')
    return start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('camvid', type=Path, help='folder with img_dir/ and ann_dir/')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/semeda-camvid'))
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--start-iterations',
        type=int,
        nargs='+',
        default=[1000, 2000],
        help='of the common start, trained in so many rounds of falling learning rate',
    )
    parser.add_argument('--iterations', type=int, default=200, help='of every variant')
    parser.add_argument('--options', nargs='+', default=[], help='settings in place of the configs')
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    if not args.show:
        data = out / 'data'
        write_half(args.camvid, data)
        start = train_start(out, data, args.start_iterations)
        for seed in args.seeds:  # so that all variants have the first seed first
            for variant in args.variants:
                key = f'{variant} seed {seed}'
                if key in results:
                    continue
                work_dir = out / key.replace(' ', '_')
                options = [f'randomness.seed={seed}', f'load_from={start}']
                options += length(args.iterations, 10**9) + args.options
                train(CONFIG.format(variant, '200'), work_dir, data, options)
                results[key] = last_figures(work_dir, FIGURES)
                save(results, path)
                print(key, {name: round(value, 2) for name, value in results[key].items()})
    show(results, VARIANTS, FIGURES)


def length(iterations: int, checkpoint_interval: int) -> list[str]:
    """Options for so many iterations, with one validation, at the end."""
    return [
        f'train_cfg.max_iters={iterations}',
        f'train_cfg.val_interval={iterations}',
        f'param_scheduler.0.end={iterations}',
        f'default_hooks.checkpoint.interval={checkpoint_interval}',
    ]


if __name__ == '__main__':
    main()
