"""PISR on a drawn panoptic world in which what is far away decides: PQ with and without.

    python benchmarks/pisr_drawn.py [--coco data/coco_open]

Every picture is a strip of 48×192 pixels. At one end lies a disc or a square; the ground at the
other end looks the same everywhere, and is meadow where there is a disc, desert where there is a
square. Triangles mean nothing. The networks see about 70 pixels far, so what the ground is lies
outside of what a pixel of it sees.

Draws the pictures into OUT/data, trains a common start from scratch, whose relations stay at zero,
and from there every variant with every seed, a plain one too, as long. What each run reached is
kept in OUT/results.json; runs that are in there are not run again. With --coco, these networks are
trained on photographs in COCO's panoptic format instead. Needs mmdet.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
import mmdet
import numpy as np
import torch
from semeda_camvid import last_figures, run_logged, save, show

from mmrefine.models.checkpoint import read_checkpoint

ROOT = Path(__file__).parents[1]
CONFIG = 'configs/pisr/pisr_panoptic-fpn-mini{}_1xb4-{}_drawn-48x192.py'
LENGTHS = {'-start': 400, '-plain': 800, '': 800}
SIZE = (48, 192)
COUNTS = {'train': 240, 'val': 80}
THINGS, STUFF = ('disc', 'square', 'triangle'), ('sky', 'meadow', 'desert')
SKY, MEADOW, DESERT = range(len(THINGS) + 1, len(THINGS) + 4)  # categories count from 1
GROUND_FROM = 100  # the far end begins here
NOISE = 8.0
# BGR of things, each colour up to so much away from these: a disc is reddish.
COLOURS, AROUND = ((80, 80, 210), (210, 90, 80), (80, 200, 200)), 40
# Title, config, options.
VARIANTS = {
    'plain': ('Panoptic FPN', '-plain', []),
    'no-instances': (
        '+ PISR, classes alone (K = 0)',
        '',
        ['model.relations.num_instances=0'],
    ),
    'pisr': ('+ PISR', '', []),
}
FIGURES = {
    'coco_panoptic/PQ': 'PQ',
    'coco_panoptic/SQ': 'SQ',
    'coco_panoptic/RQ': 'RQ',
    'coco_panoptic/PQ_th': 'PQ things',
    'coco_panoptic/PQ_st': 'PQ stuff',
}


def draw_shape(kind: int, centre: tuple[int, int], radius: int) -> np.ndarray:
    """Mask (H, W) of a disc, a square or a triangle, by its place in ``THINGS``."""
    mask = np.zeros(SIZE, np.uint8)
    y, x = centre
    if THINGS[kind] == 'disc':
        cv2.circle(mask, (x, y), radius, 1, -1)
    elif THINGS[kind] == 'square':
        cv2.rectangle(mask, (x - radius, y - radius), (x + radius, y + radius), 1, -1)
    else:
        corners = [(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)]
        cv2.fillPoly(mask, [np.array(corners)], 1)
    return mask > 0


def draw_picture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, dict[int, int]]:
    """Image, BGR uint8 (H, W, 3); segments (H, W); and the category of each segment."""
    key = int(rng.integers(2))
    segments = np.ones(SIZE, np.int64)
    segments[rng.integers(14, 26) :, GROUND_FROM:] = 2
    kinds = {1: SKY, 2: (MEADOW, DESERT)[key]}
    colours = {1: rng.uniform(110, 150, 3), 2: rng.uniform(70, 110, 3)}
    things = [(key, int(rng.integers(10, 20)))]  # the deciding one, at the near end
    # One triangle in the middle, one at the far end.
    things += [(2, int(rng.integers(50, 85))), (2, int(rng.integers(115, 182)))]
    for kind, x in things:
        radius = int(rng.integers(6, 9))
        centre = int(rng.integers(radius, SIZE[0] - radius)), x
        name = len(kinds) + 1
        segments[draw_shape(kind, centre, radius)] = name
        kinds[name] = kind + 1
        colours[name] = COLOURS[kind] + rng.uniform(-AROUND, AROUND, 3)
    image = np.zeros((*SIZE, 3))
    for name, colour in colours.items():
        image[segments == name] = colour
    image += rng.normal(0, NOISE, image.shape)
    return np.clip(image, 0, 255).round().astype(np.uint8), segments, kinds


def write_world(folder: Path) -> None:
    """Images and panoptic maps in COCO's format; every second one mirrored."""
    if (folder / 'complete').exists():
        return
    names = [*THINGS, *STUFF]
    categories = [
        dict(id=k + 1, name=name, isthing=int(name in THINGS)) for k, name in enumerate(names)
    ]
    for split, (name, count) in enumerate(COUNTS.items()):
        images, annotations = [], []
        for index in range(count):
            image, segments, kinds = draw_picture(np.random.default_rng((split, index)))
            if index % 2:
                image, segments = image[:, ::-1], segments[:, ::-1]
            file = f'{index:04}.png'
            codes = segments[..., None] * [0, 0, 1]  # BGR: the id is in the red channel
            for kind, array in (('images', image), ('panoptic', codes.astype(np.uint8))):
                (folder / kind / name).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / kind / name / file), array)
            images.append(dict(id=index, file_name=file, height=SIZE[0], width=SIZE[1]))
            found = [describe(segments == k, k, kind) for k, kind in kinds.items()]
            annotations.append(dict(image_id=index, file_name=file, segments_info=found))
        content = dict(images=images, annotations=annotations, categories=categories)
        (folder / f'{name}.json').write_text(json.dumps(content))
    (folder / 'complete').touch()


def describe(mask: np.ndarray, name: int, category: int) -> dict:
    """A segment as COCO's panoptic format has it."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return dict(
        id=name, category_id=category, area=int(mask.sum()), iscrowd=0, bbox=[x, y, width, height]
    )


def data_options(args: argparse.Namespace, out: Path, config: str) -> list[str]:
    """Settings that put the data into a config."""
    if args.coco:
        return coco_options(args.coco.resolve(), related=config != '-plain')
    return folder_options(out / 'data', '{}.json')


def folder_options(root: Path, annotations: str) -> list[str]:
    options = [f'val_evaluator.seg_prefix={root}/panoptic/val']
    options += [f'val_evaluator.ann_file={root}/{annotations.format("val")}']
    for split in ('train', 'val'):
        data = f'{split}_dataloader.dataset'
        options += [f'{data}.data_root={root}/', f'{data}.ann_file={annotations.format(split)}']
    return options


def coco_options(root: Path, related: bool) -> list[str]:
    """Photographs at a quarter of their size, all classes."""
    options = folder_options(root, 'panoptic/{}.json')
    options += [f'model.roi_head.{head}.num_classes=80' for head in ('bbox_head', 'mask_head')]
    for part in ('semantic_head', 'panoptic_fusion_head', *(['relations'] if related else [])):
        options += [f'model.{part}.num_things_classes=80', f'model.{part}.num_stuff_classes=53']
    for split, step in (('train', 2), ('val', 1)):
        data = f'{split}_dataloader.dataset'
        options += [f'{data}.metainfo=None', f'{data}.pipeline.{step}.scale=(160,160)']
    return options


def train(config: str, work_dir: Path, options: list[str]) -> dict[str, float]:
    """Run mmdet's own train script, which validates at the end; what it found."""
    script = Path(mmdet.__file__).parent / '.mim/tools/train.py'
    path = ROOT / CONFIG.format(config, LENGTHS[config])
    command = [sys.executable, '-W', 'ignore', script, path]
    command += ['--work-dir', work_dir, '--cfg-options', *options]
    run_logged(command, work_dir)
    return last_figures(work_dir, FIGURES)


def drop_relations(source: Path, target: Path) -> None:
    """Weights without the relations, which are new in what starts from there."""
    weights = read_checkpoint(source)['state_dict']
    kept = {k: v for k, v in weights.items() if not k.startswith('relations.relations.')}
    torch.save(dict(state_dict=kept), target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--out', type=Path, default=Path('work_dirs/pisr-drawn'))
    parser.add_argument('--variants', nargs='+', choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    parser.add_argument('--coco', type=Path, help='folder with images/ and panoptic/')
    parser.add_argument('--show', action='store_true', help='print the table and stop')
    args = parser.parse_args()
    out = args.out.resolve()
    path = out / 'results.json'
    results = json.loads(path.read_text()) if path.is_file() else {}
    if not args.show:
        write_world(out / 'data')
        start = out / 'start/without_relations.pth'
        if not start.exists():
            options = data_options(args, out, '-start')
            results['start seed 0'] = train('-start', start.parent, options)
            save(results, path)
            drop_relations(start.parent / 'iter_400.pth', start)
        for seed in args.seeds:  # so that all variants have the first seed first
            for variant in args.variants:
                key = f'{variant} seed {seed}'
                if key in results:
                    continue
                _, config, options = VARIANTS[variant]
                options = [*data_options(args, out, config), f'load_from={start}', *options]
                options += [f'randomness.seed={seed}']
                work_dir = out / key.replace(' ', '_')
                results[key] = train(config, work_dir, options)
                save(results, path)
                print(key, {name: round(value, 2) for name, value in results[key].items()})
    titles = {'start': 'common start'} | {v: title for v, (title, _, _) in VARIANTS.items()}
    show(results, titles, FIGURES)


if __name__ == '__main__':
    main()
