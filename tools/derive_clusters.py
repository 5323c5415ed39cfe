"""Find the clusters of classes for HS3: ``derive_clusters.py CONFIG CHECKPOINT OUT``."""

import argparse

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
    parser.add_argument('out', metavar='OUT', help='folder to write to')
    parser.add_argument('--device', help='cpu, cuda, ...; default: a GPU if there is one')
    return parser


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    try:
        result = derive_clusters(
            args.config,
            args.checkpoint,
            args.out,
            args.device,
            lambda done, total: print(f'\r{done}/{total} images', end='', flush=True),
        )
    except ValueError as error:
        parser.error(str(error))
    print()
    for layer in result['layers']:
        groups = '; '.join(' + '.join(group) for group in layer['clusters'])
        print(f'{layer["name"]}: {layer["num_clusters"]} clusters: {groups}')
    print(f'{args.out}/clusters.json')


if __name__ == '__main__':
    main()
