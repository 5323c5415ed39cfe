"""The arguments of ``mmrefine evaluate``, and what goes together."""

import argparse

from ..methods import whole_number


def add_predictions(parser: argparse.ArgumentParser) -> None:
    """Add what is judged."""
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


def add_report(parser: argparse.ArgumentParser) -> None:
    """Add what is written."""
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


def _add_classes(group: argparse._ArgumentGroup) -> None:
    kind = group.add_mutually_exclusive_group()
    kind.add_argument('--dataset', help='cityscapes, ade20k, camvid, ...: names known to mmseg')
    kind.add_argument(
        '--classes',
        metavar='JSON',
        help='list of names, or {classes, palette} (default: the labels that are there, numbered)',
    )


def add_label_maps(parser: argparse.ArgumentParser) -> None:
    """Add what labels mean and how boundaries are measured."""
    _add_measuring(
        parser, (1, 2, 3), 'of boundary IoU (default 0.02; 0.005 for --dataset cityscapes)'
    )
    group = parser.add_argument_group('label maps')
    _add_classes(group)
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


def add_coco(parser: argparse.ArgumentParser) -> None:
    """Add how boundaries of instances are measured."""
    _add_measuring(parser, (1,), 'of boundary AP (default 0.02)')


def add_pattern(group: argparse._ArgumentGroup) -> None:
    """Add how the names of frames are read."""
    group.add_argument(
        '--pattern',
        help='how video and number are read from the name of a frame: a regular expression with '
        'the groups video and frame (default: the last number of the name counts frames)',
    )


def add_video(parser: argparse.ArgumentParser) -> None:
    """Add what frames and labels are."""
    group = parser.add_argument_group('videos')
    _add_classes(group)
    group.add_argument(
        '--ignore-index', type=int, default=255, help='label not judged (default 255)'
    )
    add_pattern(group)
    group.add_argument('--prediction-suffix', default='', help='end of the names of label maps')


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
