"""Refine the masks of any model: ``python tools/refine.py IMAGES MASKS OUT``."""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmrefine.apis import build_refiner
from mmrefine.apis.opencv_log import silence_opencv
from mmrefine.apis.processes import leave_processes, start_processes
from mmrefine.apis.refine_cityscapes import cityscapes_tasks, is_cityscapes_folder
from mmrefine.apis.refine_label_maps import LabelRules, label_map_tasks
from mmrefine.apis.refine_pictures import DrawingSource
from mmrefine.apis.refine_report import Report, merge_reports, summary
from mmrefine.apis.refine_results import ResultFile, is_finished
from mmrefine.apis.refine_source import OffsetFolderSource, RefinerSource, Source
from mmrefine.apis.refine_tasks import Task, run_tasks

EPILOG = """
examples:
  refine.py photos predictions refined
  refine.py photos predictions refined --checkpoint my_segfix.pth --num-classes 11
  refine.py leftImg8bit/val results refined --image-suffix _leftImg8bit \\
      --mask-suffix _gtFine_labelIds --label-ids cityscapes
  refine.py photos results.segm.json refined.segm.json --annotations instances_val.json
  refine.py photos results.segm.json refined.segm.json --method bpr --iou-threshold 0.55
  refine.py leftImg8bit/val maskrcnn_val refined_val --method bpr
  refine.py photos predictions refined --offsets offset_semantic/val
  refine.py frames predictions refined --visualize pictures
  torchrun --nproc_per_node 4 refine.py photos predictions refined --launcher pytorch

Label maps keep their form: palette, 8-bit or 16-bit PNG, or .npy. Images are read as mmseg reads
them, with their EXIF orientation applied. Of COCO results and Cityscapes result folders (*_pred.txt
and PNGs), only masks change; those that cannot be refined are listed and stay as they are. What is
refined already is skipped; so after an interruption, the same command goes on. The exit status is 1
if anything failed.
"""
LABEL_MAP_OPTIONS = ('ignore_index', 'label_ids', 'num_classes', 'image_suffix', 'mask_suffix')
# By what there is to refine.
OPTIONS_OF_OTHERS = {
    'label maps': ('annotations',),
    'COCO results': LABEL_MAP_OPTIONS,
    'Cityscapes results': (*LABEL_MAP_OPTIONS, 'annotations'),
}
BPR_OPTIONS = ('iou_threshold', 'min_score_gain', 'batch_size')
REFINER_OPTIONS = ('scale', 'steps', 'min_confidence', *BPR_OPTIONS)
# What offset fields from files leave no room for.
NETWORK_OPTIONS = (
    'method',
    'config',
    'checkpoint',
    'device',
    'save_offsets',
    'min_confidence',
    *BPR_OPTIONS,
)


def whole_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'expected 1 or more, got {number}')
    return number


def share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'expected 0 to 1, got {number}')
    return number


def ignored_label(text: str) -> int | str | None:
    return {'none': None, 'auto': 'auto'}[text] if text in ('none', 'auto') else int(text)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Refine the boundaries of masks that any model predicted',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('images', help='folder (with subfolders), file or quoted pattern of images')
    parser.add_argument(
        'masks',
        help='folder of label maps named as the images, one label map, COCO results (.json), or a '
        'Cityscapes result folder',
    )
    parser.add_argument('out', help='folder for the refined ones; a file where MASKS is one')
    parser.add_argument('--overwrite', action='store_true', help='refine again what is there')
    parser.add_argument(
        '--visualize',
        metavar='DIR',
        help='draw before and after into this folder; or into a video, where it ends with .mp4',
    )
    parser.add_argument('--fps', type=float, help='images a second of the video (default 25)')

    group = parser.add_argument_group('the refiner')
    kind = group.add_mutually_exclusive_group()
    kind.add_argument('--method', help='segfix (default) or bpr')
    kind.add_argument('--config', help='config with refiner = dict(...), or of its network')
    group.add_argument('--checkpoint', help='weights; default: those that come with the method')
    group.add_argument('--device', help='for example cpu or cuda:1; default: a GPU if there is one')
    group = parser.add_argument_group('segfix')
    group.add_argument('--scale', type=whole_number, help='how far labels are fetched (default 2)')
    group.add_argument('--steps', type=whole_number, help='most steps along the field (default 1)')
    group.add_argument(
        '--min-confidence',
        type=share,
        help='how sure changes must be, below 1; 0: the most probable direction decides, as '
        'published (default: that of the weights)',
    )
    offsets = group.add_mutually_exclusive_group()
    offsets.add_argument(
        '--save-offsets',
        metavar='DIR',
        help='keep the offset fields, as .npz, and refine with them, as with --min-confidence 0',
    )
    offsets.add_argument(
        '--offsets', metavar='DIR', help='use offset fields: our .npz or the released .mat'
    )

    group = parser.add_argument_group('bpr')
    group.add_argument(
        '--iou-threshold', type=share, help='NMS of patches: higher takes more (default 0.25)'
    )
    group.add_argument(
        '--min-score-gain',
        type=share,
        help='how sure changes must be, 0 to 1 (default: that of the weights)',
    )
    group.add_argument('--batch-size', type=whole_number, help='patches at a time (default 32)')

    group = parser.add_argument_group('label maps')
    group.add_argument('--image-suffix', help='end of image names, e.g. _leftImg8bit')
    group.add_argument('--mask-suffix', help='end of label map names, e.g. _gtFine_labelIds')
    group.add_argument(
        '--ignore-index',
        type=ignored_label,
        default='auto',
        help='label that is left alone, or none (default: 255 in 8-bit maps, none in others)',
    )
    group.add_argument(
        '--label-ids',
        choices=['plain', 'cityscapes'],
        help='cityscapes: label or instance ids, whose void classes are left alone',
    )
    group.add_argument('--num-classes', type=whole_number, help='refuse labels from this number on')

    group = parser.add_argument_group('COCO results')
    group.add_argument(
        '--annotations',
        help='COCO annotations that name the image of each id; not needed where ids are the file '
        'names or the numbers in them',
    )

    group = parser.add_argument_group('several processes')
    group.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    group.add_argument('--local_rank', '--local-rank', type=int, default=0)
    return parser


def kind_of(masks: str) -> str:
    """What there is to refine: a key of ``OPTIONS_OF_OTHERS``."""
    if Path(masks).suffix == '.json':
        return 'COCO results'
    return 'Cityscapes results' if is_cityscapes_folder(masks) else 'label maps'


def check_together(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse options that would have no effect."""
    without_effect = {args.kind: OPTIONS_OF_OTHERS[args.kind]}
    if args.offsets:
        without_effect['--offsets'] = NETWORK_OPTIONS
    if args.save_offsets:
        without_effect['--save-offsets'] = ('min_confidence',)
    for reason, names in without_effect.items():
        for name in names:
            if getattr(args, name) not in (None, 'auto'):
                parser.error(f'--{name.replace("_", "-")}: has no effect with {reason}')
    video = args.visualize and Path(args.visualize).suffix.lower() == '.mp4'
    if args.fps is not None and not video:
        parser.error('--fps: has no effect without --visualize VIDEO.mp4')
    if video and args.launcher != 'none':
        parser.error('--visualize: a video is made by one process; give a folder, or no --launcher')


def drawing_source(args: argparse.Namespace, source: Source) -> DrawingSource:
    """What refines with ``source`` and draws."""
    where = Path(args.visualize).resolve()
    for name in ('images', 'masks', 'out'):
        folder = Path(getattr(args, name)).resolve()
        if where == folder or (where.suffix != '.mp4' and folder in where.parents):
            raise ValueError(f'--visualize: expected a place outside of {name.upper()}, {folder}')
    return DrawingSource(source, where, args.fps or 25)


def make_source(args: argparse.Namespace) -> tuple[Source, Any]:
    """What refines, and the label it ignores if it says so."""
    given = {name: getattr(args, name) for name in REFINER_OPTIONS}
    options = {name: value for name, value in given.items() if value is not None}
    if args.offsets:
        return OffsetFolderSource(args.offsets, **options), 255
    method = args.config or args.method or 'segfix'
    refiner = build_refiner(method, args.checkpoint, args.device, **options)
    return RefinerSource(refiner, args.save_offsets), getattr(refiner, 'ignore_index', 255)


def settings_text(args: argparse.Namespace) -> str:
    """What decides how masks are refined: with other settings, nothing half done is reused."""
    names = ('method', 'config', 'checkpoint', 'offsets', *REFINER_OPTIONS)
    settings = {name: getattr(args, name) for name in names}
    if args.checkpoint:
        settings['written'] = Path(args.checkpoint).stat().st_mtime_ns
    return json.dumps(settings)


def run_with_bar(tasks: Sequence[Task], overwrite: bool, shown: bool) -> Report:
    console = Console(stderr=True)
    with Progress(
        TextColumn('refining'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    ) as progress:
        bar = progress.add_task('', total=len(tasks))
        return run_tasks(tasks, overwrite, lambda: progress.advance(bar))


def make_label_map_tasks(
    args: argparse.Namespace, source: Source, refiner_ignores: Any
) -> tuple[Sequence[Task], list[str]]:
    """Label maps to refine, and a line for each that is missing."""
    ignore_index = args.ignore_index
    if ignore_index == 'auto' and refiner_ignores != 255:
        ignore_index = refiner_ignores
    rules = LabelRules(ignore_index, args.label_ids or 'plain', args.num_classes)
    suffixes = (args.image_suffix or '', args.mask_suffix or '')
    return label_map_tasks(args.images, args.masks, args.out, source, rules, *suffixes)


def run(args: argparse.Namespace) -> int:
    rank, processes = start_processes(args.launcher)
    if args.kind == 'COCO results' and is_finished(args.out) and not args.overwrite:
        if rank == 0:
            print(f'{args.out} is there already; --overwrite refines it again')
        return 0
    source, refiner_ignores = make_source(args)
    drawing = drawing_source(args, source) if args.visualize else None
    source = drawing or source
    inputs = args.images, args.masks
    result_file = None
    tasks: Sequence[Task]
    missing: list[str] = []
    if args.kind == 'COCO results':
        result_file = ResultFile(*inputs, args.annotations, args.out, source, settings_text(args))
        tasks, missing = result_file.tasks, result_file.missing
    elif args.kind == 'Cityscapes results':
        tasks = cityscapes_tasks(*inputs, args.out, source)
    else:
        tasks, missing = make_label_map_tasks(args, source, refiner_ignores)
    if rank == 0:
        print(f'{len(tasks)} images to refine', flush=True)
    report = run_with_bar(tasks[rank::processes], args.overwrite, shown=rank == 0)
    if drawing:
        report.failed += drawing.finish()
    if report.stopped != 'interrupted':
        report = merge_reports(all_gather_object(report))
    if rank != 0:
        return 0
    report.failed += missing
    if result_file is not None and not report.stopped:
        report = merge_reports([report, result_file.finish()])
    return finish(args, report)


def finish(args: argparse.Namespace, report: Report) -> int:
    """Say what was done; the exit status."""
    for line in report.failed:
        print(f'failed: {line}', file=sys.stderr)
    for line in report.notes:
        print(f'note: {line}', file=sys.stderr)
    of_instances = args.kind != 'label maps'
    print(summary(report, 'mask area' if of_instances else 'pixels'))
    if report.stopped:
        print(f'stopped: {report.stopped}; the same command goes on from there', file=sys.stderr)
    elif report.ok:
        print(f'written to {args.out}')
    elif of_instances:
        print(f'written to {args.out}; masks that failed are as they were', file=sys.stderr)
    if report.stopped == 'interrupted':
        return 130
    return 0 if report.ok else 1


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    args.kind = kind_of(args.masks)
    check_together(parser, args)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    silence_opencv()
    warnings.filterwarnings('ignore', 'When align_corners=True')
    try:
        status = run(args)
        leave_processes()
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f'refine.py: error: {error}', file=sys.stderr)
        status = 1
    sys.exit(status)


if __name__ == '__main__':
    main()
