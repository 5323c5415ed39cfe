"""``mmrefine evaluate``: measure the boundaries of predictions, one beside the other."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..methods import whole_number

if TYPE_CHECKING:
    from ..reports.evaluation import Evaluation
    from ..reports.gallery import Photographs
    from .progress import ProgressBars

DESCRIPTION = 'Measure the boundaries of predictions, one beside the other'
EPILOG = """
Where KIND is left out, .json files are coco, all else is label-maps.

examples:
  mmrefine evaluate label-maps predictions ann_dir/val --dataset cityscapes
  mmrefine evaluate label-maps --before predictions --after refined ann_dir/val \\
      --dataset ade20k --reduce-zero-label --images img_dir/val
  mmrefine evaluate label-maps --before predictions --prediction segfix=refined \\
      --prediction bpr=refined2 ann_dir/val --classes classes.json
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
    classes = any(word.startswith('--classes') for word in words)  # they are in a .json, too
    json = any(word.endswith('.json') for word in words)
    return ['coco' if json and not classes else 'label-maps', *words]


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add a subcommand for each kind of predictions."""
    prog, places = parser.prog, '[PRED] GT [options]'
    parser.usage = f'{prog} [KIND] {places}'
    kinds = parser.add_subparsers(
        title='kinds of predictions', metavar='KIND', required=True, prog=prog
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
        _add_predictions(part)
        add(part)
        _add_report(part)


def _add_predictions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'paths',
        nargs='+',
        metavar='[PRED] GT',
        help='predictions and ground truth; GT alone where predictions are named below',
    )
    group = parser.add_argument_group('predictions')
    group.add_argument('--before', metavar='PATH', help='the same as --prediction before=PATH')
    group.add_argument('--after', metavar='PATH', help='the same as --prediction after=PATH')
    group.add_argument(
        '--prediction',
        metavar='NAME=PATH',
        type=_named_path,
        action='append',
        default=[],
        help='another prediction; any number of them',
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
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


def _add_measuring(
    parser: argparse.ArgumentParser, tolerances: tuple[float, ...], ratio_text: str
) -> None:
    group = parser.add_argument_group('measuring')
    group.add_argument(
        '--tolerances',
        type=float,
        nargs='+',
        default=tolerances,
        metavar='T',
        help='of F-scores: pixels, or shares of the diagonal if below 1 (default: '
        f'{" ".join(map(str, tolerances))})',
    )
    group.add_argument('--dilation-ratio', type=float, help=ratio_text)


def _add_label_maps(parser: argparse.ArgumentParser) -> None:
    _add_measuring(
        parser, (1, 2, 3), 'of boundary IoU (default 0.02; 0.005 for --dataset cityscapes)'
    )
    group = parser.add_argument_group('label maps')
    kind = group.add_mutually_exclusive_group(required=True)
    kind.add_argument('--dataset', help='cityscapes, ade20k, camvid, ...: names known to mmseg')
    kind.add_argument('--classes', metavar='JSON', help='list of names, or {classes, palette}')
    group.add_argument(
        '--average',
        choices=['image', 'present', 'dataset'],
        default='image',
        help='of F-scores: over all images (default, as published), over those that have the '
        'class, or of all pixels together',
    )
    group.add_argument(
        '--ignore-index',
        type=lambda text: None if text == 'none' else int(text),
        default=255,
        help='label not judged, or none, as for binary masks of 0 and 255 (default 255)',
    )
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
    group.add_argument('--prediction-suffix', default='', help='end of the names: _leftImg8bit')
    group.add_argument('--gt-suffix', default='', help='the same, e.g. _gtFine_labelTrainIds')


def _add_coco(parser: argparse.ArgumentParser) -> None:
    _add_measuring(parser, (1,), 'of boundary AP (default 0.02)')


def _named_path(text: str) -> tuple[str, str]:
    name, _, path = text.partition('=')
    if not name or not path:
        raise argparse.ArgumentTypeError(f'expected NAME=PATH, got {text!r}')
    return name, path


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


def check_together(args: argparse.Namespace) -> None:
    """End with a usage error where options do not go together."""
    error = args.parser.error
    if len(args.paths) > 2:
        error(f'expected PRED and GT, or GT alone, got {" ".join(args.paths)}')
    if len(args.paths) == 1 and not (args.before or args.after or args.prediction):
        error('expected PRED and GT; or GT, and predictions by --before, --after ...')
    if args.image_suffix and not args.images:
        error('--image-suffix: has no effect without --images')
    if args.pictures < 0:
        error(f'--pictures: expected 0 or more, got {args.pictures}')


def _evaluate_label_maps(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: 'ProgressBars'
) -> 'tuple[Evaluation, Photographs]':
    """Measure folders of label maps."""
    from ..reports import label_maps
    from ..reports.classes import dataset_classes, read_classes
    from ..reports.gallery import Photographs

    ratio = args.dilation_ratio
    if ratio is None:
        ratio = TIGHT_BANDS.get(args.dataset, DILATION_RATIO)
    rules = label_maps.LabelMapRules(
        dataset_classes(args.dataset) if args.dataset else read_classes(args.classes),
        tuple(args.tolerances),
        ratio,
        args.average,
        args.ignore_index,
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


def _evaluate_coco(
    args: argparse.Namespace, predictions: dict[str, str], workers: int, bars: 'ProgressBars'
) -> 'tuple[Evaluation, Photographs]':
    """Measure COCO result files."""
    from ..files.coco_annotations import name_for_people, read_annotation_file
    from ..reports.gallery import Photographs
    from ..reports.instances import InstanceRules, evaluate_results

    ratio = DILATION_RATIO if args.dilation_ratio is None else args.dilation_ratio
    rules = InstanceRules(tuple(args.tolerances), ratio)
    truth = args.paths[-1]
    names = [name_for_people(image) for image in read_annotation_file(truth)['images']]
    photographs = Photographs(args.images, names, args.image_suffix)
    stages = iter(('result files', 'images'))
    evaluation = evaluate_results(
        predictions, truth, rules, workers, lambda steps: bars.start(next(stages), steps)
    )
    return evaluation, photographs


def _add_video(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('videos')
    kind = group.add_mutually_exclusive_group(required=True)
    kind.add_argument('--dataset', help='cityscapes, ade20k, camvid, ...: names known to mmseg')
    kind.add_argument('--classes', metavar='JSON', help='list of names, or {classes, palette}')
    group.add_argument(
        '--ignore-index', type=int, default=255, help='label not judged (default 255)'
    )
    group.add_argument(
        '--pattern',
        help='how video and number are read from the name of a frame: a regular expression with '
        'the groups video and frame (default: the last number of the name counts frames)',
    )
    group.add_argument('--prediction-suffix', default='', help='end of the names of label maps')


def _run_video(args: argparse.Namespace) -> int:
    """Measure consistency over time and write its report; the exit status."""
    check_together(args)
    from ..ops.frame_names import LAST_NUMBER
    from ..reports.classes import dataset_classes, read_classes
    from ..reports.video_report import FIGURES, write_video_report
    from ..reports.videos import Videos
    from .progress import ProgressBars

    classes = dataset_classes(args.dataset) if args.dataset else read_classes(args.classes)
    suffixes = args.image_suffix, args.prediction_suffix
    videos = Videos(
        args.paths[-1],
        named_predictions(args),
        len(classes.names),
        args.ignore_index,
        args.pattern or LAST_NUMBER,
        *suffixes,
    )
    with ProgressBars() as bars:
        scores = videos.score(args.pictures, bars.start('frames', len(videos.frames)))
        paths = write_video_report(args.out, scores, videos.frames, classes)
    for name, found in scores.items():
        for key, value in found.figures().items():
            print(f'{name}: {FIGURES[key]} {value:.2f}')
    print(f'written to {", ".join(map(str, paths))}')
    return 0


KINDS = {
    'label-maps': (
        'folders of label maps: 8-bit, 16-bit or palette PNG, or .npy',
        _add_label_maps,
        _evaluate_label_maps,
    ),
    'coco': ('COCO result files against COCO annotations', _add_coco, _evaluate_coco),
    'video': (
        'consistency over time of label maps of the frames of videos; GT is the folder of frames',
        _add_video,
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


def run(args: argparse.Namespace) -> int:
    """Measure and write the report; the exit status."""
    if args.evaluate is _run_video:
        return _run_video(args)
    check_together(args)
    from ..reports.gallery import galleries, pictures_of_all
    from ..reports.report import write_report
    from ..runs.opencv_log import silence_opencv
    from ..runs.pool import default_workers
    from .progress import ProgressBars

    silence_opencv()  # broken photographs are reported below, once
    predictions = named_predictions(args)
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
        print(remark)
    print(f'written to {", ".join(map(str, paths))}')
    if failure:
        raise failure
    return 0
