"""Measure the boundaries of predictions: ``python tools/evaluate.py PRED GT``."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mmrefine.files.coco_annotations import read_annotations
from mmrefine.reports.classes import ClassList, dataset_classes, read_classes
from mmrefine.reports.evaluation import Evaluation
from mmrefine.reports.gallery import Photographs, galleries
from mmrefine.reports.instances import InstanceRules, evaluate_results
from mmrefine.reports.label_maps import LabelMapRules, evaluate_label_maps, label_map_tasks
from mmrefine.reports.report import write_report
from mmrefine.reports.scores import default_workers
from mmrefine.runs.opencv_log import silence_opencv

EPILOG = """
examples:
  evaluate.py predictions ann_dir/val --dataset cityscapes
  evaluate.py --before predictions --after refined ann_dir/val --dataset ade20k \\
      --reduce-zero-label --images img_dir/val
  evaluate.py --before predictions --prediction segfix=refined --prediction bpr=refined2 \\
      ann_dir/val --classes classes.json
  evaluate.py --before results --after refined gtFine/val --dataset cityscapes \\
      --gt-suffix _gtFine_labelTrainIds --prediction-suffix _leftImg8bit
  evaluate.py --before results.segm.json --after refined.segm.json instances_val.json

Gains are over the first prediction: --before if it is given, else PRED. Label maps are 8-bit,
16-bit or palette PNG, or .npy. report.json, report.csv and report.html in the folder --out are
replaced. The exit status is 1 if anything failed.
"""
# What has no effect in the other mode, and its default.
LABEL_MAP_OPTIONS = {
    'dataset': None,
    'classes': None,
    'average': None,
    'ignore_index': None,
    'reduce_zero_label': None,
    'void_boundary': False,
    'prediction_suffix': None,
    'gt_suffix': None,
}
TIGHT_BANDS = {'cityscapes': 0.005}


def whole_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'expected 1 or more, got {number}')
    return number


def named_path(text: str) -> tuple[str, str]:
    name, _, path = text.partition('=')
    if not name or not path:
        raise argparse.ArgumentTypeError(f'expected NAME=PATH, got {text!r}')
    return name, path


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Measure the boundaries of predictions, one beside the other',
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'paths',
        nargs='+',
        metavar='[PRED] GT',
        help='folders of label maps, or COCO results and annotations; GT alone where predictions '
        'are named below',
    )
    group = parser.add_argument_group('predictions')
    group.add_argument('--before', metavar='PATH', help='the same as --prediction before=PATH')
    group.add_argument('--after', metavar='PATH', help='the same as --prediction after=PATH')
    group.add_argument(
        '--prediction',
        metavar='NAME=PATH',
        type=named_path,
        action='append',
        default=[],
        help='another prediction; any number of them',
    )
    _add_measuring(parser)
    group = parser.add_argument_group('the report')
    group.add_argument('--out', default='report', metavar='DIR', help='default: report')
    group.add_argument('--images', metavar='DIR', help='photographs for the pictures')
    group.add_argument('--image-suffix', default='', help='end of their names: _leftImg8bit')
    group.add_argument(
        '--pictures', type=int, default=3, metavar='N', help='most under each heading (default 3)'
    )
    parser.add_argument(
        '--workers', type=whole_number, help='processes; default: the cores, at most 4'
    )
    return parser


def _add_measuring(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('measuring')
    group.add_argument(
        '--tolerances',
        type=float,
        nargs='+',
        metavar='T',
        help='of F-scores: pixels, or shares of the diagonal if below 1 (default: 1 2 3; COCO: 1)',
    )
    group.add_argument(
        '--dilation-ratio',
        type=float,
        help='of boundary IoU and AP (default 0.02; 0.005 for --dataset cityscapes)',
    )
    group = parser.add_argument_group('label maps')
    kind = group.add_mutually_exclusive_group()
    kind.add_argument('--dataset', help='cityscapes, ade20k, camvid, ...: names known to mmseg')
    kind.add_argument('--classes', metavar='JSON', help='list of names, or {classes, palette}')
    group.add_argument(
        '--average',
        choices=['image', 'present', 'dataset'],
        help='of F-scores: over all images (default, as published), over those that have the '
        'class, or of all pixels together',
    )
    group.add_argument('--ignore-index', type=int, help='label not judged (default 255)')
    group.add_argument(
        '--reduce-zero-label',
        nargs='?',
        const='both',
        choices=['both', 'ground-truth'],
        help='0 is ignored and 1 the first class: in all files, as mmseg writes them, or in the '
        'ground truth only',
    )
    group.add_argument(
        '--void-boundary',
        action='store_true',
        help='the border to ignored pixels is a boundary, as in PASCAL VOC',
    )
    group.add_argument('--prediction-suffix', help='end of the names, e.g. _leftImg8bit')
    group.add_argument('--gt-suffix', help='the same, e.g. _gtFine_labelTrainIds')


def named_predictions(args: argparse.Namespace) -> dict[str, str]:
    """Predictions by name, in order; the first is what others are compared with."""
    *unnamed, _ = args.paths
    found = [('before', args.before)] if args.before else []
    if unnamed and unnamed[0] not in (args.before, args.after):
        alone = args.before or not (args.after or args.prediction)
        found.append(('prediction' if alone else 'before', unnamed[0]))
    found += args.prediction
    if args.after:
        found.append(('after', args.after))
    names = [name for name, _ in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'predictions: every name once, got more of {", ".join(twice)}')
    return dict(found)


def check_together(parser: argparse.ArgumentParser, args: argparse.Namespace) -> bool:
    """Refuse options that do not go together; whether it is about COCO results."""
    if len(args.paths) > 2:
        parser.error(f'expected PRED and GT, or GT alone, got {" ".join(args.paths)}')
    named = args.before or args.after or args.prediction
    if len(args.paths) == 1 and not named:
        parser.error('expected PRED and GT; or GT, and predictions by --before, --after ...')
    instances = Path(args.paths[-1]).suffix == '.json'
    if instances:
        for name, default in LABEL_MAP_OPTIONS.items():
            if getattr(args, name) != default:
                parser.error(f'--{name.replace("_", "-")}: has no effect with COCO results')
    elif not (args.dataset or args.classes):
        parser.error('label maps need --dataset or --classes, which name the classes')
    if args.image_suffix and not args.images:
        parser.error('--image-suffix: has no effect without --images')
    if args.pictures < 0:
        parser.error(f'--pictures: expected 0 or more, got {args.pictures}')
    return instances


class Bars:
    """Progress on the terminal, where there is one."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def start(self, what: str, steps: int) -> Callable[[], None]:
        """Show another bar; what is returned is called after each step."""
        task = self.progress.add_task(what, total=steps)
        return lambda: self.progress.advance(task)


def evaluate_maps(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: Bars
) -> tuple[Evaluation, Photographs]:
    classes: ClassList = (
        dataset_classes(args.dataset) if args.dataset else read_classes(args.classes)
    )
    rules = LabelMapRules(
        classes,
        tuple(args.tolerances or (1, 2, 3)),
        args.dilation_ratio or TIGHT_BANDS.get(args.dataset, 0.02),
        args.average or 'image',
        255 if args.ignore_index is None else args.ignore_index,
        args.reduce_zero_label,
        args.void_boundary,
    )
    truth = args.paths[-1]
    suffixes = (args.prediction_suffix or '', args.gt_suffix or '')
    tasks = label_map_tasks(predictions, truth, rules, *suffixes)
    photographs = Photographs(args.images, [t.image_name for t in tasks], args.image_suffix)
    step = bars.start('images', len(tasks))
    return evaluate_label_maps(predictions, truth, rules, tasks, workers, step), photographs


def evaluate_instances(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: Bars
) -> tuple[Evaluation, Photographs]:
    rules = InstanceRules(tuple(args.tolerances or (1,)), args.dilation_ratio or 0.02)
    truth = args.paths[-1]
    names = [str(i.get('file_name', i['id'])) for i in read_annotations(truth)['images']]
    photographs = Photographs(args.images, names, args.image_suffix)
    stages = iter(('result files', 'images'))
    evaluation = evaluate_results(
        predictions, truth, rules, workers, lambda steps: bars.start(next(stages), steps)
    )
    return evaluation, photographs


def print_table(evaluation: Evaluation) -> None:
    names = list(evaluation.predictions)
    table = Table('', title=f'{evaluation.subject}, per cent')
    for index, name in enumerate(names):
        table.add_column(escape(name), justify='right')
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


def run(args: argparse.Namespace, instances: bool) -> None:
    predictions = named_predictions(args)
    if Path(args.out).exists() and not Path(args.out).is_dir():
        raise ValueError(f'{args.out}: expected a folder for the report, it is a file')
    bars = Bars()
    workers = args.workers or default_workers()
    with bars.progress:
        evaluate = evaluate_instances if instances else evaluate_maps
        evaluation, photographs = evaluate(args, predictions, workers, bars)
        pictures, failure = [], None
        try:
            pictures = galleries(evaluation, photographs, args.pictures) if args.pictures else []
        except ValueError as error:  # no reason to lose the figures
            failure = ValueError(f'{error}; the report has no pictures')
        paths = write_report(args.out, evaluation, pictures)
    print_table(evaluation)
    for remark in evaluation.remarks:
        print(remark)
    print(f'written to {", ".join(map(str, paths))}')
    if failure:
        raise failure


def main() -> None:
    parser = build_parser()
    args = parser.parse_args()
    instances = check_together(parser, args)
    silence_opencv()  # broken photographs are reported below, once
    status = 0
    try:
        run(args, instances)
    except KeyboardInterrupt:
        print('evaluate.py: interrupted, nothing was written', file=sys.stderr)
        status = 130
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f'evaluate.py: error: {error}', file=sys.stderr)
        status = 1
    sys.exit(status)


if __name__ == '__main__':
    main()
