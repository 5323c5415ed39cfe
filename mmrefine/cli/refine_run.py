"""What ``mmrefine refine`` does once its arguments are read."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.dist import all_gather_object

from ..apis import build_refiner
from ..batch.drawing import DrawingSource
from ..batch.label_maps import VideoLabelMaps
from ..batch.source import OffsetFolderSource, RefinerSource, Source
from ..batch.steady import SteadySource
from ..batch.summary import Report, merge_reports, summary
from ..batch.tasks import Task, run_tasks
from ..files.label_ids import LabelRules
from ..files.made_with import MadeWith
from ..ops.frame_names import LAST_NUMBER
from ..refiners.loaders import image_loader
from ..refiners.names import refiner_class
from .lines import plain
from .methods import (
    offset_folder,
    refiner_config,
    refiner_options,
    settings_made_with,
)
from .progress import ProgressBars


def refine_share(args: argparse.Namespace, rank: int, processes: int) -> int:
    """Refine what is this process's share; the exit status."""
    config = None if offset_folder(args, 'offsets') else refiner_config(args)
    rules = label_rules(args, config)
    work = args.kind.open(args, rules)
    made_with = None
    if not Path(args.masks).is_file():
        made_with = MadeWith(args.out, settings_made_with(args))
        if not args.overwrite:
            made_with.check()
    if work.is_finished() and not args.overwrite:
        if rank == 0:
            print(
                f'{args.out} is there already; --overwrite refines it again, with other options too'
            )
        return 0
    steady = getattr(args, 'steady', None)
    source = make_source(args, config)
    if steady:
        source = make_steady(args, source, work, steady)
    drawing = make_drawing(args, source, rules, work.fps) if args.visualize else None
    if rank == 0 and made_with:
        made_with.begin(args.overwrite)
    tasks = work.tasks
    # Frames that listen to each other stay together.
    share = slice(rank * len(tasks) // processes, (rank + 1) * len(tasks) // processes)
    share = share if steady else slice(rank, None, processes)
    if rank == 0:
        for line in work.remarks:
            print(line)
        print(f'{len(tasks)} {"image" if len(tasks) == 1 else "images"} to refine', flush=True)
    report = run_with_bar(tasks[share], source, drawing, args.overwrite, rank == 0)
    if report.stopped != 'interrupted':
        report = _with_others(report)
    if rank != 0:
        return 0
    report.failed += work.missing
    if not report.stopped:
        report = merge_reports([report, work.finish()])
        if made_with and report.written:
            made_with.end(args.overwrite)
        elif made_with:
            made_with.withdraw()
    return tell(args, report, work.of_instances)


def _with_others(report: Report) -> Report:
    """The reports of all processes together."""
    try:
        return merge_reports(all_gather_object(report))
    except RuntimeError:  # gloo's, where another one is gone
        return replace(report, stopped='another process of the run ended')


def label_rules(args: argparse.Namespace, config: dict[str, Any] | None) -> LabelRules:
    """What the labels of label maps mean; instances have none."""
    if not hasattr(args, 'ignore_index'):
        return LabelRules()
    ignore_index = args.ignore_index
    if ignore_index == 'auto' and config:
        ignore_index = config.get('ignore_index', 'auto')
    return LabelRules(ignore_index, args.label_ids, args.num_classes)


def make_source(args: argparse.Namespace, config: dict[str, Any] | None) -> Source:
    """What refines: the refiner of a config; without one, offset fields from files."""
    options = refiner_options(args)
    if config is None:
        return OffsetFolderSource(args.offsets, **options)
    save_offsets, method = offset_folder(args, 'save_offsets'), refiner_class(config).method
    if save_offsets and method and method.follows_offsets:
        options |= method.follows_offsets
    refiner = build_refiner(config, args.checkpoint, args.device, **options)
    load = image_loader(args.loader, args.bands, refiner.by_windows)
    return RefinerSource(refiner, save_offsets, load)


def make_steady(args: argparse.Namespace, source: Source, work: Any, reach: int) -> Source:
    """What refines frames with their neighbours in mind, by the refiner of ``source``."""
    if not isinstance(source, RefinerSource) or source.save_offsets is not None:
        raise ValueError('--steady: averages probabilities, which offset fields do not hold')
    one_video = isinstance(work, VideoLabelMaps)
    pattern = getattr(args, 'pattern', None) or LAST_NUMBER
    load = image_loader(args.loader, args.bands)
    return SteadySource(source.refiner, work.tasks, reach, one_video, pattern, load)


def make_drawing(
    args: argparse.Namespace, source: Source, rules: LabelRules, fps: float | None
) -> DrawingSource:
    """What refines with ``source`` and draws; ``fps`` of the video that is refined."""
    truth = args.kind.open_truth(args, rules) if args.ground_truth else None
    given = fps if args.fps is None else args.fps
    given = 25 if given is None else given
    load = image_loader(args.loader, args.bands)
    return DrawingSource(source, args.visualize, given, truth, load)


def run_with_bar(
    tasks: Sequence[Task],
    source: Source,
    drawing: DrawingSource | None,
    overwrite: bool,
    shown: bool,
) -> Report:
    """Refine, with a progress bar and pictures; the outcome."""
    with ProgressBars(shown) as bars:
        step = bars.start('refining', len(tasks))
        if drawing is None:
            return run_tasks(tasks, source, overwrite, step)
        with drawing:
            report = run_tasks(tasks, drawing, overwrite, step)
    report.failed += drawing.failed
    return report


def tell(args: argparse.Namespace, report: Report, of_instances: bool) -> int:
    """Say what was done; the exit status."""
    for line in report.failed:
        print(f'failed: {plain(line)}', file=sys.stderr)
    for line in report.notes:
        print(f'note: {plain(line)}', file=sys.stderr)
    print(summary(report, 'mask area' if of_instances else 'pixels'))
    if report.stopped:
        print(f'stopped: {report.stopped}; the same command goes on from there', file=sys.stderr)
    elif report.ok and report.skipped and not report.refined:
        print(f'{args.out} has all of them; --overwrite refines them again, with other options too')
    elif report.ok:
        pictures = f', pictures to {args.visualize}' if args.visualize else ''
        print(f'written to {args.out}{pictures}')
    elif not report.written:
        print(f'nothing could be refined: {args.out} is not written', file=sys.stderr)
    elif of_instances:
        print(f'written to {args.out}; masks that failed are as they were', file=sys.stderr)
    elif report.refined:
        print(f'those that did not fail are written to {args.out}')
    if report.stopped == 'interrupted':
        return 130
    return 0 if report.ok else 1
