"""AuxAdapt on the videos of CamVid: one model alone, with an auxiliary network, and adapting.

    python benchmarks/auxadapt_camvid.py data/camvid [--tune] [--refine bpr segfix]

Trains the main network (FCN-HRNet-mini at 240×180) and the auxiliary one (the same at 120×90), if
OUT has none. Then plays each video once for each variant. Figures: mIoU against the ground truth,
perceptual consistency, mIoU and equal pixels along optical flow between neighbouring frames,
milliseconds a frame. val is one video at 15 Hz; the sequences of train are at 1 Hz, and were
trained on. --tune compares settings on the train sequences only.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import rich.table
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.structures import SegDataSample
from rich.console import Console
from semeda_camvid import START, train, write_half

from mmrefine.datasets import CamVidDataset
from mmrefine.evaluation import PerceptualConsistencyMetric
from mmrefine.measures import region_iou, total
from mmrefine.models.checkpoint import build_model
from mmrefine.models.segmentors import AuxAdaptSegmentor
from mmrefine.ops import order_frames
from mmrefine.refiners import BPRRefiner, SegFixRefiner

ROOT = Path(__file__).parents[1]
AUX = 'auxadapt/auxadapt_fcn-hrnet-mini_1xb8-1k_camvid-quarter-80x112'
CLASSES = CamVidDataset.METAINFO['classes']
INPUT_SIZE = (240, 180)
FIGURES = ('mIoU', 'perceptual', 'flow mIoU', 'flow accuracy')
AUX_SCALE = 0.5
NOMINAL = dict(lr=0.0001)
AUX_ALONE = 'auxiliary network alone'
VARIANTS: dict[str, dict | None] = {
    'model alone': None,
    AUX_ALONE: None,
    '+ frozen auxiliary network': dict(lr=0),
    '+ AuxAdapt': {},
    '+ AuxAdapt, lr 0.001': dict(lr=0.001),
    '+ AuxAdapt, batch norm by frame': dict(norm_eval=False),
    '+ AuxAdapt, a copy at half the size': dict(copy=True, aux_scale=0.5),
    '+ AuxAdapt, a copy as auxiliary network': dict(copy=True),
}
# Refiners run behind these.
REFINED = ('model alone', '+ frozen auxiliary network', '+ AuxAdapt')
TUNED: dict[str, dict | None] = {
    f'lr {lr}, batch norm {"as trained" if norm_eval else "by frame"}': dict(
        lr=lr, norm_eval=norm_eval
    )
    for norm_eval in (True, False)
    for lr in (0, 0.0001, 0.0003, 0.001, 0.01)
}


def trained(camvid: Path, out: Path, copied: bool, amp: bool) -> tuple[Path, Path | None]:
    """Checkpoints of the main and the auxiliary network, trained where missing."""
    found: list[Path | None] = []
    for config, folder in ((START, 'main'), (AUX, 'aux')):
        if folder == 'aux' and copied:
            found.append(None)
            continue
        path = out / folder / 'iter_1000.pth'
        if not path.exists():
            write_half(camvid, out / 'data')
            train(config, path.parent, out / 'data', ['train_cfg.val_interval=1000'], amp)
        found.append(path)
    return found[0], found[1]


def networks(checkpoints: tuple[Path, Path | None]) -> list[torch.nn.Module]:
    configs = (f'{START}.py', f'{AUX}.py')
    return [
        build_model(Config.fromfile(ROOT / 'configs' / config).model, checkpoint)
        for config, checkpoint in zip(configs, checkpoints, strict=True)
        if checkpoint
    ]


def videos(camvid: Path, split: str) -> dict[str, list[Path]]:
    paths = sorted((camvid / 'img_dir' / split).iterdir())
    return {
        Path(video).name.strip('_'): [paths[i] for i in places]
        for video, places in order_frames(paths).items()
    }


def play(
    model: torch.nn.Module, paths: list[Path], scale: float = 1
) -> Iterator[tuple[np.ndarray, float]]:
    """Labels of each frame at its own size, and the seconds it took."""
    size = [round(scale * side) for side in INPUT_SIZE]
    for path in paths:
        frame = cv2.imread(str(path))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        meta = dict(img_path=str(path), ori_shape=frame.shape[:2], img_shape=small.shape[:2])
        tensor = torch.from_numpy(small.transpose(2, 0, 1).copy())
        sample = SegDataSample(metainfo=meta)
        start = time.perf_counter()
        with torch.no_grad():
            found = model.test_step(dict(inputs=[tensor], data_samples=[sample]))[0]
        yield found.pred_sem_seg.data[0].numpy().astype(np.uint8), time.perf_counter() - start


def figures(paths: list[Path], labels: list[np.ndarray]) -> dict[str, float]:
    """MIoU, the three consistencies and the IoU of each class of one video, per cent."""
    metric = PerceptualConsistencyMetric()
    metric.dataset_meta = dict(classes=CLASSES)
    counts = []
    for path, found in zip(paths, labels, strict=True):
        folder = path.parents[2] / 'ann_dir' / path.parent.name
        truth = cv2.imread(str(folder / f'{path.stem}.png'), cv2.IMREAD_UNCHANGED)
        counts.append(region_iou(found, truth, len(CLASSES)))
        fields = (('pred_sem_seg', found), ('gt_sem_seg', truth))
        sample = {name: dict(data=torch.from_numpy(m)[None]) for name, m in fields}
        metric.process({}, [dict(sample, img_path=str(path))])
    consistent = metric.evaluate(len(paths))
    right = total(counts).figures()
    by_class = zip(CLASSES, 100 * right['iou_per_class'], strict=True)
    return {
        'mIoU': 100 * right['miou'],
        'perceptual': consistent['video/perceptual_consistency'],
        'flow mIoU': consistent['video/flow_miou'],
        'flow accuracy': consistent['video/flow_accuracy'],
        **{name: float(iou) for name, iou in by_class},
    }


def build(name: str, settings: dict | None, checkpoints: tuple) -> torch.nn.Module:
    main, *aux = networks(checkpoints)
    if settings is None:
        return aux[0] if name == AUX_ALONE else main
    settings = {**NOMINAL, **settings}
    copied = settings.pop('copy', False) or not aux
    return AuxAdaptSegmentor(main, None if copied else aux[0], **settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('camvid', type=Path)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/auxadapt-camvid'))
    parser.add_argument('--splits', nargs='+', default=['val', 'train'], choices=['val', 'train'])
    parser.add_argument('--tune', action='store_true', help='other settings, train only')
    parser.add_argument('--variants', nargs='+', default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument('--refine', nargs='+', default=[], choices=['bpr', 'segfix'])
    parser.add_argument(
        '--copy',
        action='store_true',
        help='a copy of the main network as the auxiliary one: no other is trained',
    )
    parser.add_argument('--amp', action='store_true', help='train in bfloat16')
    parser.add_argument('--frames', type=int, help='of each video, at most')
    args = parser.parse_args()
    init_default_scope('mmseg')
    checkpoints = trained(args.camvid, args.out.resolve(), args.copy, args.amp)
    refiners = {'bpr': BPRRefiner, 'segfix': SegFixRefiner}
    behind = {name: refiners[name]() for name in args.refine}
    chosen = [name for name in args.variants if not (args.copy and name == AUX_ALONE)]
    variants = TUNED if args.tune else {name: VARIANTS[name] for name in chosen}
    for split in ['train'] if args.tune else args.splits:
        for video, paths in videos(args.camvid, split).items():
            paths = paths[: args.frames]
            by_class = rich.table.Table('IoU', *CLASSES)
            table = rich.table.Table('variant', *FIGURES, 'ms', title=f'{split} {video}')
            for name, settings in variants.items():
                scale = AUX_SCALE if name == AUX_ALONE else 1
                played = list(play(build(name, settings, checkpoints), paths, scale))
                labels = [found for found, _ in played]
                seconds = float(np.median([spent for _, spent in played]))
                add_row(table, by_class, name, figures(paths, labels), seconds)
                for title, refiner in behind.items() if name in REFINED else ():
                    start = time.perf_counter()
                    refined = list(refiner.refine_each(zip(map(str, paths), labels, strict=True)))
                    more = (time.perf_counter() - start) / len(paths)
                    found = figures(paths, refined)
                    add_row(table, by_class, f'{name} + {title}', found, seconds + more)
            Console(width=150).print(table, by_class)


def add_row(
    table: rich.table.Table,
    by_class: rich.table.Table,
    name: str,
    found: dict[str, float],
    seconds: float,
) -> None:
    table.add_row(name, *(f'{found[key]:.2f}' for key in FIGURES), f'{1000 * seconds:.0f}')
    by_class.add_row(name, *(f'{found[key]:.1f}' for key in CLASSES))
    print(name, found, f'{1000 * seconds:.0f} ms', flush=True)


if __name__ == '__main__':
    main()
