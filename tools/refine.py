"""Refine the masks of any model: ``python tools/refine.py IMAGES MASKS OUT``."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmrefine.apis import build_refiner
from mmrefine.batch.cityscapes import cityscapes_tasks
from mmrefine.batch.coco_results import ResultFile, is_finished
from mmrefine.batch.drawing import DrawingSource
from mmrefine.batch.label_maps import label_map_tasks
from mmrefine.batch.options import REFINER_OPTIONS, check_places, read_options
from mmrefine.batch.source import OffsetFolderSource, RefinerSource, Source
from mmrefine.batch.summary import Report, merge_reports, summary
from mmrefine.batch.tasks import Task, run_tasks
from mmrefine.batch.truth import GroundTruth, TrueAnnotations, TrueLabelMaps
from mmrefine.files.label_ids import LabelRules
from mmrefine.files.video_frames import is_video, unpack_frames
from mmrefine.runs.opencv_log import silence_opencv
from mmrefine.runs.processes import leave_processes, start_processes


def drawing_source(args: argparse.Namespace, source: Source, rules: LabelRules) -> DrawingSource:
    """What refines with ``source`` and draws."""
    check_places(args)
    truth: GroundTruth | None = None
    if args.ground_truth:
        if args.kind == 'label maps':
            truth = TrueLabelMaps(args.ground_truth, rules, args.gt_suffix or '')
        else:
            truth = TrueAnnotations(args.ground_truth)
    return DrawingSource(source, args.visualize, args.fps or 25, truth)


def make_source(args: argparse.Namespace) -> tuple[Source, Any]:
    """What refines, and the label it ignores if it says so."""
    given = {name: getattr(args, name) for name in REFINER_OPTIONS}
    options = {name: value for name, value in given.items() if value is not None}
    if args.offsets:
        return OffsetFolderSource(args.offsets, **options), 255
    method = args.config or args.method or 'segfix'
    refiner = build_refiner(method, args.checkpoint, args.device, **options)
    if args.save_offsets and getattr(refiner, 'min_confidence', 0):
        options['min_confidence'] = 0
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


def label_rules(args: argparse.Namespace, refiner_ignores: Any) -> LabelRules:
    """What the labels of label maps mean."""
    ignore_index = args.ignore_index
    if ignore_index == 'auto' and refiner_ignores != 255:
        ignore_index = refiner_ignores
    return LabelRules(ignore_index, args.label_ids or 'plain', args.num_classes)


def run(args: argparse.Namespace) -> int:
    if not is_video(args.images):
        return refine(args, args.images)
    with tempfile.TemporaryDirectory() as folder:
        fps = unpack_frames(args.images, args.masks, folder, args.mask_suffix or '')
        args.fps = args.fps or fps
        return refine(args, folder)


def refine(args: argparse.Namespace, images: str) -> int:
    """Refine the masks of the images in a folder; the exit status."""
    rank, processes = start_processes(args.launcher)
    if args.kind == 'COCO results' and is_finished(args.out) and not args.overwrite:
        if rank == 0:
            print(f'{args.out} is there already; --overwrite refines it again')
        return 0
    source, refiner_ignores = make_source(args)
    rules = label_rules(args, refiner_ignores)
    drawing = drawing_source(args, source, rules) if args.visualize else None
    source = drawing or source
    inputs = images, args.masks
    result_file = None
    tasks: Sequence[Task]
    missing: list[str] = []
    if args.kind == 'COCO results':
        result_file = ResultFile(*inputs, args.annotations, args.out, source, settings_text(args))
        tasks, missing = result_file.tasks, result_file.missing
    elif args.kind == 'Cityscapes results':
        tasks = cityscapes_tasks(*inputs, args.out, source)
    else:
        suffixes = (args.image_suffix or '', args.mask_suffix or '')
        tasks, missing = label_map_tasks(*inputs, args.out, source, rules, *suffixes)
    if rank == 0:
        print(f'{len(tasks)} {"image" if len(tasks) == 1 else "images"} to refine', flush=True)
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
        pictures = f', pictures to {args.visualize}' if args.visualize else ''
        print(f'written to {args.out}{pictures}')
    elif of_instances:
        print(f'written to {args.out}; masks that failed are as they were', file=sys.stderr)
    elif report.refined:
        print(f'those that did not fail are written to {args.out}')
    if report.stopped == 'interrupted':
        return 130
    return 0 if report.ok else 1


def main() -> None:
    args = read_options()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    silence_opencv()
    try:
        status = run(args)
        leave_processes()
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f'refine.py: error: {error}', file=sys.stderr)
        status = 1
    sys.exit(status)


if __name__ == '__main__':
    main()
