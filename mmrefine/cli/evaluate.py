"""``mmrefine evaluate``: measure the boundaries of predictions, one beside the other."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.find import check_exists
from ..files.kinds import holds_instances
from .evaluate_options import (
    add_coco,
    add_label_maps,
    add_predictions,
    add_report,
    add_video,
    check_together,
    named_predictions,
)
from .lines import check_kind, plain

if TYPE_CHECKING:
    from ..reports.classes import ClassList
    from ..reports.evaluation import Evaluation
    from ..reports.gallery import Photographs
    from .progress import ProgressBars

DESCRIPTION = 'Measure the boundaries of predictions, one beside the other'
EPILOG = """
Where KIND is left out, files and folders of instances are coco, all else is label-maps. Where
classes have no names, they are numbered.

examples:
  mmrefine evaluate label-maps predictions ann_dir/val --dataset cityscapes
  mmrefine evaluate label-maps --before predictions --after refined ann_dir/val \\
      --dataset ade20k --reduce-zero-label --images img_dir/val
  mmrefine evaluate label-maps --before predictions --prediction segfix=refined \\
      --prediction bpr=refined2 ann_dir/val --classes classes.json
  mmrefine evaluate label-maps --before predictions --after refined labels
  mmrefine evaluate label-maps --before results --after refined gtFine/val \\
      --dataset cityscapes --gt-suffix _gtFine_labelTrainIds --prediction-suffix _leftImg8bit
  mmrefine evaluate video --before predictions --after refined frames --dataset camvid
  mmrefine evaluate coco --before results.segm.json --after refined.segm.json instances_val.json

Gains are over the first prediction: --before if it is given, else PRED. report.json, report.csv
and report.html in the folder --out are replaced. The exit status is 1 if anything failed.
"""
TIGHT_BANDS = {'cityscapes': 0.005}
# Boundary IoU's own, as a share of the diagonal.
DILATION_RATIO = 0.02


def with_kind(words: list[str]) -> list[str]:
    """Put the kind of predictions first if it is left out."""
    if not words or words[0] in (*KINDS, '-h', '--help'):
        return words
    if '--video' in words:
        return ['video', *(word for word in words if word != '--video')]
    check_kind(words[0], KINDS)
    classes = any(word.startswith('--classes') for word in words)  # they are in a .json, too
    other = ('--out', '--images', '--classes')
    places = [
        word for before, word in zip(['', *words], words, strict=False) if before not in other
    ]
    instances = any(map(holds_instances, places))
    return ['coco' if instances and not classes else 'label-maps', *words]


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add a subcommand for each kind of predictions."""
    prog, places = parser.prog, '[PRED] GT [options]'
    parser.usage = f'{prog} [KIND] {places}'
    kinds = parser.add_subparsers(
        title='kinds of predictions, each with its options: KIND --help',
        metavar='KIND',
        required=True,
        prog=prog,
    )
    for name, (text, add, evaluate) in KINDS.items():
        part = kinds.add_parser(
            name,
            help=text,
            description=text,
            usage=f'{prog} {name} {places}',
            allow_abbrev=False,
        )
        part.set_defaults(evaluate=evaluate, parser=part)
        add_predictions(part)
        add(part)
        add_report(part)


def _evaluate_label_maps(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: 'ProgressBars'
) -> 'tuple[Evaluation, Photographs]':
    """Measure folders of label maps."""
    from ..reports import label_maps
    from ..reports.gallery import Photographs
    from ..reports.label_map_rules import LabelMapRules

    ratio = args.dilation_ratio
    if ratio is None:
        ratio = TIGHT_BANDS.get(args.dataset, DILATION_RATIO)
    classes, ignore_index = _classes(args, predictions, workers)
    rules = LabelMapRules(
        classes,
        tuple(args.tolerances),
        ratio,
        args.average,
        ignore_index,
        args.reduce_zero_label,
        args.void_boundary,
    )
    truth = args.paths[-1]
    suffixes = args.prediction_suffix, args.gt_suffix
    images = label_maps.compared_label_maps(predictions, truth, rules, *suffixes)
    photographs = Photographs(args.images, [i.image_name for i in images], args.image_suffix)
    step = bars.start('images', len(images))
    evaluation = label_maps.evaluate_label_maps(predictions, truth, rules, images, workers, step)
    return evaluation, photographs


def _classes(
    args: argparse.Namespace, predictions: dict[str, str], workers: int
) -> 'tuple[ClassList, int | None]':
    """The classes that are named, else those that the files have; the label that is ignored."""
    from ..files.find import find_files
    from ..files.label_maps import LABEL_SUFFIXES
    from ..reports.classes import dataset_classes, read_classes
    from ..reports.numbered_classes import count_classes

    if args.dataset:
        return dataset_classes(args.dataset), args.ignore_index
    if args.classes:
        return read_classes(args.classes), args.ignore_index
    judged = [
        file.path
        for folder in predictions.values()
        for file in find_files(folder, LABEL_SUFFIXES, args.prediction_suffix)
    ]
    truth, reduce = [], getattr(args, 'reduce_zero_label', None)
    if hasattr(args, 'gt_suffix'):  # videos are judged without
        truth = [file.path for file in find_files(args.paths[-1], LABEL_SUFFIXES, args.gt_suffix)]
    reduced = {None: (), 'both': ('truth', 'predictions'), 'ground-truth': ('truth',)}[reduce]
    counted = count_classes(truth, judged, args.ignore_index, reduced, workers)
    print(counted.remark)
    return counted.classes, counted.ignore_index


def _evaluate_coco(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: 'ProgressBars'
) -> 'tuple[Evaluation, Photographs]':
    """Measure COCO result files."""
    from ..files.coco_annotations import name_for_people
    from ..reports.gallery import Photographs
    from ..reports.instances import InstanceRules, evaluate_results
    from ..reports.truth import read_truth

    ratio = DILATION_RATIO if args.dilation_ratio is None else args.dilation_ratio
    rules = InstanceRules(tuple(args.tolerances), ratio)
    truth = read_truth(args.paths[-1], predictions.values(), args.images)
    names = [name_for_people(image) for image in truth.content['images']]
    photographs = Photographs(args.images, names, args.image_suffix)
    stages = iter(('result files', 'images'))
    evaluation = evaluate_results(
        predictions,
        args.paths[-1],
        rules,
        workers,
        lambda steps: bars.start(next(stages), steps),
        truth,
    )
    return evaluation, photographs


def _run_video(args: argparse.Namespace) -> int:
    """Measure consistency over time and write its report; the exit status."""
    check_together(args)
    from ..ops.frame_names import LAST_NUMBER
    from ..reports.video_report import FIGURES, write_video_report
    from ..reports.videos import Videos
    from .progress import ProgressBars

    predictions = named_predictions(args)
    check_exists(*predictions.values(), args.paths[-1])
    classes, ignore_index = _classes(args, predictions, 1)
    suffixes = args.image_suffix, args.prediction_suffix
    videos = Videos(
        args.paths[-1],
        predictions,
        len(classes.names),
        ignore_index,
        args.pattern or LAST_NUMBER,
        *suffixes,
    )
    with ProgressBars() as bars:
        scores = videos.score(args.pictures, bars.start('frames', len(videos.frames)))
        paths = write_video_report(args.out, scores, videos.frames, classes)
    if videos.gaps:
        print(
            f'note: pairs of frames around missing ones, left out: {videos.gaps}', file=sys.stderr
        )
    for name, found in scores.items():
        figures = found.figures()
        for key, title in FIGURES.items():
            print(f'{name}: {title} {figures[key]:.2f}')
    print(f'written to {", ".join(map(str, paths))}')
    return 0


KINDS = {
    'label-maps': (
        'folders of label maps: 8-bit, 16-bit or palette PNG, or .npy',
        add_label_maps,
        _evaluate_label_maps,
    ),
    'coco': (
        'instances: COCO results against COCO annotations, and any other file or folder of '
        'instances that is refined',
        add_coco,
        _evaluate_coco,
    ),
    'video': (
        'consistency over time of label maps of the frames of videos; GT is the folder of frames',
        add_video,
        _run_video,
    ),
}


def print_table(evaluation: 'Evaluation') -> None:
    """Print predictions side by side, with their gains."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    names = list(evaluation.predictions)
    table = Table('', title=f'{evaluation.subject}, per cent')
    for index, name in enumerate(names):
        table.add_column(escape(plain(name)), justify='right')
        if index:
            table.add_column('gain', justify='right')
    for measure in evaluation.measures:
        cells = []
        for index, (value, gain) in enumerate(zip(measure.values, measure.gains, strict=True)):
            cells.append(f'{value:.2f}'.replace('nan', '–'))
            if index:
                colour = 'red' if gain < 0 else 'blue'
                cells.append(f'[{colour}]{gain:+.2f}[/]'.replace('+nan', '–'))
        table.add_row(measure.label, *cells)
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(80, 32 + 24 * len(names)))
    console.print(table)


def run(args: argparse.Namespace) -> int:
    """Measure and write the report; the exit status."""
    if args.evaluate is _run_video:
        return _run_video(args)
    check_together(args)
    predictions = named_predictions(args)
    check_exists(*predictions.values(), args.paths[-1], *filter(None, [args.images]))
    from ..reports.gallery import galleries, pictures_of_all
    from ..reports.report import write_report
    from ..runs.opencv_log import silence_opencv
    from ..runs.pool import default_workers
    from .progress import ProgressBars

    silence_opencv()  # broken photographs are reported below, once
    if Path(args.out).exists() and not Path(args.out).is_dir():
        raise ValueError(f'{args.out}: expected a folder for the report, it is a file')
    with ProgressBars() as bars:
        workers = args.workers or default_workers()
        evaluation, photographs = args.evaluate(args, predictions, workers, bars)
        best, of_all, failure = [], {}, None
        try:
            if args.pictures:
                step = bars.start('pictures', len(evaluation.scores))
                best = galleries(evaluation, photographs, args.pictures)
                of_all = pictures_of_all(evaluation, photographs, workers, progress=step)
        except ValueError as error:  # no reason to lose the figures
            failure = ValueError(f'{error}; the report has no pictures')
        paths = write_report(args.out, evaluation, best, of_all)
    print_table(evaluation)
    for remark in evaluation.remarks:
        print(plain(remark))
    print(f'written to {", ".join(map(str, paths))}')
    if failure:
        raise failure
    return 0
