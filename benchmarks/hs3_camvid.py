"""Deep supervision on CamVid: none, plain, HS3, HS3-Fuse, and random clusters; several seeds.

    python benchmarks/hs3_camvid.py data/camvid

Writes CamVid at half its size to OUT/data. For every seed, trains the plain variant first, derives
the clusters from it, and trains the others from scratch with them; the control has clusters of the
same sizes, drawn at random. What each run reached is kept in OUT/results.json, and runs that are in
there are not run again. --iterations, --seeds and --variants make it shorter; --show prints the
table of what there is.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import rich.table
import semeda_camvid
from mmengine.config import Config
from rich.console import Console
from semeda_camvid import FIGURES, last_figures, length, runs_parser, save, write_half

from mmrefine.files.label_clusters import read_label_map
from mmrefine.registry import MODELS
from mmrefine.reports.derive_clusters import derive_clusters

ROOT = Path(__file__).parents[1]
CONFIG = 'hs3_fcn-hrnet-mini-{}_1xb8-1k_camvid-half-160x224'
VARIANTS = {
    'none': 'no deep supervision',
    'plain': 'plain deep supervision, all classes',
    'clusters': 'HS3',
    'random': 'random clusters of the same sizes',
    'fuse': 'HS3-Fuse',
}
LAYERS = 2


def label_maps(variant: str, clusters: Path, seed: int) -> list[list[int]]:
    """Cluster of each class for the supervised layers of a variant."""
    maps = [read_label_map(clusters, layer) for layer in range(LAYERS)]
    if variant == 'random':
        rng = np.random.default_rng(seed)
        maps = [rng.permutation(label_map).tolist() for label_map in maps]
    return maps


def needs_clusters(variant: str) -> bool:
    """Whether a variant is trained on clusters."""
    return variant not in ('none', 'plain')


def options(variant: str, clusters: Path, seed: int) -> list[str]:
    """Settings that put the label maps into the config of a variant."""
    if not needs_clusters(variant):
        return []
    where = 'decode_head.stages' if variant == 'fuse' else 'auxiliary_head'
    return [
        f'model.{where}.{layer}.label_map={json.dumps(label_map, separators=(",", ":"))}'
        for layer, label_map in enumerate(label_maps(variant, clusters, seed))
    ]


def show(results: dict[str, dict[str, float]]) -> None:
    """Print what there is, as a table."""
    title = 'mean ± spread over seeds, per cent'
    table = rich.table.Table('variant', 'parameters', 'seeds', *FIGURES.values(), title=title)
    for variant, name in VARIANTS.items():
        runs = [run for key, run in results.items() if key.startswith(f'{variant} seed')]
        cells = []
        for figure in FIGURES if runs else ():
            values = np.array([run[figure] for run in runs])
            spread = values.std(ddof=1) if len(values) > 1 else float('nan')
            cells.append(f'{values.mean():.2f} ± {spread:.2f}')
        table.add_row(name, parameters(variant), str(len(runs)), *cells)
    Console(width=120).print(table)


def parameters(variant: str) -> str:
    """How many parameters a variant predicts with, in millions."""
    cfg = Config.fromfile(ROOT / 'configs/hs3' / f'{CONFIG.format(config_of(variant))}.py')
    named = MODELS.build(cfg.model).named_parameters()
    count = sum(p.numel() for name, p in named if not name.startswith('auxiliary_head'))
    return f'{count / 1e6:.2f} M'


def config_of(variant: str) -> str:
    """Variant whose config is used."""
    return 'clusters' if variant == 'random' else variant


def main() -> None:
    parser = runs_parser(__doc__, 'work_dirs/hs3-camvid', [0, 1, 2], 1000)
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    if not args.show:
        run(args, out, results, path)
    show(results)


def run(args: argparse.Namespace, out: Path, results: dict, path: Path) -> None:
    """Train what is not in the results yet."""
    write_half(args.camvid, out / 'data')
    order = ['plain', *(v for v in args.variants if v != 'plain')]  # it gives the clusters
    for seed in args.seeds:
        checkpoint = out / f'plain_seed_{seed}' / f'iter_{args.iterations}.pth'
        clusters = out / f'clusters_seed_{seed}'
        for variant in order:
            key = f'{variant} seed {seed}'
            if key in results:
                continue
            if needs_clusters(variant) and not (clusters / 'clusters.json').is_file():
                derive(checkpoint, clusters, out / 'data')
            config = CONFIG.format(config_of(variant))
            settings = [f'randomness.seed={seed}', *length(args.iterations, args.iterations)]
            settings += options(variant, clusters / 'clusters.json', seed)
            work_dir = out / key.replace(' ', '_')
            semeda_camvid.train(f'hs3/{config}', work_dir, out / 'data', settings, args.amp)
            results[key] = last_figures(work_dir, FIGURES)
            save(results, path)
            print(key, {name: round(value, 2) for name, value in results[key].items()})


def derive(checkpoint: Path, out: Path, data: Path) -> None:
    """Clusters of a plain run."""
    probe, config = out / 'probe.py', ROOT / 'configs/hs3' / f'{CONFIG.format("plain")}.py'
    out.mkdir(parents=True, exist_ok=True)
    probe.write_text(
        f"_base_ = '{config}'\nval_dataloader = dict(dataset=dict(data_root='{data}'))\n"
    )
    derive_clusters(probe, checkpoint, out)


if __name__ == '__main__':
    main()
