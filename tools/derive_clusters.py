"""Find the clusters of classes for HS3: ``derive_clusters.py CONFIG CHECKPOINT``."""

import argparse
from pathlib import Path

from mmrefine.reports.derive_clusters import derive_clusters


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Run a probe model, which has an auxiliary head with all classes on each layer '
        'to supervise, over its validation set, and write which classes each layer shall tell '
        'apart: OUT/clusters.json, for mmrefine.ClusterAuxHead, and a picture. What is counted '
        'already is not counted again'
    )
    parser.add_argument('config', help='config of the probe model')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument(
        '--out', type=Path, help='folder to write to; default: clusters, beside the checkpoint'
    )
    parser.add_argument('--device', help='cpu, cuda, ...; default: a GPU if there is one')
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    out = args.out or Path(args.checkpoint).parent / 'clusters'
    try:
        result = derive_clusters(
            args.config,
            args.checkpoint,
            out,
            args.device,
            lambda done, total: print(f'\r{done}/{total} images', end='', flush=True),
        )
    except ValueError as error:
        parser.error(str(error))
    print()
    for layer in result['layers']:
        groups = '; '.join(' + '.join(group) for group in layer['clusters'])
        print(f'{layer["name"]}: {layer["num_clusters"]} clusters: {groups}')
    print(f'{out}/clusters.json')


if __name__ == '__main__':
    main()
